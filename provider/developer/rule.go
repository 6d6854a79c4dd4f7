package developer

import "github.com/signet-idp/signet/storage"

// Policy says who may have apps.
type Policy string

// The policies.
const (
	PolicyOff      Policy = "off"
	PolicyAdmins   Policy = "admins"
	PolicyApproval Policy = "approval" // everybody; an administrator lets each app in
	PolicyOn       Policy = "on"
)

// Policies are all of them.
func Policies() []Policy { return []Policy{PolicyOff, PolicyAdmins, PolicyApproval, PolicyOn} }

// allows reports whether the person may have apps at all.
func (p Policy) allows(u storage.User) bool {
	switch p {
	case PolicyAdmins:
		return u.Admin
	case PolicyApproval, PolicyOn:
		return true
	}
	return false
}

// act is what somebody wants to do with an app.
type act string

const (
	see     act = "see"
	change  act = "change" // its metadata and its secrets
	disable act = "disable"
	enable  act = "enable"
	remove  act = "remove"
	approve act = "approve"
)

// may is the one rule of who may do what with which app: the owner everything but what an operator decided, an administrator
// everything, and everybody else nothing, not even know that it is there. What a client id document says, nobody changes here.
func (p Policy) may(u storage.User, c storage.Client, what act) error {
	switch {
	case !p.allows(u):
		return ErrForbidden
	case !u.Admin && !owns(u, c):
		return storage.ErrNotFound
	case what == change && c.Origin == storage.OriginDocument:
		return ErrForbidden
	case u.Admin:
		return nil
	case what == approve:
		return ErrForbidden
	case what == enable && !c.DisabledAt.IsZero() && c.DisabledFor != storage.DisabledByOwner:
		return ErrHeld
	}
	return nil
}

// owns reports whether c is the person's. What is nobody's is nobody's.
func owns(u storage.User, c storage.Client) bool { return !c.OwnerID.IsZero() && c.OwnerID == u.ID }
