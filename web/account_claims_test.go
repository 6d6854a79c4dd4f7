package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// everyClaim is what a person may say of themselves (OpenID Connect Core §5.1), by the names of the form's fields.
func everyClaim() map[string]string {
	return map[string]string{
		"name": "Ada Lovelace", "given_name": "Ada", "middle_name": "King", "family_name": "Lovelace", "nickname": "آدا",
		"profile": "https://ada.example/me", "picture": "https://ada.example/me.jpg", "website": "https://ada.example", "gender": "female",
		"birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB", "phone_number": "+442079460000",
		"address.street_address": "12 St James's Square\nFirst floor", "address.locality": "London", "address.region": "Middlesex",
		"address.postal_code": "SW1Y 4JH", "address.country": "United Kingdom", "address.formatted": "12 St James's Square\nLondon",
	}
}

func TestAPersonSaysEveryStandardClaimOfThemselves(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		b := w.home("ada", "")
		b.at("/account/profile")
		action, values := b.fields("nickname", "")
		said := everyClaim()
		for name, value := range said {
			values.Set(name, strings.ReplaceAll(value, "\n", "\r\n")) // as browsers send lines
		}
		if p := b.send(action, values); !p.says("Your profile is saved") {
			t.Fatalf("saved: %s %d\n%s", p.url, p.status, p.raw)
		}
		claims := account.Claims(w.record(u).User, oauth.UserScopes())
		address, _ := claims["address"].(map[string]any)
		for name, want := range said {
			got := claims[name]
			if member, ok := strings.CutPrefix(name, "address."); ok {
				got = address[member]
			}
			if got != want {
				t.Errorf("%s is kept as %q", name, got)
			}
		}
		for _, name := range account.ClaimNames() { // and there is no other that is theirs to say
			switch name {
			case "preferred_username", "updated_at", "email", "email_verified", "phone_number_verified":
			default:
				if claims[name] == nil {
					t.Errorf("the profile has no field for %s", name)
				}
			}
		}
		p := b.at("/account/profile")
		for name, value := range said {
			if !p.says(`name="`+name+`"`) || !p.says(strings.ReplaceAll(strings.ReplaceAll(value, "'", "&#39;"), "+", "&#43;")) {
				t.Errorf("%s is not shown:\n%s", name, p.raw)
			}
		}
		told := strings.Count(w.kinds(u), "user.updated")
		b.send(action, values)
		if n := strings.Count(w.kinds(u), "user.updated"); n != told {
			t.Errorf("what stays as it is counts as %d changes", n-told)
		}
		for name := range said {
			values.Set(name, "")
		}
		b.send(action, values)
		if got := w.record(u).User; got.Profile != (storage.Profile{}) || got.Phone != "" || got.Email != u.Email {
			t.Errorf("taken away leaves %+v", got)
		}
	})
}

func TestAnotherNumberIsNotVerified(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		u.Phone, u.PhoneVerified = "+442079460000", true
		u, err := w.provider.People().Update(w.Context(), u, account.By{Actor: "test"})
		w.must(err)
		b := w.home("ada", "")
		if p := b.at("/account/profile"); !p.says("This number is verified.") {
			t.Errorf("it shows\n%s", p.raw)
		}
		b.submit("phone_number", "+44 (20) 7946-0000", "gender", "female") // the same one, as people write it
		if got := w.record(u).User; !got.PhoneVerified || got.Phone != u.Phone || got.Profile.Gender != "female" {
			t.Errorf("the same number is kept as %+v", got)
		}
		if p := b.submit("phone_number", "+442079460001"); !p.says("This number is not verified.") {
			t.Errorf("it shows\n%s", p.raw)
		}
		if got := w.record(u).User; got.PhoneVerified || got.Phone != "+442079460001" {
			t.Errorf("another number is kept as %+v", got)
		}
		b.submit("phone_number", "")
		if p := b.page; p.says("This number is") || w.record(u).User.Phone != "" {
			t.Errorf("no number shows\n%s", p.raw)
		}
	})
}

func TestWhatIsWrongWithAClaimIsSaidAtItsFieldAndNothingIsLost(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		b := w.home("ada", "")
		b.at("/account/profile")
		said := map[string][3]string{ // value, and what is said of it in English and in German
			"birthdate":        {"10.12.1815", "This is no date. Write it as in 1990-12-31.", "Das ist kein Datum."},
			"phone_number":     {"020 7946 0000", "Begin with + and the country code, as in", "Das ist keine internationale Nummer."},
			"website":          {"ada.example", "This is no web address. Write all of it, as in https://example.com.", "Das ist keine Webadresse."},
			"picture":          {"javascript:alert(1)", "as in https://example.com/me.jpg.", "Das ist keine Webadresse."},
			"profile":          {"https://ada.example/" + strings.Repeat("x", 2048), "This is too long: at most 2048 characters.", "höchstens 2048 Zeichen"},
			"zoneinfo":         {"Greenwich mean", "This is no time zone.", "Das ist keine Zeitzone."},
			"locale":           {"the Queen&#39;s", "This is no language.", "Das ist keine Sprache."},
			"gender":           {strings.Repeat("x", 257), "This is too long: at most 256 characters.", "höchstens 256 Zeichen"},
			"nickname":         {"a\u202eb", "There are characters in this that cannot be saved.", "nicht speichern lassen"},
			"address.locality": {strings.Repeat("x", 1025), "This is too long: at most 1024 characters.", "höchstens 1024 Zeichen"},
		}
		wrong := func(p page, language int) {
			t.Helper()
			if p.status != http.StatusUnprocessableEntity || strings.Count(p.raw, `aria-invalid="true"`) != len(said) || strings.Count(p.raw, " autofocus") != 1 {
				t.Errorf("%d with %d fields marked and %d in focus", p.status, strings.Count(p.raw, `aria-invalid="true"`), strings.Count(p.raw, " autofocus"))
			}
			for name, one := range said {
				_, after, _ := strings.Cut(p.raw, `<p class="wrong" id="problem-`+name+`">`)
				problem, _, _ := strings.Cut(after, "</p>")
				if !strings.Contains(strings.NewReplacer("\u2068", "", "\u2069", "", "&#43;", "+").Replace(problem), one[language]) {
					t.Errorf("of %s it says %q", name, problem)
				}
			}
			if !p.says(`value="Countess"`, `role="alert"`, "10.12.1815") {
				t.Errorf("something of the form is lost:\n%s", p.raw)
			}
		}
		action, values := b.fields("family_name", "Countess")
		for name, one := range said {
			values.Set(name, one[0])
		}
		wrong(b.send(action, values), 1)
		if got := w.record(u).User; got.Revision != u.Revision {
			t.Errorf("half of it is kept: %+v", got)
		}
		u.Profile.Locale = "de"
		u, err := w.provider.People().Update(w.Context(), u, account.By{Actor: "test"})
		w.must(err)
		wrong(b.send(action, values), 2)
		b.at("/account/profile")
		for name := range said { // one alone
			p := b.submit("family_name", "Countess", name, said[name][0])
			if strings.Count(p.raw, `<p class="wrong"`) != 1 || !p.says(`id="problem-`+name+`"`) {
				t.Errorf("%s is not what is marked:\n%s", name, p.raw)
			}
			b.at("/account/profile")
		}
	})
}

func TestADownloadOfOnesDataIsInTheLog(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		b := w.home("ada", "")
		b.visit("/account/data")
		if strings.Contains(w.kinds(u), "user.data_downloaded") {
			t.Error("to look at the page counts as a download")
		}
		b.submit()
		if n := strings.Count(w.kinds(u), "user.data_downloaded"); n != 1 {
			t.Errorf("%d downloads in the log", n)
		}
		if p := b.at("/account/events"); !p.says("Copy of all your data downloaded") {
			t.Errorf("the events do not tell:\n%s", p.raw)
		}
	})
}
