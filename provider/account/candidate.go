package account

import "github.com/signet-idp/signet/storage"

// UserID is the subject of a known candidate, for the audit log alone; the zero ID where nobody bears the name.
func (c Candidate) UserID() storage.ID { return c.signIn.User.ID }
