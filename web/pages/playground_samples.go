package pages

// playgroundSamples are those of the playground: of an app that may do everything, of one that the playground is not let into, and of one
// that may do next to nothing.
func playgroundSamples() []page {
	head := ofApp{
		owned: owned{Back: "/account", Name: "Ada Lovelace", Login: "ada", Initial: "A", Action: "/developer/playground", Token: "sft_sample", Done: "Done."},
		Apps:  "/developer", App: appHead{ID: "bookshop", Name: "Bookshop", Initial: "B", Heading: "developer.kind.web", State: stateView{Heading: "developer.state.on"}},
		Sections: []section{{"/developer/playground?id=bookshop", "developer.playground", true}},
	}
	bad := head
	bad.Done, bad.Problem = "", "Wrong."
	form := func(id string) *playgroundForm {
		return &playgroundForm{id, "openid email", []string{"https://api.example"}}
	}
	const callback, settings = "https://id.example/developer/playground/callback", "/developer/app/settings?id=bookshop"
	return []page{
		playgroundPage{
			ofApp: head, Data: `{"client_id":"bookshop"}`, Proof: &proofField{"playground.secret", "playground.secret_text"}, Callback: callback, Inside: true,
			Settings: settings, Code: form("code"), RequirePAR: true, Refresh: &refreshing{"playground.refresh.strict", "60"}, Device: form("device"),
			Machine: form("machine"), Password: form("password"), Introspect: true, Commands: []string{"curl 'https://id.example'"},
		},
		playgroundPage{ofApp: bad, Data: "{}", Callback: callback, Settings: settings, Code: form("code")},
		playgroundPage{ofApp: head, Data: "{}", Callback: callback, Settings: settings},
		playgroundCallback{},
	}
}
