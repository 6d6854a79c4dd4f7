package pages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/signet-idp/signet/provider/authorize"
)

// devicePage asks for the code that a device shows.
type devicePage struct {
	Action   string
	Form     form
	UserCode string // as a device's own link brought it; proves nothing
	Problem  string
	You      youView
}

func (devicePage) template() string { return "device" }

// deviceConfirmPage asks whether the device is the person's.
type deviceConfirmPage struct {
	Client    string
	Origin    originView
	Asks      []ask
	Resources []ask
	UserCode  string
	Device    string // the device's request, sealed
	Action    string
	Form      form
	You       youView
}

func (deviceConfirmPage) template() string { return "device_confirm" }

// toldPage says what has happened, and asks nothing.
type toldPage struct{ Heading, Text string }

func (toldPage) template() string { return "told" }

// showDevice is where a device sends people (verification_uri, RFC 8628 §3.3), and each page of theirs after it.
func showDevice(x *exchange) error {
	switch x.params.Get("done") { // words alone: nothing is told that the address does not tell already
	case "allow":
		return x.show(http.StatusOK, toldPage{"device.allowed_title", "device.allowed"})
	case "deny":
		return x.show(http.StatusOK, toldPage{"device.denied_title", "device.denied"})
	}
	if x.params.Get("tx") == "" {
		p, err := x.door.BeginDevice(x.ctx(), x.visit, x.params.Get("user_code"))
		if err != nil {
			return err
		}
		x.redirect(x.address(p.Step, p.Sealed))
		return nil
	}
	p, err := x.passage()
	if err != nil {
		return err
	}
	if p.Step != authorize.StepDevice {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	if sealed := x.params.Get("device"); sealed != "" {
		return x.confirmDevice(p, sealed)
	}
	return x.askUserCode(p, http.StatusOK, p.Request.UserCode, "")
}

func (x *exchange) askUserCode(p *authorize.Passage, status int, userCode, problem string) error {
	page := devicePage{Action: x.path, UserCode: userCode, Problem: problem, You: x.you(p, "you.as")}
	var err error
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	return x.show(status, page)
}

func (x *exchange) confirmDevice(p *authorize.Passage, sealed string) error {
	q, err := x.door.UnsealDevice(x.ctx(), x.visit, p, sealed)
	if err != nil {
		return x.noDevice(p, err, p.Request.UserCode)
	}
	page := deviceConfirmPage{
		Client: clientName(q.Client), Origin: originOf(q.Client, clock(p.Account.User)),
		Asks: x.asks(q.Asked, p.Account.User), Resources: resources(q.Asked.Resources, q.Resources),
		UserCode: q.UserCode, Device: sealed, Action: x.path, You: x.you(p, "you.as"),
	}
	if page.Form, err = x.form(p.Sealed); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// noDevice asks for a code once more, where the one before led to no device.
func (x *exchange) noDevice(p *authorize.Passage, err error, userCode string) error {
	if errors.Is(err, authorize.ErrDemand) {
		stronger, err := x.door.Demand(x.ctx(), x.visit, p, userCode)
		if err != nil {
			return err
		}
		x.redirect(x.address(stronger.Step, stronger.Sealed))
		return nil
	}
	status, problem := x.problem(err, "device.wrong")
	if errors.Is(err, authorize.ErrUserCode) {
		status, problem = http.StatusUnprocessableEntity, x.text("device.wrong")
	}
	if problem == "" {
		return err
	}
	x.note(err)
	return x.askUserCode(p, status, userCode, problem)
}

func device(x *exchange) error {
	p, err := x.posted()
	if err != nil {
		return err
	}
	if p.Step != authorize.StepDevice {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	if sealed := x.params.Get("device"); sealed != "" {
		return x.answerDevice(p, sealed)
	}
	userCode := x.params.Get("user_code")
	if userCode == "" {
		return x.askUserCode(p, http.StatusUnprocessableEntity, "", x.text("device.incomplete"))
	}
	q, err := x.door.FindDevice(x.ctx(), x.visit, p, userCode)
	if err != nil {
		return x.noDevice(p, err, userCode)
	}
	sealed, err := x.door.SealDevice(x.visit, q)
	if err != nil {
		return err
	}
	x.redirect(x.address(authorize.StepDevice, p.Sealed) + "&device=" + url.QueryEscape(sealed))
	return nil
}

func (x *exchange) answerDevice(p *authorize.Passage, sealed string) error {
	decision := x.params.Get("decision")
	if decision != "allow" && decision != "deny" {
		return x.confirmDevice(p, sealed)
	}
	q, err := x.door.UnsealDevice(x.ctx(), x.visit, p, sealed)
	if err == nil {
		err = x.door.AnswerDevice(x.ctx(), x.visit, p, q, decision == "allow")
	}
	if err != nil {
		return x.noDevice(p, err, "")
	}
	x.redirect(x.base + "/" + string(authorize.StepDevice) + "?done=" + decision)
	return nil
}
