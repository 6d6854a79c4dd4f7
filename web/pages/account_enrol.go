package pages

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// accountEnrol shows a new authenticator's seed, and takes its first code.
type accountEnrol struct {
	owned
	Seed *seedView
}

func (accountEnrol) template() string { return "account_enrol" }

// seedView is a new authenticator's seed, as a person takes it over into an app.
type seedView struct {
	Enrolment string // sealed
	Device    string // the name that the person gave it; ""
	Secret    string // in groups
	QR        qrCode
}

func (x *exchange) seed(e *account.Enrolment) (*seedView, error) {
	code, err := drawQR(e.URI)
	return &seedView{Enrolment: x.params.Get("enrolment"), Device: e.Name, Secret: grouped(e.Secret), QR: code}, err
}

// begunFactor is an enrolment on its way through the browser that began it: no other is shown, or confirmed.
type begunFactor struct {
	Session storage.ID `json:"session"`
	Factor  storage.ID `json:"factor"`
}

// begun reads which enrolment the page is about; nil without an error, where the browser was sent back to begin.
func (x *exchange) begun(p *authorize.Passage) (*account.Enrolment, error) {
	e, err := x.begunFor(p)
	if e == nil && err == nil {
		x.redirect(x.accountAddress(authorize.AccountFactors))
	}
	return e, err
}

// begunFor is the enrolment that the address or the form names; nil, where it is none that was begun in this browser, by this session,
// and waits still.
func (x *exchange) begunFor(p *authorize.Passage) (*account.Enrolment, error) {
	var b begunFactor
	if x.browsers.Unseal(x.visit, x.params.Get("enrolment"), &b) != nil || b.Session != p.Account.Session.ID {
		return nil, nil
	}
	e, err := x.people.Enrolment(x.ctx(), p.Account.User, b.Factor)
	if errors.Is(err, account.ErrNoEnrollment) {
		return nil, nil
	}
	return &e, err
}

func showEnrolment(x *exchange) error {
	p, err := x.own(authorize.AccountFactors)
	if p == nil || err != nil {
		return err
	}
	e, err := x.begun(p)
	if e == nil || err != nil {
		return err
	}
	return x.showEnrolment(p, e, http.StatusOK, "")
}

func (x *exchange) showEnrolment(p *authorize.Passage, e *account.Enrolment, status int, problem string) error {
	var page accountEnrol
	var err error
	if page.Seed, err = x.seed(e); err != nil {
		return err
	}
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

func confirmEnrolment(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountFactors)
	if p == nil || err != nil {
		return err
	}
	e, err := x.begun(p)
	if e == nil || err != nil {
		return err
	}
	proof, codes, err := x.browsers.ProveEnrolment(x.ctx(), x.visit, *p.Account, e.ID, withoutSpace(x.params.Get("otp")))
	if err != nil {
		return x.failing(err, func(status int, problem string) error { return x.showEnrolment(p, e, status, problem) })
	}
	if len(codes) > 0 {
		return x.showCodes(p, codes, shownCodes{Proof: proof})
	}
	if err := x.people.FinishTOTP(x.ctx(), p.Account.User, proof, x.by(p)); err != nil {
		return x.failing(err, func(int, string) error { return err })
	}
	return x.to(authorize.AccountOverview, "factor")
}

// grouped puts a space after every fourth character, for those who type it.
func grouped(secret string) string {
	var b strings.Builder
	for i, r := range secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// qrCode is a QR code as an SVG path, one unit to a module.
type qrCode struct {
	Size int // modules on each side
	Path string
}

// View is the viewBox: the code with the four modules of quiet around it that readers need (ISO/IEC 18004 §6.3.8).
func (q qrCode) View() string {
	return fmt.Sprintf("-4 -4 %d %d", q.Size+8, q.Size+8)
}

// Side is the length of the viewBox.
func (q qrCode) Side() int { return q.Size + 8 }

// drawQR draws text, with error correction that bears a stained screen.
func drawQR(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrCode{}, fmt.Errorf("draw the QR code: %w", err)
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		if x >= size {
			return false
		}
		r, _, _, _ := code.At(x, y).RGBA()
		return r == 0
	}
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			start := x
			for dark(x, y) {
				x++
			}
			if x > start {
				path.WriteString("M" + strconv.Itoa(start) + " " + strconv.Itoa(y) + "h" + strconv.Itoa(x-start) + "v1h-" + strconv.Itoa(x-start) + "z")
			}
		}
	}
	return qrCode{Size: size, Path: path.String()}, nil
}
