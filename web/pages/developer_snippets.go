package pages

import (
	"errors"
	"net/http"
	"strings"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/developer"
)

// developerSnippets shows a snippet for an app, and leads to the others.
type developerSnippets struct {
	ofApp
	List    []snippetLink
	Snippet *snippetView // nil: there is none for this app
}

func (developerSnippets) template() string { return "developer_snippets" }

// snippetLink leads to a snippet.
type snippetLink struct {
	Address, Name string
	Here          bool
}

// snippetView is a snippet with the app's values.
type snippetView struct {
	ID, Name, Class string
	Tested          bool
	Secrets         string // address of the page with the secrets; "" where the snippet reads none
	Needs           string // the redirect URI that is to be registered first; ""
	Settings        string // address of the page that registers it
	Install         string // ""
	Files           []snippetFile
	Run             string
}

// snippetFile is a file to save.
type snippetFile struct{ Name, Code string }

func showSnippets(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperSnippets)
	if p == nil || err != nil {
		return err
	}
	page := developerSnippets{}
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperSnippets); err != nil {
		return err
	}
	if err := x.fillSnippets(&page, app, x.params.Get("with")); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// fillSnippets lists the snippets for the app, and shows the one that is asked for, else the first.
func (x *exchange) fillSnippets(page *developerSnippets, app developer.App, with string) error {
	v := x.snippetValues(app.Client)
	var first *snippetView
	for _, s := range snippets() {
		if !s.Fits(v) {
			continue
		}
		sections, err := x.snippets.write(s, v)
		if errors.Is(err, errUnwritable) {
			continue
		}
		if err != nil {
			return err
		}
		page.List = append(page.List, snippetLink{x.appAddress(authorize.DeveloperSnippets, app.Client.ID) + "&with=" + s.ID, s.Name, s.ID == with})
		if first == nil || s.ID == with {
			first = x.snippetView(s, v, app, sections)
		}
	}
	page.Snippet = first
	if first != nil && first.ID != with {
		page.List[0].Here = true
	}
	return nil
}

func (x *exchange) snippetView(s snippet, v appValues, app developer.App, sections []written) *snippetView {
	id := app.Client.ID
	view := &snippetView{ID: s.ID, Name: s.Name, Class: "lang-" + s.Language, Tested: s.Tested}
	if s.Needs != nil && !developer.Try(app.Client, s.Needs(v)).Matches {
		view.Needs, view.Settings = s.Needs(v), x.appAddress(authorize.DeveloperSettings, id)
	}
	for _, section := range sections {
		if strings.Contains(section.text, "SIGNET_CLIENT_SECRET") {
			view.Secrets = x.appAddress(authorize.DeveloperSecrets, id)
		}
		switch name, isFile := strings.CutPrefix(section.name, "file "); {
		case isFile:
			view.Files = append(view.Files, snippetFile{name, section.text})
		case name == "install":
			view.Install = section.text
		default:
			view.Run = section.text
		}
	}
	return view
}

// snippetSamples are those of the page with snippets, for the app of head.
func snippetSamples(head ofApp) []page {
	links := []snippetLink{{"/developer/app/snippets?id=bookshop&with=curl", "curl", true}, {"/developer/app/snippets?id=bookshop&with=go", "Go", false}}
	return []page{
		developerSnippets{ofApp: head, List: links, Snippet: &snippetView{
			ID: "curl", Name: "curl", Class: "lang-bash", Tested: true, Files: []snippetFile{{"login.sh", "curl https://id.example/"}}, Run: "bash login.sh",
		}},
		developerSnippets{ofApp: head, List: links, Snippet: &snippetView{
			ID: "next", Name: "Next.js", Class: "lang-javascript", Secrets: "/developer/app/secrets?id=bookshop", Needs: "https://shop.example/cb",
			Settings: "/developer/app/settings?id=bookshop", Install: "npm install", Files: []snippetFile{{"a.js", "a()"}, {"b.js", "b()"}}, Run: "node a.js",
		}},
		developerSnippets{ofApp: head},
	}
}
