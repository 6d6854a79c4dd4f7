package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
)

// The reasons why a mail was not taken, as metrics have them.
const (
	ReasonUnreachable = "unreachable" // no connection, one that broke, or one that took too long
	ReasonTLS         = "tls"         // no TLS, or a certificate that is not the host's
	ReasonAuth        = "auth"        // the user and password were not taken
	ReasonProtocol    = "protocol"    // the answers are not SMTP
	ReasonRefused     = "refused"     // not now (4yz), or not from us
	ReasonRecipient   = "recipient"   // never to this address, or never this mail (5yz)
)

// Failure is why a mail was not taken. Its text is for the log and for operators; it holds no word of the server's.
type Failure struct {
	Reason string
	Status int    // the server's reply code; 0: it is not the reply that was wrong
	Code   string // and its enhanced status code, such as 5.1.1 (RFC 3463); "" where there was none
	step   string
	host   bool // what failed is the server, and the next mail fails too
	cause  error
}

// Error implements error.
func (f *Failure) Error() string {
	text := "mail: " + f.step
	if f.Status != 0 {
		text += fmt.Sprintf(": the server answered %d", f.Status)
		if f.Code != "" {
			text += " " + f.Code
		}
	}
	if f.cause != nil {
		text += ": " + f.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.cause }

// The steps of a conversation, as failures name them.
const (
	stepConnect = "connecting"
	stepGreet   = "greeting"
	stepTLS     = "starting TLS"
	stepAuth    = "authenticating"
	stepFrom    = "naming the sender"
	stepTo      = "naming the recipient"
	stepData    = "sending the message"
)

var (
	errNotSMTP = errors.New("the server does not speak SMTP")
	errFlood   = errors.New("the server says more than an SMTP server has to say")
	errNoTLS   = errors.New("the server offers no STARTTLS, and nothing is sent in the clear")
	errNoAuth  = errors.New("the server offers no way to authenticate that is known here: PLAIN, LOGIN, SCRAM-SHA-256 or CRAM-MD5")
	errNoUTF8  = errors.New("the server takes no addresses beyond ASCII (RFC 6531)")
	errSlow    = errors.New("it took too long")
)

// failed says what err is at a step of the conversation.
func failed(ctx context.Context, step string, err error) *Failure {
	f := &Failure{Reason: ReasonUnreachable, step: step, host: true}
	var reply *textproto.Error
	var malformed textproto.ProtocolError
	switch {
	case ctx.Err() != nil:
		f.cause = errSlow
	case errors.As(err, &reply):
		f.replied(reply)
	case errors.Is(err, errFlood):
		f.Reason, f.cause = ReasonProtocol, errFlood
	case errors.As(err, &malformed):
		f.Reason, f.cause = ReasonProtocol, errNotSMTP
	case step == stepTLS || untrusted(err):
		f.Reason, f.cause = ReasonTLS, err
	case step == stepAuth && !broke(err): // what the library thinks of the server's part in it
		f.Reason = ReasonAuth
	default:
		f.cause = err
	}
	return f
}

// replied judges a reply by the step that it answers. 5yz of a recipient or a message is for good, but for a policy (x.7.z), which
// mostly is about us, and which somebody may mend.
func (f *Failure) replied(reply *textproto.Error) {
	f.Status, f.Code = reply.Code, enhanced(reply.Msg)
	policy := len(f.Code) > 2 && f.Code[2] == '7'
	switch f.step {
	case stepTLS:
		f.Reason = ReasonTLS
	case stepAuth:
		f.Reason = ReasonAuth
	case stepTo, stepData:
		f.Reason, f.host = ReasonRefused, false
		if f.Status >= 500 && !policy {
			f.Reason = ReasonRecipient
		}
	case stepFrom:
		f.Reason, f.host = ReasonRefused, false
	default:
		f.Reason = ReasonRefused
	}
	if f.Status < 400 || f.Status > 599 {
		f.Reason = ReasonProtocol
	}
}

var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// enhanced is the enhanced status code at the beginning of a reply; "" where there is none.
func enhanced(text string) string { return enhancedCode.FindString(text) }

// untrusted reports whether it was TLS that failed.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert)
}

// broke reports whether it was the connection that failed.
func broke(err error) bool {
	var network net.Error
	return errors.As(err, &network) || isEOF(err)
}

// inWords is a cause for the audit log, where no text of a library or a server belongs.
func inWords(err error) string {
	var f *Failure
	switch {
	case errors.Is(err, errAddress):
		return errAddress.Error()
	case errors.Is(err, errNoTicket):
		return errNoTicket.Error()
	case !errors.As(err, &f):
		return "the server could not do it"
	case f.Status != 0:
		return (&Failure{Status: f.Status, Code: f.Code, step: f.step}).Error()
	}
	return "mail: " + f.step + " failed: " + f.Reason
}
