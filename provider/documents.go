package provider

import (
	"slices"

	"github.com/signet-idp/signet/provider/client"
)

// documentProblems says what is wrong with whose client id documents are read.
func documentProblems(p client.DocumentPolicy, bad func(setting, format string, args ...any)) {
	wrong := func(host string) bool { return client.CheckDocumentHost(host) != nil }
	if slices.ContainsFunc(p.Allow, wrong) {
		bad("Documents.Allow", "%v", client.ErrDocumentHost)
	}
	if slices.ContainsFunc(p.Deny, wrong) {
		bad("Documents.Deny", "%v", client.ErrDocumentHost)
	}
}
