package pages

import (
	"encoding/json"
	"time"

	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

// developerSamples are those of the pages about people's apps.
func developerSamples() []page {
	ada := owned{
		Back: "/account", Name: "Ada Lovelace", Login: "ada", Initial: "A", Change: "/login/choose?tx=stx_sample", Action: "/developer/app",
		Token: "sft_sample", Done: "Done.",
	}
	wrong := ada
	wrong.Done, wrong.Problem = "", "Wrong."
	at, list := sampleMoment(), "/developer"
	on, off := stateView{Heading: "developer.state.on"}, stateView{"developer.state.operator", "developer.state.operator_text"}
	head := ofApp{owned: ada, Apps: list, App: appHead{ID: "bookshop", Name: "Bookshop", Initial: "B", Heading: "developer.kind.web", State: on}}
	head.Sections = []section{{"/developer/app?id=bookshop", "developer.app.title", true}, {"/developer/app/settings?id=bookshop", "developer.settings.title", false}}
	bad := head
	bad.owned, bad.App.Owner, bad.App.State = wrong, "grace", off
	rows := []appRow{
		{"bookshop", "/developer/app?id=bookshop", "Bookshop", "B", "developer.kind.web", "", on, at, at, []string{"shop.example"}},
		{ID: "other", Address: "/developer/app?id=other", Name: "Other", Initial: "O", Heading: "developer.kind.machine", Owner: "grace", State: off, Made: at},
	}
	kinds := []kindCard{{"/developer/new?kind=web", "developer.kind.web", "developer.kind.web_about"}}
	values := []valueView{{"developer.value.client_id", "bookshop"}}
	errors := []errorView{errorSample(), {ID: "SAMPLE", At: at, Endpoint: "token", Code: "invalid_client", Description: "The secret is wrong."}}
	days := make([]dayView, usageDays)
	for i := range days {
		days[i] = dayView{"2026-11-22", 1000, 10000, 100}
	}
	filled, failed := settingsSample(false), settingsSample(true)
	web := developer.Defaults(developer.KindWeb)
	periods := overlaps()
	return append(snippetSamples(head),
		developerApps{owned: ada, Apps: rows, Kinds: kinds, Waiting: "/developer/waiting"},
		developerApps{owned: wrong, Full: "Full."},
		developerWaiting{owned: ada, Apps: list, List: rows},
		developerWaiting{owned: ada, Apps: list},
		developerNew{owned: ada, Apps: list, Kinds: kinds},
		developerNew{
			owned: wrong, Apps: list, Kind: "web", Heading: "developer.kind.web", Text: "developer.kind.web_about", Groups: newGroups(developer.KindWeb, web),
			Defaults: defaultsOf(web),
		},
		developerSecret{ofApp: head, Values: values, Secret: "scs_sample", New: true, Next: head.Sections},
		developerSecret{ofApp: bad, Values: values, Secret: "scs_sample"},
		developerApp{ofApp: head, Values: values, Figures: figuresSample(), Days: days, Errors: errors, More: "/developer/app/errors?id=bookshop", Delete: "/developer/app/delete?id=bookshop", Off: true},
		developerApp{ofApp: bad, Values: values, Figures: figuresSample(), Delete: "/developer/app/delete?id=bookshop", On: true},
		developerSettings{ofApp: head, Revision: 2, Groups: filled},
		developerSettings{ofApp: bad, Revision: 2, Groups: failed},
		developerRedirects{ofApp: head, Settings: "/developer/app/settings?id=bookshop", Registered: []string{"https://shop.example/cb"}},
		developerRedirects{ofApp: bad, Settings: "/developer/app/settings?id=bookshop", URI: "https://shop.example/cb", Trial: &trialView{Matches: true, Heading: "developer.redirects.matches"}},
		developerRedirects{ofApp: head, Settings: "/developer/app/settings?id=bookshop", URI: "https://shop.example/", Trial: &trialView{
			Heading: "developer.parted.path", Tried: &compared{"https://shop.example/", "other"}, Nearest: &compared{"https://shop.example/", "cb"},
		}},
		developerSecrets{
			ofApp: head, Secrets: []secretView{{"2026-11-22T12:00:00Z", at, at, at}, {Name: "2026-11-21T12:00:00Z", Made: at}}, Overlaps: periods, Lifetimes: periods,
		},
		developerSecrets{ofApp: bad, Overlaps: periods, Lifetimes: periods},
		developerSecrets{ofApp: head, None: true},
		developerErrors{ofApp: head, Errors: errors, Older: "/developer/app/errors?id=bookshop&before=SAMPLE"},
		developerErrors{ofApp: head},
		developerDelete{head},
		developerDelete{bad},
	)
}

func errorSample() errorView {
	return errorView{
		ID: "SAMPLE", At: sampleMoment(), Endpoint: "authorize", Grant: "authorization_code", Code: "invalid_request", Description: "redirect_uri is not registered",
		Cause: "The hosts differ.", Token: "rotated", Received: &compared{"https://shop.example/", "other"}, Registered: &compared{"https://shop.example/", "cb"},
		Facts: []factView{{"at", "21"}}, Agent: "Firefox, Linux", Address: "192.0.2.1",
	}
}

func figuresSample() []figure {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var each [usageDays]int64
	for i := range each {
		each[i] = int64(i)
	}
	return []figure{
		{"developer.usage.sign_ins", 435, "0 0 120 24", bars(each[:], usageDays), "Most on " + now.Format(time.DateOnly)},
		{"developer.usage.tokens", 0, "0 0 120 24", bars(make([]int64, usageDays), 0), "Nothing"},
	}
}

// settingsSample is a form with a value in every field, and where it failed a problem, too.
func settingsSample(failed bool) []memberGroup {
	groups := settingGroups()
	fill(groups, storage.ClientMetadata{
		Name: "Bookshop", RedirectURIs: []string{"https://shop.example/cb"}, JWKS: json.RawMessage(`{"keys":[]}`), TokenEndpointAuthMethod: "other",
		AccessTokenLifetime: 900, GrantTypes: []string{"authorization_code"},
	})
	for g := range groups {
		groups[g].Open = failed
		for i := range groups[g].Fields {
			f := &groups[g].Fields[i]
			if failed && g < 2 {
				f.Problem, f.First = &byline{i, "Wrong."}, i == 0
			}
			if f.Value == "" && f.Choices == nil {
				f.Value = "Value"
			}
		}
	}
	return groups
}
