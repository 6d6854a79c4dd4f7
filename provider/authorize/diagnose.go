package authorize

import (
	"fmt"
	"strings"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// told is the fault with what came in those parameters, and what is registered beside it, for the operator and the owner of c.
func told(fault *oauth.Error, c storage.Client, p oauth.Params, parameters ...string) *oauth.Error {
	if _, known := fault.Unwrap().(*client.Cause); known {
		return fault
	}
	var received, pairs []string
	for _, name := range parameters {
		text := shown(name, p)
		received = append(received, name+" "+text)
		pairs = append(pairs, name, text)
	}
	for _, name := range parameters {
		switch name {
		case "scope":
			pairs = append(pairs, client.DetailRegistered, c.Metadata.Scope)
		case "response_type":
			pairs = append(pairs, client.DetailRegistered, oauth.ResponseTypeCode)
		case "code_challenge_method":
			pairs = append(pairs, client.DetailRegistered, oauth.ChallengeS256)
		}
	}
	cause := client.Because("received "+strings.Join(received, ", "), pairs...)
	if under := fault.Unwrap(); under != nil {
		cause = cause.Of(under)
	}
	return fault.Because(cause)
}

// shown is a parameter as it may be kept: those that nobody else has any business with by their length alone. A code_challenge is one of
// them, since with the method plain it is the verifier.
func shown(name string, p oauth.Params) string {
	value := p.Get(name)
	if name == "resource" {
		all := make([]string, 0, len(p.All(name)))
		for _, resource := range p.All(name) {
			all = append(all, oauth.Redact(resource))
		}
		value = strings.Join(all, " ")
	}
	switch name {
	case "scope", "resource", "response_type", "response_mode", "code_challenge_method", "prompt", "max_age":
		if value != "" {
			return value
		}
	}
	if value == "" {
		return "absent"
	}
	return fmt.Sprintf("of %d characters", len(value))
}

// expired is the cause of a sealed request that a person took too long over.
func expired(r Request, err error) *client.Cause {
	return client.Because("the person took too long over it, or came back to an old tab", client.DetailIssuedAt, client.Instant(r.StartedAt)).Of(err)
}

// absentTarget is why a redirect URI that was not sent is not taken from the registration.
func absentTarget(c storage.Client) *client.Cause {
	why := "the request has no redirect_uri, and several are registered"
	switch len(c.Metadata.RedirectURIs) {
	case 0:
		why = "the request has no redirect_uri, and none is registered"
	case 1:
		why = "the request has no redirect_uri, which OpenID Connect requires"
	}
	return client.Because(why, client.DetailReceived, "absent", client.DetailRegistered, strings.Join(c.Metadata.RedirectURIs, " "))
}
