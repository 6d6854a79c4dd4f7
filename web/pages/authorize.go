package pages

import (
	"errors"

	"github.com/signet-idp/signet/provider/authorize"
)

// hub is the authorization endpoint: requests come in here, every page comes back here, and what comes next is decided here. A tx
// beside a client_id is an app's own parameter, one that is unknown and ignored.
func hub(x *exchange) error {
	var p *authorize.Passage
	var err error
	if tx := x.params.Get("tx"); tx != "" && !x.params.Has("client_id") {
		p, err = x.door.Resume(x.ctx(), x.visit, tx)
	} else {
		p, err = x.door.Begin(x.ctx(), x.visit, x.params)
	}
	if err != nil {
		return err
	}
	switch p.Step {
	case authorize.StepIssue:
	case authorize.StepAccount:
		x.redirect(x.returning(p.Request.Page, p.Request.Pass))
		return nil
	default:
		x.redirect(x.address(p.Step, p.Sealed))
		return nil
	}
	x.speakWith(p)
	returned, err := x.door.Issue(x.ctx(), x.visit, p)
	if errors.Is(err, authorize.ErrAgain) {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	if err != nil {
		return err
	}
	return x.give(returned)
}
