package pages

import (
	"encoding/json"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
)

// passkeyPrompt is what the script beside a form asks the browser's authenticator with (static/passkey.js).
type passkeyPrompt struct {
	Options string // of navigator.credentials.get or create, as JSON
	Sealed  string // the ceremony, which comes back with the answer
}

// prompt makes of a ceremony that was begun what a page shows; nil, where there is nothing to ask with.
func (x *exchange) prompt(options json.RawMessage, c account.Ceremony, err error) (*passkeyPrompt, error) {
	if err != nil || options == nil {
		return nil, err
	}
	sealed, err := x.browsers.Seal(x.visit, c)
	return &passkeyPrompt{Options: string(options), Sealed: sealed}, err
}

// answered reads what the script sent; nil, where it sent nothing. A ceremony that this browser was not given serves for nothing: the
// answer to it is wrong.
func (x *exchange) answered() *account.PasskeyProof {
	if x.params.Get("passkey") == "" { // without the script the form sends it empty
		return nil
	}
	proof := &account.PasskeyProof{Response: []byte(x.params.Get("passkey"))}
	if err := x.browsers.Unseal(x.visit, x.params.Get("ceremony"), &proof.Ceremony); err != nil {
		x.note(err)
		proof.Ceremony = account.Ceremony{}
	}
	return proof
}

func (x *exchange) signInByPasskey(p *authorize.Passage, proof account.PasskeyProof) error {
	_, err := x.browsers.PasskeySignIn(x.ctx(), x.visit, p.Request.ClientID, proof)
	if err == nil {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	page := signInPage{Username: x.params.Get("username")}
	status := 0
	if status, page.PasskeyProblem = x.problem(err, "passkey.wrong"); page.PasskeyProblem == "" {
		return err
	}
	x.note(err)
	return x.showSignIn(p, status, page)
}
