package developer

import (
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Trial is what became of a redirect URI that was tried.
type Trial struct {
	Matches bool
	Nearest string         // the registered one that is most alike, where none matches; "" where none is registered
	At      int            // the byte, from 0, at which the two part
	Part    oauth.PartedAt // what they part in
	Why     string         // the same as a sentence: constant text
}

// Try says whether the app's registration takes uri as a redirect URI, by the rule that the front door goes by, and why not.
func Try(c storage.Client, uri string) Trial {
	if _, ok := oauth.Match(c.Metadata.RedirectURIs, uri); ok {
		return Trial{Matches: true}
	}
	d := oauth.Differ(c.Metadata.RedirectURIs, uri)
	return Trial{Nearest: d.Nearest, At: d.At, Part: d.Part, Why: d.Part.Why()}
}
