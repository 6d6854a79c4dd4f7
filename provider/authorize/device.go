package authorize

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

const (
	deviceLifetime = 10 * time.Minute
	deviceInterval = 5 * time.Second
	// maxDraws bounds how often a user code is drawn that another device has at the moment: a second time is a matter of years.
	maxDraws = 4
	// maxRaces bounds how often an answer that lost the race for its row against the device's poll is tried again.
	maxRaces = 8
)

// ErrUserCode is one answer for a user code that is unknown, has expired or was answered.
var ErrUserCode = errors.New("authorize: no device waits for an answer with this code")

// ErrDemand says that the device's client wants a second factor of its people, which the passage did not ask for: the way there begins
// anew (Demand).
var ErrDemand = errors.New("authorize: the device's client demands a second factor")

// Demand begins the way to the device that shows userCode once more, for a person who must give a second factor on it, or enrol one.
func (d *Door) Demand(ctx context.Context, v *browser.Visit, p *Passage, userCode string) (*Passage, error) {
	stronger := &Passage{Request: p.Request, Now: p.Now}
	stronger.Request.Strong = true
	if code, ok := readUserCode(userCode); ok {
		stronger.Request.UserCode = showUserCode(code)
	}
	var err error
	if stronger.Sealed, err = d.Browsers.Seal(v, stronger.Request); err != nil {
		return nil, err
	}
	return d.pass(ctx, v, stronger)
}

// deviceAnswer is a device authorization response (RFC 8628 §3.2).
type deviceAnswer struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"`
	Interval                int64  `json:"interval"`
}

// DeviceAuthorization is POST /oauth2/device_authorization (RFC 8628 §3.1).
func (d *Door) DeviceAuthorization(w http.ResponseWriter, r *http.Request) error {
	a, err := d.authorizeDevice(w, r)
	if err == nil {
		d.Observer.FrontDoor("device_authorization", "")
	}
	return d.report("device_authorization", a.clientID(), a.seen, err)
}

func (d *Door) authorizeDevice(w http.ResponseWriter, r *http.Request) (*call, error) {
	a, err := d.called(r)
	if err != nil {
		return a, err
	}
	c := a.caller.Client
	if !slices.Contains(c.Metadata.GrantTypes, oauth.GrantDeviceCode) {
		return a, errNoGrant(c, oauth.GrantDeviceCode)
	}
	reach, err := d.asked(r.Context(), c, a.params)
	if err != nil {
		return a, err
	}
	var q Request
	if fault := d.parseScope(&q, c, reach, a.params); fault != nil {
		return a, told(fault, c, a.params, "scope", "resource")
	}
	audience, fault := d.audience(reach, q)
	if fault != nil {
		return a, fault
	}
	caller := throttle.Caller{Address: a.seen.Address}
	if a.caller.Authenticated {
		caller.ClientID = c.ID
	}
	if err := d.Limiter.DeviceCode(r.Context(), c.ID, caller); err != nil {
		return a, err
	}
	answer, err := d.createDevice(r.Context(), storage.Grant{
		ClientID: c.ID, Offline: q.Offline(), Scope: q.Scope, Audience: audience, Seen: a.seen,
		CreatedAt: a.caller.Now, ExpiresAt: a.caller.Now.Add(deviceLifetime),
	})
	if err != nil {
		return a, err
	}
	return a, writeJSON(w, http.StatusOK, answer)
}

// createDevice keeps g, what a device asks for, as a grant that waits for a person's answer.
func (d *Door) createDevice(ctx context.Context, g storage.Grant) (deviceAnswer, error) {
	var err error
	if g.ID, err = newID(); err != nil {
		return deviceAnswer{}, err
	}
	secret := handle.NewSecret()
	g.State, g.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingDevice, Interval: deviceInterval}
	g.KeyID, g.SecretHash = d.Mint.CurrentKey(), handle.SecretDigest(secret)
	deviceCode, err := d.Mint.Handle(handle.Device, handle.Handle{Grant: g.ID, Secret: secret, Key: g.KeyID})
	if err != nil {
		return deviceAnswer{}, err
	}
	for draw := 1; ; draw++ {
		code := newUserCode()
		g.UserCode = userCodeDigest(code)
		err := d.Store.CreateGrant(ctx, g, storage.Spend{}, storage.Also{})
		if err == nil {
			uri := d.IssuerURL + "/device"
			return deviceAnswer{
				DeviceCode: deviceCode, UserCode: showUserCode(code),
				VerificationURI: uri, VerificationURIComplete: uri + "?user_code=" + url.QueryEscape(showUserCode(code)),
				ExpiresIn: int64(deviceLifetime / time.Second), Interval: int64(deviceInterval / time.Second),
			}, nil
		}
		if !errors.Is(err, storage.ErrTaken) || draw == maxDraws {
			return deviceAnswer{}, err
		}
	}
}

// DeviceRequest is what a device asks for, found by the user code that a person entered. It is that person's to answer alone.
type DeviceRequest struct {
	Client    storage.Client
	UserCode  string // as the device shows it
	Asked     Ask
	Resources []storage.Resource // those of Asked that are registered, for their names
	standing  storage.Standing
	userID    storage.ID
}

// FindDevice finds the device that shows userCode, for the person of a passage at StepDevice. Errors: ErrUserCode; *oauth.Error,
// slow_down, where too many codes were tried in this session or from this address; ErrDemand; ErrAgain.
func (d *Door) FindDevice(ctx context.Context, v *browser.Visit, p *Passage, userCode string) (*DeviceRequest, error) {
	if p.Step != StepDevice || p.Account == nil {
		return nil, ErrAgain
	}
	code, ok := readUserCode(userCode)
	if !ok { // no code of ours looks like this: nothing was guessed
		return nil, ErrUserCode
	}
	ticket, err := d.Limiter.UserCode(ctx, p.Account.Session.ID, throttle.Caller{Address: v.Seen.Address})
	if err != nil {
		return nil, err
	}
	s, err := d.Store.FindUserCode(ctx, userCodeDigest(code))
	if err != nil {
		return nil, noDevice(err)
	}
	found, err := d.deviceRequest(ctx, p, s, code)
	if err == nil || errors.Is(err, ErrDemand) {
		_ = ticket.GiveBack(ctx) // an attempt that is not given back comes back with time
	}
	return found, err
}

// deviceRequest is what the standing grant of a device asks for, as long as it may be answered.
func (d *Door) deviceRequest(ctx context.Context, p *Passage, s storage.Standing, code string) (*DeviceRequest, error) {
	if !answerable(s) {
		return nil, ErrUserCode
	}
	c, _, err := d.Clients.Lookup(ctx, s.Grant.ClientID)
	if err != nil {
		return nil, noDevice(err)
	}
	if c.Metadata.RequireSecondFactor && !p.Request.Strong {
		return nil, ErrDemand
	}
	found := &DeviceRequest{Client: c, UserCode: showUserCode(code), standing: s, userID: p.Account.User.ID}
	found.Asked.Scope = s.Grant.Scope
	found.Asked.Resources = except(s.Grant.Audience, []string{d.IssuerURL})
	if len(found.Asked.Resources) > 0 {
		found.Resources, err = d.Store.FindResources(ctx, found.Asked.Resources)
	}
	return found, err
}

// answerable reports whether a person may answer to the device's request still.
func answerable(s storage.Standing) bool {
	g := s.Grant
	return g.State == storage.Pending && g.Pending != nil && g.Pending.Kind == storage.WaitingDevice && g.Pending.Answer == "" &&
		s.Now.Before(g.ExpiresAt) && s.Client.Exists && !s.Client.Disabled
}

// sealedDevice is a DeviceRequest on its way through the form that asks about it.
type sealedDevice struct {
	Grant    storage.ID `json:"device_grant"`
	UserCode string     `json:"device_user_code"`
	UserID   storage.ID `json:"device_user"`
}

// SealDevice seals a found request into the form that asks the person about it. It opens in this browser, for this person alone.
func (d *Door) SealDevice(v *browser.Visit, q *DeviceRequest) (string, error) {
	return d.Browsers.Seal(v, sealedDevice{Grant: q.standing.Grant.ID, UserCode: strings.ReplaceAll(q.UserCode, "-", ""), UserID: q.userID})
}

// UnsealDevice reads what SealDevice sealed, as it stands now. Errors: a *Refusal (errors.As) for what was sealed for another browser,
// or too long ago; ErrUserCode where it was for another person, has expired or was answered; ErrDemand; ErrAgain.
func (d *Door) UnsealDevice(ctx context.Context, v *browser.Visit, p *Passage, text string) (*DeviceRequest, error) {
	if p.Step != StepDevice || p.Account == nil {
		return nil, ErrAgain
	}
	var sealed sealedDevice
	if err := d.Browsers.Unseal(v, text, &sealed); err != nil {
		return nil, unsealed(err)
	}
	if len(sealed.UserCode) != userCodeLength || sealed.UserID != p.Account.User.ID {
		return nil, ErrUserCode
	}
	s, err := d.Store.FindGrant(ctx, sealed.Grant)
	if err != nil {
		return nil, noDevice(err)
	}
	return d.deviceRequest(ctx, p, s, sealed.UserCode)
}

// AnswerDevice gives the device the person's answer: the grant becomes the person's, or is refused. Errors: ErrUserCode where it has
// expired or was answered meanwhile; ErrAgain where session or person changed.
func (d *Door) AnswerDevice(ctx context.Context, v *browser.Visit, p *Passage, q *DeviceRequest, allow bool) error {
	if p.Step != StepDevice || p.Account == nil || q.userID != p.Account.User.ID {
		return ErrAgain
	}
	s := q.standing
	for range maxRaces {
		if !answerable(s) {
			return ErrUserCode
		}
		err := d.Store.RedeemGrant(ctx, answerTo(s.Grant, v, p, q, allow))
		if !errors.Is(err, storage.ErrMoved) {
			return err
		}
		// The device polled meanwhile, which moves its row, or the person's session has changed.
		read := s.Grant.Revision
		if s, err = d.Store.FindGrant(ctx, s.Grant.ID); err != nil {
			return noDevice(err)
		}
		if s.Grant.Revision == read {
			return ErrAgain
		}
	}
	return ErrAgain
}

// answerTo is the write of an answer to the pending grant g.
func answerTo(g storage.Grant, v *browser.Visit, p *Passage, q *DeviceRequest, allow bool) storage.Redemption {
	kind, revision, waiting := "device.denied", g.Revision, *g.Pending
	waiting.Answer = storage.DeviceDenied
	if allow {
		kind, waiting.Answer = "device.approved", storage.DeviceApproved
		by := given(Request{}, *p.Account)
		g.UserID, g.SessionID, g.ACR, g.AMR, g.AuthTime = by.UserID, by.SessionID, by.ACR, by.AMR, by.AuthTime
		waiting.SessionEnds = sessionEnds(g, *p.Account)
	}
	g.Pending = &waiting
	user := p.Account.User.ID
	return storage.Redemption{Grant: g, Revision: revision, Spend: relied(*p.Account), Also: storage.Also{Events: []storage.Event{{
		Kind: kind, Actor: user.String(), UserID: user, ClientID: g.ClientID, GrantID: g.ID, Seen: v.Seen, Detail: details(q.Asked),
	}}}}
}

// noDevice is ErrUserCode for what is not there.
func noDevice(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return ErrUserCode
	}
	return err
}
