package main

import (
	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/developer"
)

// developers is the part of the settings that says who may have apps of their own.
func (s settings) developers() provider.Developers {
	return provider.Developers{Policy: developer.Policy(s.Developers), Apps: s.DeveloperApps.or(-1)}
}

// openToDevelopers lets whoever tries a server register applications in every way there is, but for what was given.
func (s *settings) openToDevelopers(given map[string]bool) {
	for variable, setting := range map[string]struct {
		is   *string
		open string
	}{
		"SIGNET_CLIENT_REGISTRATION": {&s.ClientRegistration, "open"},
		"SIGNET_CLIENT_ID_DOCUMENTS": {&s.ClientIDDocuments, "on"},
		"SIGNET_DEVELOPERS":          {&s.Developers, "on"},
	} {
		if !given[variable] {
			*setting.is = setting.open
		}
	}
}
