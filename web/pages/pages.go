package pages

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/logout"
)

// Set is all pages. It is safe for concurrent use.
type Set struct {
	door       *authorize.Door
	browsers   *browser.Browsers
	logout     *logout.Logout
	people     *account.People
	developers *developer.Developers
	clients    *client.Registry
	tokens     *client.InitialTokens
	refused    func(requestID string, err error)
	render     *renderer
	snippets   *snippetBook
	signingAlg string           // of access tokens, where a client names none
	routes     []provider.Route // of pages alone
	base       string           // the path of the issuer, in front of every address
	guard      *http.CrossOriginProtection
}

// New makes the pages of p out of b, which is for p's issuer; nil: it is made here.
func New(p *provider.Provider, b *Book) (*Set, error) {
	if b == nil {
		made, err := NewBook(p.Door().IssuerURL)
		if err != nil {
			return nil, err
		}
		b = made
	}
	s := &Set{
		door: p.Door(), browsers: p.Browsers(), logout: p.Logout(), people: p.People(), developers: p.Developers(), clients: p.Clients(), tokens: p.InitialTokens(),
		refused: p.Refused,
		render:  b.render, snippets: b.snippets, base: b.base(), guard: http.NewCrossOriginProtection(),
		signingAlg: p.SigningAlg(),
	}
	// Behind a proxy that rewrites Host, a browser's Origin is the issuer's still.
	if err := s.guard.AddTrustedOrigin(b.issuer.Scheme + "://" + b.issuer.Host); err != nil {
		return nil, fmt.Errorf("trust the issuer's own origin: %w", err)
	}
	for _, r := range p.Routes() {
		if r.Page != "" {
			s.routes = append(s.routes, r)
		}
	}
	return s, nil
}

// action is what a page does. A nil function: the page does not take the method.
type action struct {
	get  func(*exchange) error
	post func(*exchange) error
	// entry: other sites lead here by POST too, as the standards have it. Their POST brings no cookie (SameSite=Lax): it is answered
	// with a redirect to GET with the same parameters. A POST with tx is the page's own form.
	entry bool
}

// actions are the pages by the names that the route table gives them.
func actions() map[string]action {
	return map[string]action{
		"authorize": {get: hub, entry: true},
		"login":     {get: showSignIn, post: signIn},
		"choose":    {get: showChoice, post: choose},
		"mfa":       {get: showFactor, post: secondFactor},
		"enrol":     {get: showEnrol, post: enrol},
		"lost":      {get: showLost, post: lost},
		"consent":   {get: showConsent, post: decideConsent},
		"device":    {get: showDevice, post: device},

		"signup":  {get: showSignUp, post: signUp},
		"recover": {get: showRecover, post: recoverPassword},
		"setup":   {get: showSetUp, post: setUp},

		"account":          {get: showAccount, post: withdraw},
		"account_profile":  {get: showProfile, post: changeProfile},
		"account_password": {get: showPassword, post: changePassword},
		"account_factors":  {get: showFactors, post: changeFactors},
		"account_enrol":    {get: showEnrolment, post: confirmEnrolment},
		"account_passkeys": {get: showPasskeys, post: changePasskeys},
		"account_sessions": {get: showSessions, post: endSessions},
		"account_apps":     {get: showApps, post: disconnect},
		"account_events":   {get: showEvents},
		"account_email":    {get: showEmail, post: changeEmail},
		"account_data":     {get: showData, post: download},
		"account_delete":   {get: showDelete, post: askToDelete},

		"developer":           {get: showDeveloperApps},
		"developer_new":       {get: showNewApp, post: makeApp},
		"developer_waiting":   {get: showWaiting, post: approve},
		"developer_tokens":    {get: showTokens, post: changeTokens},
		"developer_app":       {get: showDeveloperApp, post: switchApp},
		"developer_settings":  {get: showSettings, post: changeSettings},
		"developer_redirects": {get: showRedirects, post: tryRedirect},
		"developer_secrets":   {get: showSecrets, post: changeSecrets},
		"developer_errors":    {get: showErrors},
		"developer_delete":    {get: showDeleteApp, post: deleteApp},
		"developer_snippets":  {get: showSnippets},

		"playground":          {get: showPlayground, post: letIn},
		"playground_callback": {get: showPlaygroundCallback},

		"logout": {get: endSession, post: confirmEnd, entry: true},
	}
}

// Handlers are the pages' handlers by the path that each is mounted at, static files among them.
func (s *Set) Handlers() (map[string]gin.HandlerFunc, error) {
	known := actions()
	handlers := map[string]gin.HandlerFunc{s.base + staticPath + ":name": s.render.assets.serve}
	for _, r := range s.routes {
		a, ok := known[r.Page]
		if !ok {
			return nil, fmt.Errorf("the route %s is served by the page %s, which there is none of", r.Path, r.Page)
		}
		handlers[r.Path] = func(c *gin.Context) { s.serve(c, r, a) }
	}
	return handlers, nil
}
