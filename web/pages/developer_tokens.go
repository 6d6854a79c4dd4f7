package pages

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// tokensPage is how many initial access tokens one page lists.
const tokensPage = 50

// developerTokens lists, for administrators, the initial access tokens of registration (RFC 7591 §3), of which nothing is shown, and makes
// new ones.
type developerTokens struct {
	owned
	Apps   string // address of their own apps
	Tokens []tokenRow
	More   string // address of the next; "" none
	Fields []memberField
}

func (developerTokens) template() string { return "developer_tokens" }

// tokenRow is an initial access token. Heading names the message of its state.
type tokenRow struct {
	ID, Name            string
	Good                bool
	Heading             string
	Uses, Limit         string // Limit "": any number
	GrantTypes          []string
	Scope               string
	Maker               string // "": it was made by command
	Made, Ends, Revoked moment
}

// developerToken shows an initial access token, this once.
type developerToken struct {
	owned
	Apps, Tokens string // addresses of the lists
	Secret       string
	Command      string // that registers an app with it
}

func (developerToken) template() string { return "developer_token" }

// tokensAddress is that of the list for administrators; "" where there is none, or it is not for this person.
func (x *exchange) tokensAddress(p *authorize.Passage) string {
	if !p.Account.User.Admin || !x.serves(authorize.DeveloperTokens) {
		return ""
	}
	return x.accountAddress(authorize.DeveloperTokens)
}

func showTokens(x *exchange) error {
	p, err := x.administering(authorize.DeveloperTokens)
	if p == nil || err != nil {
		return err
	}
	return x.showTokens(p, http.StatusOK, x.tokenFields(), "")
}

func (x *exchange) showTokens(p *authorize.Passage, status int, fields []memberField, problem string) error {
	page := developerTokens{Apps: x.accountAddress(authorize.DeveloperApps), Fields: fields}
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	after, _ := storage.ParseID(x.params.Get("after")) // what is no ID is zero: from the first one on
	tokens, now, err := x.tokens.List(x.ctx(), after, tokensPage+1)
	if err != nil {
		return err
	}
	if len(tokens) > tokensPage {
		tokens = tokens[:tokensPage]
		page.More = x.path + "?after=" + tokens[tokensPage-1].ID.String()
	}
	at, makers := clock(p.Account.User), map[string]string{}
	for _, t := range tokens {
		state := client.StateOf(t, now)
		row := tokenRow{
			ID: t.ID.String(), Name: t.Name, Good: state == client.TokenGood, Heading: tokenState(state), Uses: strconv.Itoa(t.Uses),
			GrantTypes: t.GrantTypes, Scope: t.Scope, Made: at(t.CreatedAt), Ends: at(t.ExpiresAt), Revoked: at(t.RevokedAt),
		}
		if t.MaxUses > 0 {
			row.Limit = strconv.Itoa(t.MaxUses)
		}
		if row.Maker, err = x.maker(t.CreatedBy, makers); err != nil {
			return err
		}
		page.Tokens = append(page.Tokens, row)
	}
	return x.show(status, page)
}

// tokenState is the message that tells it.
func tokenState(s client.TokenState) string {
	switch s {
	case client.TokenUsedUp:
		return "tokens.state.used_up"
	case client.TokenExpired:
		return "tokens.state.expired"
	case client.TokenRevoked:
		return "tokens.state.revoked"
	}
	return "tokens.state.good"
}

// maker is the name of the administrator who made a token, the ID of one who is gone, and "" where it was made by command.
func (x *exchange) maker(actor string, known map[string]string) (string, error) {
	if _, err := storage.ParseID(actor); err != nil {
		return "", nil
	}
	if name, ok := known[actor]; ok {
		return name, nil
	}
	found, err := x.people.Find(x.ctx(), actor)
	switch {
	case errors.Is(err, account.ErrNotFound):
		known[actor] = actor
	case err != nil:
		return "", err
	default:
		known[actor] = found.User.Username
	}
	return known[actor], nil
}

func changeTokens(x *exchange) error {
	p, err := x.administering(authorize.DeveloperTokens)
	if p == nil || err != nil {
		return err
	}
	if x.params.Has("revoke") {
		return x.revokeToken(p)
	}
	fields := x.tokenFields()
	given, lifetime, good := x.takeToken(fields)
	if !good {
		return x.showTokens(p, http.StatusUnprocessableEntity, fields, x.text("developer.wrong"))
	}
	secret, made, err := x.tokens.Create(x.ctx(), given, lifetime, p.Account.User.ID.String(), x.visit.Seen)
	if err != nil {
		return x.appFailed(err, func(status int, problem string) error {
			if e := oauth.As(err); e != nil && blameToken(fields, e) {
				problem = x.text("developer.wrong")
			}
			return x.showTokens(p, status, fields, problem)
		})
	}
	page := developerToken{Apps: x.accountAddress(authorize.DeveloperApps), Tokens: x.path, Secret: secret}
	if page.Command, err = registerCommand(x.door.IssuerURL, secret, made); err != nil {
		return err
	}
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// revokeToken ends a token. One that is not there was never shown here: the list tells which are.
func (x *exchange) revokeToken(p *authorize.Passage) error {
	id, err := storage.ParseID(x.params.Get("revoke"))
	if err == nil {
		err = x.tokens.Revoke(x.ctx(), id, p.Account.User.ID.String(), x.visit.Seen)
	} else {
		err = storage.ErrNotFound
	}
	if errors.Is(err, storage.ErrNotFound) {
		x.redirect(x.path)
		return nil
	}
	if err != nil {
		return err
	}
	return x.to(authorize.DeveloperTokens, "token_revoked")
}

// tokenGrants are the grant types that can be ticked: those of the server, in the words of the settings.
func (x *exchange) tokenGrants() []grantCheck {
	said := append(grantChecks(), grantCheck{oauth.GrantPassword, "grant_password", "tokens.grant.password"})
	known := x.tokens.GrantTypes()
	return slices.DeleteFunc(said, func(g grantCheck) bool { return !slices.Contains(known, g.grant) })
}
