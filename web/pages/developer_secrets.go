package pages

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

// developerSecrets lists an app's secrets, of which nothing is shown, and makes new ones.
type developerSecrets struct {
	ofApp
	None      bool  // the app has no secrets, by its method
	Revision  int64 // that the form was shown with: the same form makes one secret
	Secrets   []secretView
	Overlaps  []periodChoice
	Lifetimes []periodChoice
}

func (developerSecrets) template() string { return "developer_secrets" }

// secretView is a secret: when it was made names it.
type secretView struct {
	Name                string
	Made, Expires, Used moment
}

// periodChoice is a time to choose. Text names a message.
type periodChoice struct {
	Value, Text string
	Chosen      bool
}

const day = 24 * time.Hour

// overlaps are how long the secret before a new one may live on, in days; client.MaxOverlap is the most.
func overlaps() []periodChoice {
	return []periodChoice{
		{"0", "developer.overlap.none", false},
		{"1", "developer.period.day", false},
		{"7", "developer.period.week", true},
		{"30", "developer.period.month", false},
		{strconv.Itoa(int(client.MaxOverlap / day)), "developer.period.quarter", false},
	}
}

// lifetimes are how long a new secret lives, in days.
func lifetimes() []periodChoice {
	return []periodChoice{
		{"0", "developer.lifetime.ever", true},
		{"30", "developer.period.month", false},
		{"90", "developer.period.quarter", false},
		{"180", "developer.period.half", false},
		{"365", "developer.period.year", false},
	}
}

// period is the time that was chosen; false: it is none of those.
func period(value string, among []periodChoice) (time.Duration, bool) {
	if !slices.ContainsFunc(among, func(c periodChoice) bool { return c.Value == value }) {
		return 0, false
	}
	days, err := strconv.Atoi(value)
	return time.Duration(days) * day, err == nil
}

func showSecrets(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperSecrets)
	if p == nil || err != nil {
		return err
	}
	return x.showSecrets(p, app, http.StatusOK, "")
}

func (x *exchange) showSecrets(p *authorize.Passage, app developer.App, status int, problem string) error {
	page := developerSecrets{None: !client.HoldsSecret(app.Client), Revision: app.Client.Revision, Overlaps: overlaps(), Lifetimes: lifetimes()}
	var err error
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperSecrets); err != nil {
		return err
	}
	page.Problem = problem
	at := clock(p.Account.User)
	for _, s := range app.Secrets {
		page.Secrets = append(page.Secrets, secretView{s.CreatedAt.UTC().Format(time.RFC3339Nano), at(s.CreatedAt), at(s.ExpiresAt), at(s.UsedAt)})
	}
	return x.show(status, page)
}

func changeSecrets(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperSecrets)
	if p == nil || err != nil {
		return err
	}
	id, by := app.Client.ID, x.asDeveloper(p)
	again := func(status int, problem string) error { return x.showSecrets(p, app, status, problem) }
	if x.params.Has("remove") {
		made, err := time.Parse(time.RFC3339Nano, x.params.Get("remove"))
		if err != nil {
			x.redirect(x.appAddress(authorize.DeveloperSecrets, id))
			return nil
		}
		switch _, err := x.developers.RemoveSecret(x.ctx(), by, id, made); {
		case errors.Is(err, storage.ErrNotFound): // it is gone already
			x.redirect(x.appAddress(authorize.DeveloperSecrets, id))
			return nil
		case err != nil:
			return x.appFailed(err, again)
		}
		return x.toApp(authorize.DeveloperSecrets, id, "secret_removed")
	}
	overlap, ok := period(x.params.Get("overlap"), overlaps())
	lifetime, good := period(x.params.Get("lifetime"), lifetimes())
	if !ok || !good {
		return again(http.StatusUnprocessableEntity, x.text("developer.wrong_value"))
	}
	revision, err := strconv.ParseInt(x.params.Get("revision"), 10, 64)
	if err != nil || revision != app.Client.Revision {
		return again(http.StatusConflict, x.text("developer.secrets.moved"))
	}
	secret, after, err := x.developers.AddSecret(x.ctx(), by, app, overlap, lifetime)
	if errors.Is(err, storage.ErrMoved) { // the same form was sent twice at a time
		if app, err = x.developers.Find(x.ctx(), by, id); err != nil {
			return x.goneApp(err)
		}
		return again(http.StatusConflict, x.text("developer.secrets.moved"))
	}
	if err != nil {
		return x.appFailed(err, again)
	}
	return x.showSecret(p, after, secret, false)
}
