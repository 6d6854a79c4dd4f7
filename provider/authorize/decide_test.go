package authorize

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// began is when the requests of these tests began, and it is a minute later now.
func began() time.Time { return time.Unix(1700000000, 0) }

func later() time.Time { return began().Add(time.Minute) }

// signedIn is a person's session whose password was proven so many seconds after the request began, and whose second factor, if any,
// after that.
func signedIn(n byte, at int, edit ...func(*browser.Account)) browser.Account {
	when := began().Add(time.Duration(at) * time.Second)
	a := browser.Account{
		Session: storage.Session{
			ID: storage.ID{n}, UserID: storage.ID{n}, PasswordAt: when, AuthTime: when, ACR: oauth.ACRPassword, AMR: []string{oauth.AMRPassword},
			CreatedAt: when, UsedAt: when, ExpiresAt: began().Add(time.Hour),
		},
		User: storage.User{ID: storage.ID{n}},
	}
	for _, e := range edit {
		e(&a)
	}
	return a
}

func hasFactor(a *browser.Account) { a.HasFactor = true }

func half(a *browser.Account) { a.HasFactor, a.Session.AuthTime, a.Session.ACR = true, time.Time{}, "" }

// bare is half a sign-in of who has no second factor.
func bare(a *browser.Account) { a.Session.AuthTime, a.Session.ACR = time.Time{}, "" }

func admin(a *browser.Account) { a.User.Admin = true }

func gaveFactor(at int) func(*browser.Account) {
	return func(a *browser.Account) {
		a.HasFactor, a.Session.ACR, a.Session.FactorAt = true, oauth.ACRMFA, began().Add(time.Duration(at)*time.Second)
	}
}

// again is a password that was proven anew in a session, whose second factor is awaited.
func again(at int) func(*browser.Account) {
	return func(a *browser.Account) {
		a.HasFactor, a.Session.PasswordAt = true, began().Add(time.Duration(at)*time.Second)
	}
}

// provenAgain is a password that was proven anew in a session of who has no second factor.
func provenAgain(at int) func(*browser.Account) {
	return func(a *browser.Account) { a.Session.PasswordAt = began().Add(time.Duration(at) * time.Second) }
}

func chose(at int) func(*browser.Account) {
	return func(a *browser.Account) { a.Session.ChosenAt = began().Add(time.Duration(at) * time.Second) }
}

func disabled(a *browser.Account) { a.User.DisabledAt = began() }

func ended(a *browser.Account) { a.Session.ExpiresAt = later() }

// gave is a consent to openid of the first person, given so many seconds after the request began.
func gave(at int, edit ...func(*storage.Consent)) storage.Consent {
	c := storage.Consent{UserID: storage.ID{1}, ClientID: "app", Scope: []string{"openid"}, GivenAt: began().Add(time.Duration(at) * time.Second)}
	for _, e := range edit {
		e(&c)
	}
	return c
}

func seconds(n int64) *int64 { return &n }

// guardedPage is a request for a page that changes proofs.
func guardedPage() Request {
	return Request{Kind: KindAccount, Page: AccountPassword, MaxAge: seconds(600), ACRValues: []string{oauth.ACRMFA}}
}

func TestTheNextStepFollowsFromTheRequestAndTheProofs(t *testing.T) {
	t.Parallel()
	type accounts = []browser.Account
	consented := gave(-100)
	const all, admins = account.SecondFactorAll, account.SecondFactorAdmins
	for name, c := range map[string]struct {
		request    Request
		firstParty bool
		strong     bool // the client requires a second factor
		remembered bool
		signUp     bool
		policy     account.SecondFactor
		accounts   accounts
		consent    storage.Consent
		want       string // step and person, or an error code
	}{
		"nobody is signed in":                     {want: "login 0"},
		"somebody is, and consented":              {accounts: accounts{signedIn(1, -9)}, consent: consented, want: "issue 1"},
		"somebody is, and consents":               {accounts: accounts{signedIn(1, -9)}, want: "consent 1"},
		"an application of the house":             {firstParty: true, accounts: accounts{signedIn(1, -9)}, want: "issue 1"},
		"another person's consent":                {accounts: accounts{signedIn(2, -9)}, consent: consented, want: "consent 2"},
		"more than was allowed":                   {request: Request{Scope: []string{"openid", "email"}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "consent 1"},
		"a claim that was not allowed":            {request: Request{Claims: &storage.RequestedClaims{UserInfo: []string{"email"}}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "consent 1"},
		"a resource that was not allowed":         {request: Request{Resources: []string{"https://api.example"}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "consent 1"},
		"who is disabled is nobody":               {accounts: accounts{signedIn(1, -9, disabled)}, consent: consented, want: "login 0"},
		"a session that ended is none":            {accounts: accounts{signedIn(1, -9, ended)}, consent: consented, want: "login 0"},
		"the current account goes first":          {accounts: accounts{signedIn(2, -9), signedIn(1, -5)}, want: "consent 2"},
		"half a sign-in wants its factor":         {accounts: accounts{signedIn(1, 5, half)}, consent: consented, want: "mfa 1"},
		"half a sign-in of this request":          {accounts: accounts{signedIn(2, 5, half), signedIn(1, -9)}, consent: consented, want: "mfa 2"},
		"half a sign-in of another request":       {accounts: accounts{signedIn(2, -5, half), signedIn(1, -9)}, consent: consented, want: "issue 1"},
		"half a sign-in, too old":                 {accounts: accounts{signedIn(1, -600, half)}, consent: consented, want: "login 0"},
		"prompt=login, nobody":                    {request: Request{Prompt: []string{"login"}}, want: "login 0"},
		"prompt=login, signed in before":          {request: Request{Prompt: []string{"login"}}, accounts: accounts{signedIn(1, -1)}, consent: consented, want: "login 1"},
		"prompt=login, signed in since":           {request: Request{Prompt: []string{"login"}}, accounts: accounts{signedIn(1, 0)}, consent: consented, want: "issue 1"},
		"prompt=login, password since":            {request: Request{Prompt: []string{"login"}}, accounts: accounts{signedIn(1, -9, again(5))}, consent: consented, want: "mfa 1"},
		"prompt=login, half before":               {request: Request{Prompt: []string{"login"}}, accounts: accounts{signedIn(1, -5, half)}, consent: consented, want: "login 1"},
		"prompt=login, a factor alone":            {request: Request{Prompt: []string{"login"}}, accounts: accounts{signedIn(1, -5, gaveFactor(5))}, consent: consented, want: "login 1"},
		"prompt=create is a sign-in":              {request: Request{Prompt: []string{"create"}}, accounts: accounts{signedIn(1, -1)}, consent: consented, want: "login 1"},
		"max_age=0 is prompt=login":               {request: Request{MaxAge: seconds(0)}, accounts: accounts{signedIn(1, -1)}, consent: consented, want: "login 1"},
		"max_age, young enough":                   {request: Request{MaxAge: seconds(90)}, accounts: accounts{signedIn(1, -30)}, consent: consented, want: "issue 1"},
		"max_age, too old":                        {request: Request{MaxAge: seconds(89)}, accounts: accounts{signedIn(1, -30)}, consent: consented, want: "login 1"},
		"max_age, made for this request":          {request: Request{MaxAge: seconds(1)}, accounts: accounts{signedIn(1, 2)}, consent: consented, want: "issue 1"},
		"prompt=select_account":                   {request: Request{Prompt: []string{"select_account"}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "login/choose 1"},
		"select_account, chosen before":           {request: Request{Prompt: []string{"select_account"}}, accounts: accounts{signedIn(1, -9, chose(-1))}, consent: consented, want: "login/choose 1"},
		"select_account, chosen since":            {request: Request{Prompt: []string{"select_account"}}, accounts: accounts{signedIn(1, -9, chose(1))}, consent: consented, want: "issue 1"},
		"select_account, just signed in":          {request: Request{Prompt: []string{"select_account"}}, accounts: accounts{signedIn(1, 3)}, consent: consented, want: "issue 1"},
		"select_account, signing in":              {request: Request{Prompt: []string{"select_account"}}, accounts: accounts{signedIn(1, 3, half), signedIn(2, -9)}, want: "mfa 1"},
		"select_account, nobody":                  {request: Request{Prompt: []string{"select_account"}}, want: "login 0"},
		"select_account and login":                {request: Request{Prompt: []string{"select_account", "login"}}, accounts: accounts{signedIn(1, -9, chose(1))}, consent: consented, want: "login 1"},
		"prompt=consent asks again":               {request: Request{Prompt: []string{"consent"}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "consent 1"},
		"prompt=consent, given since":             {request: Request{Prompt: []string{"consent"}}, accounts: accounts{signedIn(1, -9)}, consent: gave(3), want: "issue 1"},
		"prompt=consent of the house":             {request: Request{Prompt: []string{"consent"}}, firstParty: true, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "consent 1"},
		"a named person who is there":             {request: Request{Subject: storage.ID{1}.String()}, accounts: accounts{signedIn(2, -9), signedIn(1, -5)}, consent: consented, want: "issue 1"},
		"a named person who is not":               {request: Request{Subject: storage.ID{1}.String()}, accounts: accounts{signedIn(2, -9)}, want: "login 0"},
		"somebody else came":                      {request: Request{Subject: storage.ID{1}.String()}, accounts: accounts{signedIn(2, 9)}, want: "login_required"},
		"a factor is wished, and given":           {request: Request{ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9, gaveFactor(-8))}, consent: consented, want: "issue 1"},
		"a factor is wished, and missing":         {request: Request{ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "mfa 1"},
		"a factor is wished of who has none":      {request: Request{ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "issue 1"},
		"a password is wished first":              {request: Request{ACRValues: []string{oauth.ACRPassword, oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "issue 1"},
		"a factor is essential, and missing":      {request: Request{EssentialACR: true, ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "mfa 1"},
		"a factor is essential of who has none":   {request: Request{EssentialACR: true, ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "unmet_authentication_requirements"},
		"a factor or a password is essential":     {request: Request{EssentialACR: true, ACRValues: []string{oauth.ACRMFA, oauth.ACRPassword}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "issue 1"},
		"something unknown is essential":          {request: Request{EssentialACR: true}, want: "unmet_authentication_requirements"},
		"prompt=login wants its own factor":       {request: Request{Prompt: []string{"login"}, ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, 5, gaveFactor(-8))}, consent: consented, want: "mfa 1"},
		"prompt=none":                             {request: Request{Prompt: []string{"none"}}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "issue 1"},
		"prompt=none, nobody":                     {request: Request{Prompt: []string{"none"}}, want: "login_required"},
		"prompt=none, half":                       {request: Request{Prompt: []string{"none"}}, accounts: accounts{signedIn(1, 5, half)}, consent: consented, want: "login_required"},
		"prompt=none, half beside whole":          {request: Request{Prompt: []string{"none"}}, accounts: accounts{signedIn(2, 5, half), signedIn(1, -9)}, consent: consented, want: "issue 1"},
		"prompt=none, too old":                    {request: Request{Prompt: []string{"none"}, MaxAge: seconds(9)}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "login_required"},
		"prompt=none, max_age=0":                  {request: Request{Prompt: []string{"none"}, MaxAge: seconds(0)}, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "login_required"},
		"prompt=none, another person":             {request: Request{Prompt: []string{"none"}, Subject: storage.ID{1}.String()}, accounts: accounts{signedIn(2, -9)}, want: "login_required"},
		"prompt=none, no consent":                 {request: Request{Prompt: []string{"none"}}, accounts: accounts{signedIn(1, -9)}, want: "consent_required"},
		"prompt=none, a factor is wished":         {request: Request{Prompt: []string{"none"}, ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "issue 1"},
		"prompt=none, a factor is essential":      {request: Request{Prompt: []string{"none"}, EssentialACR: true, ACRValues: []string{oauth.ACRMFA}}, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "interaction_required"},
		"a device's person signs in":              {request: Request{Kind: KindDevice}, want: "login 0"},
		"an account page's person signs in":       {request: Request{Kind: KindAccount}, want: "login 0"},
		"an account page wants no consent":        {request: Request{Kind: KindAccount}, accounts: accounts{signedIn(1, -9)}, want: "account 1"},
		"an account page, guarded, just proven":   {request: guardedPage(), accounts: accounts{signedIn(1, -500)}, want: "account 1"},
		"an account page, guarded, an old proof":  {request: guardedPage(), accounts: accounts{signedIn(1, -541)}, want: "login 1"},
		"an account page, guarded, a factor":      {request: guardedPage(), accounts: accounts{signedIn(1, -9, gaveFactor(-8))}, want: "account 1"},
		"an account page, guarded, no factor":     {request: guardedPage(), accounts: accounts{signedIn(1, -9, hasFactor)}, want: "mfa 1"},
		"an account page, guarded, an old factor": {request: guardedPage(), accounts: accounts{signedIn(1, -9, gaveFactor(-541))}, want: "mfa 1"},
		"an account page, guarded, half":          {request: guardedPage(), accounts: accounts{signedIn(1, -700, again(5))}, want: "mfa 1"},

		"all must, half a sign-in":                   {policy: all, accounts: accounts{signedIn(1, 5, bare)}, consent: consented, want: "mfa/enrol 1"},
		"all must, half, of another request":         {policy: all, accounts: accounts{signedIn(1, -500, bare)}, consent: consented, want: "mfa/enrol 1"},
		"all must, half, too old":                    {policy: all, accounts: accounts{signedIn(1, -541, bare)}, consent: consented, want: "login 0"},
		"all must, half beside whole":                {policy: all, accounts: accounts{signedIn(2, -5, bare), signedIn(1, -9, gaveFactor(-8))}, consent: consented, want: "issue 1"},
		"nobody must any more, half a sign-in":       {accounts: accounts{signedIn(1, 5, bare)}, consent: consented, want: "login 0"},
		"all must, whole before they had to":         {policy: all, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "mfa/enrol 1"},
		"all must, an old session never enrols":      {policy: all, accounts: accounts{signedIn(1, -541)}, consent: consented, want: "login 1"},
		"all must, an old session, proven again":     {policy: all, accounts: accounts{signedIn(1, -5000, provenAgain(3))}, consent: consented, want: "mfa/enrol 1"},
		"all must, a factor was given":               {policy: all, accounts: accounts{signedIn(1, -9, gaveFactor(-8))}, consent: consented, want: "issue 1"},
		"all must, a factor was not given":           {policy: all, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "mfa 1"},
		"all must, the browser is remembered":        {policy: all, remembered: true, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "issue 1"},
		"all must, remembered and without factor":    {policy: all, remembered: true, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "mfa/enrol 1"},
		"all must, before consent":                   {policy: all, accounts: accounts{signedIn(1, 5, bare)}, want: "mfa/enrol 1"},
		"all must, prompt=none, half":                {request: Request{Prompt: []string{"none"}}, policy: all, accounts: accounts{signedIn(1, 5, bare)}, consent: consented, want: "login_required"},
		"all must, prompt=none, whole":               {request: Request{Prompt: []string{"none"}}, policy: all, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "interaction_required"},
		"all must, prompt=none, a factor is missing": {request: Request{Prompt: []string{"none"}}, policy: all, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "interaction_required"},
		"all must, a factor is essential":            {request: Request{EssentialACR: true, ACRValues: []string{oauth.ACRMFA}}, policy: all, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "mfa/enrol 1"},
		"all must, a device":                         {request: Request{Kind: KindDevice}, policy: all, accounts: accounts{signedIn(1, 5, bare)}, want: "mfa/enrol 1"},
		"all must, an account page":                  {request: Request{Kind: KindAccount}, policy: all, accounts: accounts{signedIn(1, 5, bare)}, want: "mfa/enrol 1"},
		"all must, an account page, whole":           {request: Request{Kind: KindAccount}, policy: all, accounts: accounts{signedIn(1, -9)}, want: "mfa/enrol 1"},
		"all must, a guarded page, whole":            {request: guardedPage(), policy: all, accounts: accounts{signedIn(1, -9)}, want: "mfa/enrol 1"},
		"all must, a guarded page, remembered":       {request: guardedPage(), policy: all, remembered: true, accounts: accounts{signedIn(1, -9, hasFactor)}, want: "mfa 1"},
		"all must, who is disabled is nobody":        {policy: all, accounts: accounts{signedIn(1, 5, bare, disabled)}, want: "login 0"},
		"all must, prompt=login, half before":        {request: Request{Prompt: []string{"login"}}, policy: all, accounts: accounts{signedIn(1, -5, bare)}, consent: consented, want: "login 1"},
		"all must, prompt=login, half since":         {request: Request{Prompt: []string{"login"}}, policy: all, accounts: accounts{signedIn(1, 5, bare)}, consent: consented, want: "mfa/enrol 1"},
		"all must, select_account, half before":      {request: Request{Prompt: []string{"select_account"}}, policy: all, accounts: accounts{signedIn(1, -5, bare)}, consent: consented, want: "login 1"},
		"administrators must, one":                   {policy: admins, accounts: accounts{signedIn(1, -9, admin)}, consent: consented, want: "mfa/enrol 1"},
		"administrators must, another":               {policy: admins, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "issue 1"},
		"the client's wish, no factor":               {strong: true, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "mfa/enrol 1"},
		"the client's wish, no factor, an old proof": {strong: true, accounts: accounts{signedIn(1, -541)}, consent: consented, want: "login 1"},
		"the client's wish, a factor missing":        {strong: true, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "mfa 1"},
		"the client's wish, remembered":              {strong: true, policy: all, remembered: true, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "mfa 1"},
		"the client's wish, given long ago":          {strong: true, accounts: accounts{signedIn(1, -5000, gaveFactor(-4000))}, consent: consented, want: "issue 1"},
		"the client's wish, of the house":            {strong: true, firstParty: true, accounts: accounts{signedIn(1, -9)}, want: "mfa/enrol 1"},
		"the client's wish and a lesser class":       {request: Request{ACRValues: []string{oauth.ACRPassword}}, strong: true, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "mfa 1"},
		"the client's wish, prompt=none, no factor":  {request: Request{Prompt: []string{"none"}}, strong: true, accounts: accounts{signedIn(1, -9)}, consent: consented, want: "interaction_required"},
		"the client's wish, prompt=none, old proof":  {request: Request{Prompt: []string{"none"}}, strong: true, accounts: accounts{signedIn(1, -541)}, consent: consented, want: "login_required"},
		"the client's wish, prompt=none, missing":    {request: Request{Prompt: []string{"none"}}, strong: true, accounts: accounts{signedIn(1, -9, hasFactor)}, consent: consented, want: "interaction_required"},
		"the device's client's wish":                 {request: Request{Kind: KindDevice, Strong: true}, accounts: accounts{signedIn(1, -9)}, want: "mfa/enrol 1"},
		"the device's client's wish, a factor":       {request: Request{Kind: KindDevice, Strong: true}, accounts: accounts{signedIn(1, -9, hasFactor)}, want: "mfa 1"},
		"sign-up is on, prompt=create, nobody":       {request: Request{Prompt: []string{"create"}}, signUp: true, want: "signup 0"},
		"sign-up is on, prompt=create, before":       {request: Request{Prompt: []string{"create"}}, signUp: true, accounts: accounts{signedIn(1, -1)}, consent: consented, want: "signup 1"},
		"sign-up is on, prompt=create, since":        {request: Request{Prompt: []string{"create"}}, signUp: true, accounts: accounts{signedIn(1, 1)}, consent: consented, want: "issue 1"},
		"sign-up is on, prompt=create, half":         {request: Request{Prompt: []string{"create"}}, signUp: true, accounts: accounts{signedIn(1, 1, half)}, consent: consented, want: "mfa 1"},
		"sign-up is on, prompt=create, must enrol":   {request: Request{Prompt: []string{"create"}}, signUp: true, policy: all, accounts: accounts{signedIn(1, 1, bare)}, consent: consented, want: "mfa/enrol 1"},
		"sign-up is on, nobody asks for it":          {signUp: true, want: "login 0"},
		"sign-up is on, create and select_account":   {request: Request{Prompt: []string{"create", "select_account"}}, signUp: true, accounts: accounts{signedIn(1, -1)}, consent: consented, want: "login/choose 1"},
		"sign-up is on, create, chosen since":        {request: Request{Prompt: []string{"create", "select_account"}}, signUp: true, accounts: accounts{signedIn(1, -1, chose(1))}, consent: consented, want: "signup 1"},
		"a device's person is asked at the device":   {request: Request{Kind: KindDevice}, accounts: accounts{signedIn(1, -9)}, want: "device 1"},
	} {
		r := c.request
		r.StartedAt = began()
		if r.Kind == "" {
			r.Kind = KindAuthorize
		}
		if r.Scope == nil {
			r.Scope = []string{"openid"}
		}
		app := storage.Client{ID: "app", Metadata: storage.ClientMetadata{FirstParty: c.firstParty, RequireSecondFactor: c.strong}}
		step, whom, fault := decide(r, standing{
			client: app, accounts: c.accounts, consent: c.consent, must: c.policy.Asks, subject: plainly, remembered: c.remembered, signUp: c.signUp, now: later(),
		})
		got := ""
		if fault != nil {
			got = string(fault.Code)
		} else {
			var n byte
			if whom != nil {
				n = whom.User.ID[0]
			}
			got = fmt.Sprintf("%s %d", step, n)
		}
		check(t, got == c.want, "%s: %q, want %q", name, got, c.want)
	}
}

// plainly is how a client with public subjects knows a person.
func plainly(u storage.User) string { return u.ID.String() }
