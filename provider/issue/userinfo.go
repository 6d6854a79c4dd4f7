package issue

import "maps"

// Userinfo is a signed userinfo answer for the client (OpenID Connect Core §5.3.2): claims, which have sub, and with them who says so
// to whom. It has no times and no nonce, so that nobody takes it for an ID token.
func (i *Issuer) Userinfo(alg, clientID string, claims map[string]any) (string, error) {
	signed := maps.Clone(claims)
	signed["iss"], signed["aud"] = i.config.Issuer, clientID
	return i.ring.Sign(alg, TypeID, signed)
}
