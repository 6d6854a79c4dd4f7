package authorize

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/oauth"
)

func TestAResponseTravelsAsItsModeSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const state = "a b+c&d=e%/?#\"<>é-._~"
	target, _ := oauth.Match([]string{callback}, callback)
	for mode, want := range map[string]struct{ before, separator string }{
		oauth.ModeQuery: {callback, "&"}, oauth.ModeFragment: {callback, "#"}, oauth.ModeFormPost: {"", ""},
	} {
		p := &Passage{Target: target, Request: Request{ResponseMode: mode, State: state}}
		r := w.answer(p, [2]string{"code", "x"})
		fields := [][2]string{{"code", "x"}, {"state", state}, {"iss", issuer}}
		check(t, r.Mode() == mode && r.Action() == callback && r.Origin() == "https://app.example" && slices.Equal(r.Fields(), fields), "%s: %+v", mode, r)
		location := r.Location()
		if mode == oauth.ModeFormPost {
			check(t, location == "", "form_post has the location %q", location)
			continue
		}
		encoded, ok := strings.CutPrefix(location, want.before+want.separator)
		values, err := url.ParseQuery(encoded)
		must(t, err)
		check(t, ok && values.Get("state") == state && values.Get("iss") == issuer && values.Get("code") == "x" && len(values) == 3 &&
			!strings.Contains(encoded, "+"), "%s: %s", mode, location)
		u, err := url.Parse(location)
		must(t, err)
		check(t, u.Query().Get("keep") == "1" && (mode == oauth.ModeQuery || len(u.Query()) == 1), "%s: %s", mode, location)
	}
}

func TestNothingIsReturnedWithoutATarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.returnError(&Passage{}, oauth.Errorf(oauth.InvalidScope, "no"))
	check(t, refused(t, err, HeadingInvalid).Code == oauth.InvalidScope, "%v", err)
	v := w.browser().visit(t)
	_, err = w.Deny(t.Context(), v, &Passage{})
	refused(t, err, HeadingInvalid)
	answer, err := w.Issue(t.Context(), v, &Passage{Step: StepIssue})
	check(t, answer == nil && err != nil, "a code for nobody: %v", err)
}
