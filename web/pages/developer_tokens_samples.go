package pages

// tokenSamples are those of the pages about initial access tokens.
func tokenSamples() []page {
	ada := owned{
		Back: "/account", Name: "Ada Lovelace", Login: "ada", Initial: "A", Change: "/login/choose?tx=stx_sample", Action: "/developer/tokens",
		Token: "sft_sample", Done: "Done.",
	}
	wrong, at := ada, sampleMoment()
	wrong.Done, wrong.Problem = "", "Wrong."
	rows := []tokenRow{
		{ID: "0192", Name: "Partner A", Good: true, Heading: "tokens.state.good", Uses: "1", Limit: "2", GrantTypes: []string{"client_credentials"}, Scope: "reports:read", Maker: "ada", Made: at, Ends: at},
		{ID: "0193", Name: "CI", Heading: "tokens.state.revoked", Uses: "0", Made: at, Revoked: at},
	}
	fields := []memberField{
		{Name: tokenName, Text: "tokens.member.name", Heading: "tokens.member.name_hint", Plain: true, Must: true, Problem: &byline{Text: "Wrong."}, First: true},
		{Name: "expires", Text: "tokens.member.expires", Choices: []memberChoice{{"7", "developer.period.week", true}}},
		{Name: "grant_types", Text: "tokens.member.grant_types", Heading: "tokens.member.grant_types_hint", Checks: []memberCheck{{"grant_password", "tokens.grant.password", true}}},
	}
	return []page{
		developerApps{owned: ada, Tokens: "/developer/tokens"},
		developerWaiting{owned: ada, Apps: "/developer", Tokens: "/developer/tokens"},
		developerTokens{owned: ada, Apps: "/developer", Tokens: rows, More: "/developer/tokens?after=0193", Fields: fields},
		developerTokens{owned: wrong, Apps: "/developer", Fields: fields[:1]},
		developerToken{owned: ada, Apps: "/developer", Tokens: "/developer/tokens", Secret: "sit_sample", Command: "curl"},
	}
}
