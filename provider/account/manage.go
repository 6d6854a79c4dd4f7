package account

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Create stores a new user with the fields of u that a person or operator gives (Username, Email, EmailVerified, Phone,
// PhoneVerified, Profile, Admin) and returns it as stored. The zero password makes a user without one; strength is not asked of it. Errors: *Invalid;
// *oauth.Error temporarily_unavailable from the Hasher; the store's.
func (p *People) Create(ctx context.Context, u storage.User, password storage.Secret, by By) (storage.User, error) {
	if err := complete(&u); err != nil {
		return storage.User{}, err
	}
	phc, err := p.hashNew(ctx, p.rules.check, password, u, by)
	if err != nil {
		return storage.User{}, err
	}
	u.ID, u.DisabledAt = newID(), time.Time{}
	also := storage.Also{Events: []storage.Event{event("user.created", u.ID, by)}}
	if err := p.store.CreateUser(ctx, u, phc, also); err != nil {
		return storage.User{}, translate(err)
	}
	return p.stored(ctx, u, 1), nil
}

// stored reads u again for what the store stamps. The write is done: where this read fails, u as it was sent must do.
func (p *People) stored(ctx context.Context, u storage.User, revision int64) storage.User {
	if found, err := p.store.FindUser(ctx, u.ID); err == nil {
		return found.User
	}
	u.Revision = revision
	return u
}

// Update stores u, as it was read and then changed, and returns it as stored. Whether the user is disabled is not changed
// here. The marks EmailVerified and PhoneVerified are stored as they stand in u; SetClaim takes them away when the value
// changes. Errors: *Invalid; ErrChanged, u is not the newest revision; ErrNotFound; the store's.
func (p *People) Update(ctx context.Context, u storage.User, by By) (storage.User, error) {
	before, err := p.store.FindUser(ctx, u.ID)
	if err != nil {
		return storage.User{}, translate(err)
	}
	if err := complete(&u); err != nil {
		return storage.User{}, err
	}
	u.DisabledAt = before.User.DisabledAt
	done := event("user.updated", u.ID, by)
	done.Detail = map[string]string{"changed": strings.Join(changed(before.User, u), " ")}
	also := storage.Also{Events: []storage.Event{done}}
	if err := p.store.UpdateUser(ctx, u, "", also); err != nil {
		return storage.User{}, translate(err)
	}
	return p.stored(ctx, u, u.Revision+1), nil
}

// SetPassword replaces the user's password, ends all the user's grants and tells the user. It is an operator's: strength is not
// asked of the password (Weak tells). Errors: *Invalid; ErrNotFound;
// *oauth.Error temporarily_unavailable from the Hasher; the store's.
func (p *People) SetPassword(ctx context.Context, userID storage.ID, password storage.Secret, by By) error {
	found, err := p.store.FindUser(ctx, userID)
	if err != nil {
		return translate(err)
	}
	return p.setPassword(ctx, p.rules.check, found.User, 0, password, by)
}

// ChangePassword is SetPassword by a person whose session was just read, with u: where anything of theirs has changed since, it
// changes nothing. The password must be strong as well. The user's revision is then u.Revision + 1. Errors besides: ErrChanged.
func (p *People) ChangePassword(ctx context.Context, u storage.User, password storage.Secret, by By) error {
	return p.setPassword(ctx, p.rules.checkChosen, u, u.Revision, password, by)
}

func (p *People) setPassword(ctx context.Context, rules ruling, u storage.User, revision int64, password storage.Secret, by By) error {
	if password.IsZero() {
		return broken(RuleForm, "it must not be empty")
	}
	phc, err := p.hashNew(ctx, rules, password, u, by)
	if err != nil {
		return err
	}
	also := storage.Also{
		Events:  []storage.Event{event("user.password_changed", u.ID, by)},
		Letters: letters("password_changed", u),
	}
	return translate(p.store.SetPassword(ctx, u.ID, revision, phc, also))
}

// MinPassword is how many characters a password has at least.
func (p *People) MinPassword() int { return p.rules.minLength }

// Weak reports whether u would be refused the password as too easy to guess when choosing it, where an operator is not.
func (p *People) Weak(password storage.Secret, u storage.User) bool {
	prepared, ok := preparePassword(password)
	weak, err := p.rules.isWeak(prepared, u)
	return ok && weak && err == nil
}

// Disable keeps the user from signing in and ends all the user's grants in the same commit. Disabling again changes nothing.
// Errors: ErrNotFound; ErrChanged; the store's.
func (p *People) Disable(ctx context.Context, userID storage.ID, by By) error {
	found, err := p.store.FindUser(ctx, userID)
	if err != nil || !found.User.DisabledAt.IsZero() {
		return translate(err)
	}
	found.User.DisabledAt = found.Now
	also := storage.Also{Events: []storage.Event{event("user.disabled", userID, by)}}
	return translate(p.store.UpdateUser(ctx, found.User, storage.ReasonAdmin, also))
}

// Enable lets the user sign in again; grants that ended stay ended. Errors: ErrNotFound; ErrChanged; the store's.
func (p *People) Enable(ctx context.Context, userID storage.ID, by By) error {
	found, err := p.store.FindUser(ctx, userID)
	if err != nil || found.User.DisabledAt.IsZero() {
		return translate(err)
	}
	found.User.DisabledAt = time.Time{}
	also := storage.Also{Events: []storage.Event{event("user.enabled", userID, by)}}
	return translate(p.store.UpdateUser(ctx, found.User, "", also))
}

// Delete removes the user with everything that hangs on it. Errors: ErrNotFound; the store's.
func (p *People) Delete(ctx context.Context, userID storage.ID, by By) error {
	also := storage.Also{Events: []storage.Event{event("user.deleted", userID, by)}}
	return translate(p.store.DeleteUser(ctx, userID, also))
}

// List returns at most limit users after the ID given, oldest first.
func (p *People) List(ctx context.Context, after storage.ID, limit int) ([]storage.User, error) {
	return p.store.ListUsers(ctx, after, limit)
}

// complete checks all that people give of u, and fills in what follows from it.
func complete(u *storage.User) error {
	username, err := CanonicalUsername(u.Username)
	if err != nil {
		return err
	}
	u.Username = norm.NFC.String(u.Username)
	u.Logins = []string{username}
	if u.Email != "" {
		email, err := CanonicalEmail(u.Email)
		if err != nil {
			return err
		}
		u.Email = norm.NFC.String(u.Email)
		u.Logins = append(u.Logins, email)
	} else if u.EmailVerified {
		return invalid("email", "it is marked verified and there is none")
	}
	return checkClaims(u)
}

// changed names the claims that differ, and admin.
func changed(before, after storage.User) []string {
	all := []string{oauth.ScopeProfile, oauth.ScopeEmail, oauth.ScopePhone, oauth.ScopeAddress}
	was, is := Claims(before, all), Claims(after, all)
	was["admin"], is["admin"] = before.Admin, after.Admin
	names := map[string]bool{}
	for _, claims := range []map[string]any{was, is} {
		for name := range claims {
			if !reflect.DeepEqual(was[name], is[name]) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func event(kind string, userID storage.ID, by By) storage.Event {
	return storage.Event{Kind: kind, Actor: by.Actor, UserID: userID, Seen: by.Seen}
}

// letters is one letter to the user, or none where there is no address to send it to.
func letters(kind string, u storage.User) []storage.Letter {
	if u.Email == "" {
		return nil
	}
	return []storage.Letter{{Kind: kind, UserID: u.ID}}
}
