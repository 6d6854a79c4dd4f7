// Package mail tells people what happened to their accounts. What a verb of the store decides leaves a letter in the outbox, in the
// same commit; this room makes a mail of it and hands it to a mail server, at least once.
//
//	server.go    SIGNET_SMTP_URL and SIGNET_MAIL_FROM, read and judged
//	deliver.go   one letter: to whom, when again, when no more
//	gate.go      how many at once, and when the server is left alone
//	kinds.go     which letters become mails, and where each leads
//	compose.go   a letter becomes a mail, in the person's language
//	texts.go     the languages · messages/ the texts · templates/ what is around them
//	message.go   a mail as it goes over the wire (RFC 5322)
//	smtp.go      the conversation with the server (RFC 5321, 3207, 4954), and failure.go what can be wrong with it
//
// Nothing waits for a mail but the outbox's worker. A mail leads to nobody but the issuer, and is sent to the address that its letter
// names, or to that which the user has when it leaves. Its one secret is the link that some bring, made when it leaves: neither outbox
// nor log ever holds one. It repeats no words that a stranger chose, lest we mail them to others. Of what a mail server says nothing but
// its status codes is kept: some repeat what they were sent, passwords too.
package mail
