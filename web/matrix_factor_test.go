package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
)

// fullWidth spells a code in other digits than ASCII's.
func fullWidth(code string) string {
	return strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
}

func TestACodeIsReadHoweverAnAppShowsItAndOtherwiseRefused(t *testing.T) {
	each(t, func(w *world) {
		seed, _ := w.enrol(w.user("grace"))
		c := w.confidential()
		at := func(d time.Duration) string {
			code, err := account.OneTimeCode(seed, w.clock.Now().Add(d))
			w.must(err)
			return code
		}
		for _, v := range []struct {
			name  string
			spell func() string
			good  bool
		}{
			{"plain", func() string { return at(0) }, true},
			{"space before", func() string { return " " + at(0) }, true},
			{"space after", func() string { return at(0) + " " }, true},
			{"grouped", func() string { return at(0)[:3] + " " + at(0)[3:] }, true},
			{"hyphenated", func() string { return at(0)[:3] + "-" + at(0)[3:] }, true},
			{"full-width digits", func() string { return fullWidth(at(0)) }, false},
			{"five digits", func() string { return at(0)[:5] }, false},
			{"seven digits", func() string { return at(0) + "0" }, false},
			{"a zero before", func() string { return "0" + at(0) }, false},
			{"a sign", func() string { return "+" + at(0) }, false},
			{"a line break", func() string { return at(0) + "\n" }, false},
			{"NUL", func() string { return at(0) + "\x00" }, false},
			{"hexadecimal", func() string { return "0x" + at(0) }, false},
			{"many spaces", func() string { return strings.Repeat(" ", 40) + at(0) }, false},
			{"two codes", func() string { return at(-30*time.Second) + at(0) }, false},
			{"the step before", func() string { return at(-30 * time.Second) }, true},
			{"the step after", func() string { return at(30 * time.Second) }, true},
			{"two steps before", func() string { return at(-60 * time.Second) }, false},
			{"two steps after", func() string { return at(60 * time.Second) }, false},
			{"letters", func() string { return "abcdef" }, false},
		} {
			w.clock.Advance(2 * time.Minute)
			code := v.spell()
			in := w.token(c, "grant_type", "password", "username", "grace", "password", password, "otp", code)
			by := w.redeem(c, w.half(c, "grace"), code)
			if !v.good {
				w.want(by, http.StatusBadRequest, "invalid_grant")
				w.want(in, http.StatusBadRequest, "invalid_grant")
				continue
			}
			if in.status != http.StatusOK {
				t.Errorf("%s: %d %s", v.name, in.status, in.raw)
			}
			if by.text("error") != "invalid_grant" {
				t.Errorf("%s, a second time: %d %s", v.name, by.status, by.raw)
			}
		}
	})
}

func TestAStepServesOnceAndNoneBeforeItAfterwards(t *testing.T) {
	each(t, func(w *world) {
		seed, _ := w.enrol(w.user("grace"))
		c := w.confidential()
		w.clock.Advance(10 * time.Minute)
		now := w.clock.Now()
		at := func(steps int) string {
			code, err := account.OneTimeCode(seed, now.Add(time.Duration(steps)*30*time.Second))
			w.must(err)
			return code
		}
		w.want(w.redeem(c, w.half(c, "grace"), at(1)), http.StatusOK, "")
		for _, steps := range []int{1, 0, -1} {
			w.want(w.redeem(c, w.half(c, "grace"), at(steps)), http.StatusBadRequest, "invalid_grant")
		}
		w.clock.Advance(-25 * time.Second) // a clock that was set back makes nothing good again
		w.want(w.redeem(c, w.half(c, "grace"), at(-1)), http.StatusBadRequest, "invalid_grant")
		w.clock.Advance(3 * time.Minute)
		w.want(w.redeem(c, w.half(c, "grace"), at(4)), http.StatusOK, "")
	})
}

// oneWon asserts that one of many at once got tokens, and the others nothing but a clear no.
func (w *world) oneWon(what string, answers []answer) {
	w.Helper()
	won := 0
	for _, a := range answers {
		switch {
		case a.status == http.StatusOK:
			won++
		case a.status == http.StatusBadRequest && a.text("error") == "invalid_grant":
		case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
			if a.header.Get("Retry-After") == "" {
				w.Errorf("%s: %d without Retry-After", what, a.status)
			}
		default:
			w.Errorf("%s: %d %s", what, a.status, a.raw)
		}
		if a.status != http.StatusOK && a.refresh() != "" {
			w.Errorf("%s: a token beside %d", what, a.status)
		}
	}
	if won != 1 {
		w.Errorf("%s: %d of %d succeeded, want one", what, won, len(answers))
	}
}

func TestAOneTimeProofServesOneOfManyAtOnce(t *testing.T) {
	const many = 32
	each(t, func(w *world) {
		seed, recovery := w.enrol(w.user("grace"))
		c := w.confidential()
		code := w.code(seed)
		w.oneWon("one code, beside the password", atOnce(many, func(int) answer {
			return w.token(c, "grant_type", "password", "username", "grace", "password", password, "otp", code)
		}))
		w.clock.Advance(10 * time.Minute)
		code = w.code(seed)
		mfaToken := w.half(c, "grace")
		w.oneWon("one code at one mfa_token", atOnce(many, func(int) answer { return w.redeem(c, mfaToken, code) }))

		w.clock.Advance(10 * time.Minute)
		code = w.code(seed)
		halves := make([]string, many)
		for i := range halves {
			halves[i] = w.half(c, "grace")
		}
		w.oneWon("one code at many mfa_tokens", atOnce(many, func(i int) answer { return w.redeem(c, halves[i], code) }))

		w.clock.Advance(10 * time.Minute)
		for i := range halves {
			halves[i] = w.half(c, "grace")
		}
		w.oneWon("one recovery code", atOnce(many, func(i int) answer {
			return w.token(c, "grant_type", mfaGrant, "mfa_token", halves[i], "recovery_code", recovery[0])
		}))
		w.clock.Advance(10 * time.Minute)
		again := w.token(c, "grant_type", mfaGrant, "mfa_token", w.half(c, "grace"), "recovery_code", recovery[0])
		w.want(again, http.StatusBadRequest, "invalid_grant")
		spelt := strings.ToUpper(strings.ReplaceAll(recovery[1], "-", " "))
		w.want(w.token(c, "grant_type", mfaGrant, "mfa_token", w.half(c, "grace"), "recovery_code", spelt), http.StatusOK, "")
	})
}

func TestAnMFATokenAllowsFiveTriesInFiveMinutes(t *testing.T) {
	each(t, func(w *world) {
		seed, recovery := w.enrol(w.user("grace"))
		c := w.confidential()
		tired := w.half(c, "grace")
		for range 5 {
			w.want(w.redeem(c, tired, "abcdef"), http.StatusBadRequest, "invalid_grant")
		}
		w.clock.Advance(time.Minute) // an attempt is there again, but not for this token
		w.want(w.redeem(c, tired, w.code(seed)), http.StatusBadRequest, "invalid_grant")
		w.want(w.token(c, "grant_type", mfaGrant, "mfa_token", tired, "recovery_code", recovery[0]), http.StatusBadRequest, "invalid_grant")
		w.want(w.redeem(c, w.half(c, "grace"), w.code(seed)), http.StatusOK, "")

		w.clock.Advance(10 * time.Minute)
		early, late := w.half(c, "grace"), w.half(c, "grace")
		w.clock.Advance(5*time.Minute - time.Second)
		w.want(w.redeem(c, early, w.code(seed)), http.StatusOK, "")
		w.clock.Advance(time.Second)
		w.want(w.redeem(c, late, w.code(seed)), http.StatusBadRequest, "invalid_grant")
		w.want(w.redeem(c, early, w.code(seed)), http.StatusBadRequest, "invalid_grant")

		w.clock.Advance(time.Minute)
		four := w.half(c, "grace")
		for range 4 {
			w.want(w.redeem(c, four, "000 00"), http.StatusBadRequest, "invalid_grant")
		}
		w.want(w.token(c, "grant_type", mfaGrant, "mfa_token", four), http.StatusBadRequest, "invalid_request")
		w.want(w.token(c, "grant_type", mfaGrant, "mfa_token", four, "otp", w.code(seed), "recovery_code", recovery[0]), http.StatusBadRequest, "invalid_request")
		w.want(w.redeem(c, four, w.code(seed)), http.StatusOK, "") // malformed requests are no tries
	})
}

func TestTheSecondFactorsThrottleAndThePasswordsAreApart(t *testing.T) {
	each(t, func(w *world) {
		seed, _ := w.enrol(w.user("grace"))
		c := w.confidential()
		guess := func(secret string, pairs ...string) answer {
			return w.token(c, append([]string{"grant_type", "password", "username", "grace", "password", secret}, pairs...)...)
		}
		waiting := w.half(c, "grace")
		for range 5 {
			w.want(guess(password, "otp", "000000x"), http.StatusBadRequest, "invalid_grant")
		}
		full := guess(password, "otp", w.code(seed))
		w.want(full, http.StatusTooManyRequests, "slow_down")
		w.want(w.redeem(c, waiting, w.code(seed)), http.StatusTooManyRequests, "slow_down")
		waiting = w.half(c, "grace") // the password goes on

		w.clock.Advance(time.Minute)
		for range 5 {
			w.want(guess("wrong"), http.StatusBadRequest, "invalid_grant")
		}
		w.want(guess(password), http.StatusTooManyRequests, "slow_down")
		w.want(w.redeem(c, waiting, w.code(seed)), http.StatusOK, "") // and so does the second factor
	})
}
