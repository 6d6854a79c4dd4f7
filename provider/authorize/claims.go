package authorize

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The limits of the claims parameter.
const (
	maxClaims      = 4 << 10 // bytes
	maxClaimsDepth = 8
)

// claimsParameter is the claims parameter (OpenID Connect Core §5.5), as far as it means something here. Members that do not are
// ignored, as §5.5 asks.
type claimsParameter struct {
	UserInfo map[string]json.RawMessage `json:"userinfo"`
	IDToken  map[string]json.RawMessage `json:"id_token"`
}

// claimWish is how one claim is asked for (Core §5.5.1). It is read for acr and sub, where a value decides; the others are given as
// they are, or not at all.
type claimWish struct {
	Essential bool     `json:"essential"`
	Value     *string  `json:"value"`
	Values    []string `json:"values"`
}

// wanted are the values, one or several, that will do.
func (w claimWish) wanted() []string {
	if w.Value != nil {
		return append([]string{*w.Value}, w.Values...)
	}
	return w.Values
}

func errClaims() *oauth.Error {
	return oauth.Errorf(oauth.InvalidRequest, "claims must be a JSON object as OpenID Connect Core section 5.5 has it, each member once, in at most %d KiB", maxClaims>>10)
}

// parseClaims reads the claims parameter. Without openid it means nothing.
func parseClaims(r *Request, c storage.Client, p oauth.Params) *oauth.Error {
	text := p.Get("claims")
	if text == "" || !r.OpenID() {
		return nil
	}
	var asked claimsParameter
	if len(text) > maxClaims || checkJSON([]byte(text)) != nil || json.Unmarshal([]byte(text), &asked) != nil {
		return errClaims()
	}
	if fault := r.takeACR(asked.IDToken["acr"]); fault != nil {
		return fault
	}
	for _, wish := range []json.RawMessage{asked.IDToken["sub"], asked.UserInfo["sub"]} {
		if fault := r.takeSubject(c, wish); fault != nil {
			return fault
		}
	}
	known := storage.RequestedClaims{IDToken: knownClaims(asked.IDToken), UserInfo: knownClaims(asked.UserInfo)}
	if len(known.IDToken)+len(known.UserInfo) > 0 {
		r.Claims = &known
	}
	return nil
}

// takeACR takes acr over from the claims parameter, which says more than acr_values does: whether it is essential (Core §5.5.1.1).
func (r *Request) takeACR(text json.RawMessage) *oauth.Error {
	wish, fault := readWish(text)
	if values := wish.wanted(); fault == nil && len(values) > 0 {
		r.ACRValues, r.EssentialACR = knownACR(values), wish.Essential
	}
	return fault
}

// takeSubject takes over the person who alone will do (Core §5.5.1).
func (r *Request) takeSubject(c storage.Client, text json.RawMessage) *oauth.Error {
	wish, fault := readWish(text)
	if fault != nil {
		return fault
	}
	for _, subject := range wish.wanted() {
		if !givenTo(c, subject) {
			return oauth.Errorf(oauth.InvalidRequest, "claims asks for a sub that this server never gave to anybody")
		}
		if fault := r.only(subject); fault != nil {
			return fault
		}
	}
	return nil
}

// givenTo reports whether the client may know somebody by this subject.
func givenTo(c storage.Client, subject string) bool {
	if _, pairwise := client.Sector(c.Metadata); pairwise {
		raw, err := base64.RawURLEncoding.DecodeString(subject)
		return err == nil && len(raw) == sha256.Size
	}
	_, err := storage.ParseID(subject)
	return err == nil
}

// only makes the person whom the client knows by subject the one who will do.
func (r *Request) only(subject string) *oauth.Error {
	if r.Subject != "" && r.Subject != subject {
		return oauth.Errorf(oauth.InvalidRequest, "the request names more than one person: one sub is possible, and id_token_hint must be of the same")
	}
	r.Subject = subject
	return nil
}

func readWish(text json.RawMessage) (claimWish, *oauth.Error) {
	var wish claimWish
	if len(text) > 0 && json.Unmarshal(text, &wish) != nil { // null asks for the claim and says no more
		return claimWish{}, errClaims()
	}
	return wish, nil
}

// knownClaims are the names of those claims that there are here, in order. Unknown ones are left out silently (Core §5.5).
func knownClaims(asked map[string]json.RawMessage) []string {
	var known []string
	for _, name := range account.ClaimNames() {
		if _, ok := asked[name]; ok {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	return known
}

// singleClaims are the claims that r asks for by name and that its scope does not tell anyway.
func (r Request) singleClaims() []string {
	if r.Claims == nil {
		return nil
	}
	told := toldBy(r.Scope)
	var single []string
	for _, name := range slices.Concat(r.Claims.IDToken, r.Claims.UserInfo) {
		if !contains(told, name) && !contains(single, name) {
			single = append(single, name)
		}
	}
	slices.Sort(single)
	return single
}

// toldBy are the names of the claims that a scope tells (Core §5.4).
func toldBy(scope []string) []string {
	var told []string
	for _, s := range scope {
		switch s {
		case oauth.ScopeEmail:
			told = append(told, "email", "email_verified")
		case oauth.ScopePhone:
			told = append(told, "phone_number", "phone_number_verified")
		case oauth.ScopeAddress:
			told = append(told, "address")
		case oauth.ScopeProfile:
			others := toldBy([]string{oauth.ScopeEmail, oauth.ScopePhone, oauth.ScopeAddress})
			told = append(told, except(account.ClaimNames(), others)...)
		}
	}
	return told
}

// Why JSON is not taken.
var (
	errDepth     = errors.New("too deep")
	errDuplicate = errors.New("a member is there twice")
	errTrailing  = errors.New("something follows the value")
)

// checkJSON refuses what two readers could read differently: members that are there twice, and what follows the value; and what is
// nested too deep.
func checkJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := checkValue(decoder, 0); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

func checkValue(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxClaimsDepth {
		return errDepth
	}
	names := map[string]bool{}
	for decoder.More() {
		if open == '{' {
			name, err := decoder.Token()
			if err != nil {
				return err
			}
			text, _ := name.(string) // a member's name is a string
			if names[text] {
				return errDuplicate
			}
			names[text] = true
		}
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	_, err = decoder.Token() // the closing bracket
	return err
}
