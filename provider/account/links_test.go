package account

import (
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

const houseIssuer = "https://id.example.org"

// mintOf makes a mint with one handle key of the issuer's.
func mintOf(t *testing.T, issuer string) *handle.Mint {
	t.Helper()
	key, err := keys.NewHandleKey(1, []byte(strings.Repeat("k", 64)), issuer)
	if err != nil {
		t.Fatal(err)
	}
	return handle.New(oneKey{key})
}

type oneKey struct{ key keys.HandleKey }

func (k oneKey) Current() keys.HandleKey { return k.key }

func (k oneKey) HandleKey(number uint16) (keys.HandleKey, bool) { return k.key, number == k.key.Number }

// text is what a link brings along.
func text(link string) string { return link[strings.Index(link, "?link=")+len("?link="):] }

func TestLinksLeadToTheIssuerAloneAndLastHalfAnHour(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	for kind, path := range map[storage.TicketKind]string{
		storage.TicketSetup: "/setup", storage.TicketSignUp: "/signup", storage.TicketInvitation: "/signup", storage.TicketReset: "/recover",
		storage.TicketEmail: "/account/email",
	} {
		t1, err := h.store.IssueTicket(ctx, storage.Ticket{ID: newID(), Kind: kind}, 0, InvitationLifetime, storage.Also{})
		if err != nil {
			t.Fatal(err)
		}
		link, err := h.MailLink(ctx, t1.ID)
		if err != nil || !strings.HasPrefix(link, houseIssuer+path+"?link=sml_") {
			t.Fatalf("%s: %s, %v", kind, link, err)
		}
		if again, err := h.MailLink(ctx, t1.ID); err != nil || again != link {
			t.Errorf("%s: a mail that is sent again brings %s, %v", kind, again, err)
		}
		shown, err := h.LinkUntil(t1, t1.ExpiresAt)
		if err != nil {
			t.Fatal(err)
		}
		h.now.Add(30*60 - 1)
		if id, err := h.OpenLink(text(link)); err != nil || id != t1.ID {
			t.Errorf("%s in its last second: %v, %v", kind, id, err)
		}
		h.now.Add(1)
		_, err = h.OpenLink(text(link))
		is(t, "after half an hour", err, ErrLink)
		_, err = h.MailLink(ctx, t1.ID)
		is(t, "a mail that was late", err, ErrLink)
		if id, err := h.OpenLink(text(shown)); err != nil || id != t1.ID {
			t.Errorf("%s as a command shows it: %v, %v", kind, id, err)
		}
	}
	for _, kind := range []storage.TicketKind{storage.TicketRecovery, storage.TicketDeletion} {
		_, err := h.Link(storage.Ticket{ID: newID(), Kind: kind, ExpiresAt: h.time().Add(time.Hour)})
		is(t, string(kind), err, ErrLink)
	}
	_, err := h.MailLink(ctx, newID())
	is(t, "a ticket that never was", err, ErrLink)
}

func TestALinkLastsNoLongerThanItsTicket(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	t1, err := h.store.IssueTicket(t.Context(), storage.Ticket{ID: newID(), Kind: storage.TicketReset}, 0, time.Minute, storage.Also{})
	if err != nil {
		t.Fatal(err)
	}
	link, err := h.Link(t1)
	if err != nil {
		t.Fatal(err)
	}
	h.now.Add(60)
	_, err = h.OpenLink(text(link))
	is(t, "after its ticket", err, ErrLink)
}

func TestOnlyOurOwnLinksOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id, expires := newID(), h.time().Add(time.Minute)
	good := h.mint.Link(id, expires)
	if _, err := h.OpenLink(good); err != nil {
		t.Fatal(err)
	}
	sealed, err := h.mint.Seal("stx_", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"of another issuer": mintOf(t, "https://other.example").Link(id, expires), "empty": "", "the bare ticket": id.String(),
		"edited": good[:40] + flip(good[40:41]) + good[41:], "cut": good[:61], "longer": good + "A", "sealed for something else": sealed,
		"of another use": "stx_" + good[4:], "long": "sml_" + strings.Repeat("A", 1<<16),
	} {
		if good == text {
			t.Fatal("the edit changed nothing")
		}
		got, err := h.OpenLink(text)
		is(t, name, err, ErrLink)
		if !got.IsZero() {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func flip(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}
