package provider

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

// TestTheSweepRemovesRegistrationsThatNobodyUsed: a day after they were made, and none of those that people made.
func TestTheSweepRemovesRegistrationsThatNobodyUsed(t *testing.T) {
	each(t, func(h *house) {
		made := map[string]string{}
		register := func(name string, origin storage.ClientOrigin) {
			a, err := h.nodes[0].Clients().Register(h.Context(), client.Newcomer{Origin: origin, Metadata: storage.ClientMetadata{
				RedirectURIs: []string{"https://app.example/cb"}, TokenEndpointAuthMethod: "none",
			}})
			h.must(err)
			made[name] = a.Client.ID
		}
		register("gone: software", storage.OriginSoftware)
		register("gone: a document", storage.OriginDocument)
		register("stays: a person's", storage.OriginPerson)
		register("stays: software that somebody uses", storage.OriginSoftware)
		h.must(h.store.CountUsage(h.Context(), []storage.ClientUsage{{ClientID: made["stays: software that somebody uses"], Tokens: 1}}))
		h.advance(time.Hour)
		register("stays: software that came an hour later", storage.OriginSoftware)
		h.advance(23*time.Hour + time.Minute)

		h.must((&grantWalk{p: h.nodes[0]}).sweep(h.Context()))
		for name, id := range made {
			_, _, err := h.store.FindClient(h.Context(), id)
			if want := strings.HasPrefix(name, "stays"); want != (err == nil) || err != nil && !errors.Is(err, storage.ErrNotFound) {
				h.Errorf("not so: %s: %v", name, err)
			}
		}
	})
}

// TestRegistrationIsOffUntilSomebodySaysOtherwise: what is unusable is named.
func TestRegistrationIsOffUntilSomebodySaysOtherwise(t *testing.T) {
	t.Parallel()
	if !(Registration{}).off() || (Registration{Mode: register.ModeToken}).off() {
		t.Error("the zero value lets somebody register, or a mode nobody")
	}
	wrong := Registration{Mode: "everybody", Unused: -1, Statements: []client.StatementIssuer{{}}}
	err := Config{Issuer: "https://id.example", Registration: wrong}.Validate()
	for _, setting := range []string{"Registration.Mode: must be off, token or open", "Registration.Unused: ", "Registration.Statements: issuers[0]"} {
		if err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%q is not in %v", setting, err)
		}
	}
}
