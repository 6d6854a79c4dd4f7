package account

import (
	"errors"
	"fmt"

	"github.com/signet-idp/signet/storage"
)

// The sentinels of this room.
var (
	// ErrWrong: the proof is not right. It is all that is said of an unknown user, a wrong password, a disabled user, a user
	// without a password, a wrong or repeated one-time code and a malformed recovery code.
	ErrWrong = errors.New("account: wrong credentials")
	// ErrNotFound: there is no such user.
	ErrNotFound = errors.New("account: no such user")
	// ErrNoEnrollment: no authenticator of the user waits to be confirmed.
	ErrNoEnrollment = errors.New("account: no authenticator is waiting to be confirmed; enroll one first")
	// ErrChanged: somebody else changed the user meanwhile. Nothing was written: read the user and try again.
	ErrChanged = errors.New("account: the user was changed by somebody else meanwhile; try again")
	// ErrLink: the link does not work. It is all that is said of one that was not made here, was edited, has expired, was used or
	// withdrawn, or is for something else, or for somebody else, than it is used for.
	ErrLink = errors.New("account: the link was used, has expired, or is none; ask for a new one")
	// ErrSignUpOff: people cannot make accounts here.
	ErrSignUpOff = errors.New("account: sign-up is off; set SIGNET_SIGN_UP to invite or on, or create the user with `signet user create`")
	// ErrSetUp: there is an administrator already, who can make others.
	ErrSetUp = errors.New("account: there is an administrator already; sign in, or make another one with `signet user create --admin`")
	// ErrPending: the recovery or deletion of this user is under way already.
	ErrPending = errors.New("account: it is under way already; it can be stopped, or waited for")
	// ErrNotRipe: the time to wait has not passed.
	ErrNotRipe = errors.New("account: the time to wait has not passed yet")
)

// Invalid is input that a rule forbids. Problem says what was wrong and what is allowed, and never repeats a secret, so that
// it may be shown to whoever gave it.
type Invalid struct {
	Field   string // username, email, password, or the claim's name
	Problem string
	Rule    Rule // of a password, for pages that say it in the person's language; "" for other fields
	cause   error
}

// Rule is what a password must keep, and did not.
type Rule string

// The rules.
const (
	RuleForm    Rule = "form"    // it is empty, too long, or no text
	RuleLength  Rule = "length"  // shorter than People.MinPassword
	RuleOwn     Rule = "own"     // it contains what others know of the person
	RuleCommon  Rule = "common"  // many people have it
	RulePattern Rule = "pattern" // it repeats, or runs along the keyboard
	RuleWeak    Rule = "weak"    // people choose it for themselves, and its zxcvbn score is below Config.MinScore
)

// Error implements error.
func (e *Invalid) Error() string { return e.Field + ": " + e.Problem }

// Unwrap returns the store's sentinel, where the store found the fault.
func (e *Invalid) Unwrap() error { return e.cause }

func invalid(field, format string, args ...any) *Invalid {
	return &Invalid{Field: field, Problem: fmt.Sprintf(format, args...)}
}

func broken(rule Rule, format string, args ...any) *Invalid {
	e := invalid("password", format, args...)
	e.Rule = rule
	return e
}

// translate turns the store's sentinels about a user into this room's, and keeps them in the chain.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrNotFound):
		return fmt.Errorf("%w (%w)", ErrNotFound, err)
	case errors.Is(err, storage.ErrMoved):
		return fmt.Errorf("%w (%w)", ErrChanged, err)
	case errors.Is(err, storage.ErrTaken):
		return &Invalid{Field: "username or email", Problem: "it already belongs to another user; choose another", cause: err}
	}
	return err
}
