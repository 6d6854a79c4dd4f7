package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/developer"
)

func TestTheSettingsOfDevelopersAreChecked(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "signet.db")
	for pair, want := range map[string]string{
		"SIGNET_DEVELOPERS=everybody": "SIGNET_DEVELOPERS must be off, admins, approval or on",
		"SIGNET_DEVELOPERS=approval":  "",
		"SIGNET_DEVELOPER_APPS=0":     "SIGNET_DEVELOPER_APPS must be between 1 and 1000",
		"SIGNET_DEVELOPER_APPS=1001":  "SIGNET_DEVELOPER_APPS must be between 1 and 1000",
		"SIGNET_DEVELOPER_APPS=1":     "",
	} {
		code, _, stderr := typed(t, database, []string{pair}, "client", "list")
		if want == "" && code != 0 || want != "" && (code != exitConfig || !strings.Contains(stderr, want)) {
			t.Errorf("%s: exit %d, %s", pair, code, stderr)
		}
	}
	if got, want := defaultSettings().developers(), (provider.Developers{Policy: developer.PolicyAdmins, Apps: developer.DefaultApps}); got != want {
		t.Errorf("by default %+v, want %+v", got, want)
	}
}

// TestASignetThatIsTriedIsOpenToDevelopers, but for what was set.
func TestASignetThatIsTriedIsOpenToDevelopers(t *testing.T) {
	t.Parallel()
	s := defaultSettings()
	s.openToDevelopers(map[string]bool{"SIGNET_CLIENT_ID_DOCUMENTS": true})
	if s.ClientRegistration != "open" || s.Developers != "on" || s.ClientIDDocuments != "off" {
		t.Errorf("it has %q %q %q", s.ClientRegistration, s.Developers, s.ClientIDDocuments)
	}
}
