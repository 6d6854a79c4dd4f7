package token

import (
	"slices"
	"testing"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// TestRefreshReachesNoWithdrawnResource: a resource that was taken from the client's registration is in no token that is
// refreshed afterwards, whether it is asked for or not.
func TestRefreshReachesNoWithdrawnResource(t *testing.T) {
	t.Parallel()
	const issuer, kept, gone = "https://id.example", "https://kept.example", "https://gone.example"
	e := &Endpoint{IssuerURL: issuer}
	for _, c := range []struct {
		name       string
		granted    []string
		registered []string
		form       string
		want       []string // nil: invalid_target
	}{
		{"all are registered", []string{kept, gone}, []string{kept, gone}, "", []string{kept, gone}},
		{"one was withdrawn", []string{kept, gone}, []string{kept}, "", []string{kept}},
		{"it is asked for", []string{kept, gone}, []string{kept}, "resource=" + gone, nil},
		{"the other is asked for", []string{kept, gone}, []string{kept}, "resource=" + kept, []string{kept}},
		{"it was the only one", []string{gone}, nil, "", nil},
		{"the issuer needs no registration", []string{gone, issuer}, nil, "", []string{issuer}},
		{"another is registered instead", []string{gone}, []string{kept}, "resource=" + kept, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			params, err := oauth.ParseParams(c.form)
			if err != nil {
				t.Fatal(err)
			}
			q := &request{params: params, caller: client.Caller{Client: storage.Client{
				Metadata: storage.ClientMetadata{Scope: "a", Resources: c.registered},
			}}}
			_, audience, err := e.narrowed(q, client.Registered(q.caller.Client.Metadata, issuer), storage.Grant{Scope: []string{"a"}, Audience: c.granted}, "")
			if refused := oauth.As(err); c.want == nil && (refused == nil || refused.Code != oauth.InvalidTarget) {
				t.Fatalf("audience %v, error %v, want invalid_target", audience, err)
			}
			if c.want != nil && (err != nil || !slices.Equal(audience, c.want)) {
				t.Fatalf("audience %v, error %v, want %v", audience, err, c.want)
			}
		})
	}
}
