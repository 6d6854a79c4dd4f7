// Package logout ends what a person began by signing in: OpenID Connect RP-Initiated Logout 1.0, and the news of it to the
// applications by Back-Channel Logout 1.0 and Front-Channel Logout 1.0.
//
// # What a request to log out may do
//
// Anybody can send a browser here with anything in the address. So a browser is sent on only to an address that the client registered,
// byte for byte, and the client is known by one thing alone: an ID token of ours that was made for it (id_token_hint). It may have
// expired, since people log out late, and any key that is published may have signed it. Without it, or with one that proves nothing, the
// person is asked and stays here.
//
// The person is also asked where the hint is of another session than the ones in this browser: then whoever sent the browser here is not
// known to be whom the person is signed in with. Logging out twice is logging out once.
//
// # How applications hear of it
//
// EndSessions puts one letter into the outbox with the end of each session, whatever ended it, so that no application is forgotten where
// the server dies in between. Deliver splits it into one letter for each client with a backchannel_logout_uri, so that one that does not
// answer delays no other, and tries those again and again for a day. The person waits for none of it. A client with a
// frontchannel_logout_uri is told by the person's browser besides, in a frame of the page that says that all is done.
package logout
