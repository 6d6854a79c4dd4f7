"""authlib against a running Signet, with a person in a browser: authorization code with PKCE, refresh, userinfo, refusals.

Configured by environment variables.
"""

import os
import unittest
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER, SUBJECT, PEOPLE = os.environ["ISSUER"], os.environ["SUBJECT"], os.environ["PEOPLE"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
METADATA = requests.get(ISSUER + "/.well-known/openid-configuration", timeout=10).json()


def person(go, **how):
    """Where a person who follows an address through Signet's pages is sent to in the end."""
    answer = requests.get(PEOPLE, params={"go": go, "as": "ada", **how}, timeout=60)
    answer.raise_for_status()
    return answer.text


class Code(unittest.TestCase):
    def session(self, name):
        return OAuth2Session(
            os.environ[name + "_ID"], os.environ.get(name + "_SECRET"), scope="openid profile email", redirect_uri=REDIRECT_URI,
            code_challenge_method="S256", token_endpoint_auth_method="client_secret_basic" if name == "SHOP" else "none")

    def ask(self, session, **more):
        verifier, nonce = generate_token(48), generate_token(20)
        address, state = session.create_authorization_url(
            METADATA["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **more)
        return address, state, verifier, nonce

    def test_code(self):
        for name in ("SHOP", "SPA"):
            with self.subTest(name):
                session = self.session(name)
                address, state, verifier, nonce = self.ask(session)
                back = person(address)
                token = session.fetch_token(
                    METADATA["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
                keys = KeySet.import_key_set(requests.get(METADATA["jwks_uri"], timeout=10).json())
                decoded = jwt.decode(token["id_token"], keys, algorithms=METADATA["id_token_signing_alg_values_supported"])
                claims = CodeIDToken(
                    decoded.claims, decoded.header, {"iss": {"value": ISSUER}, "aud": {"value": session.client_id}},
                    {"nonce": nonce, "client_id": session.client_id, "access_token": token["access_token"]})
                claims.validate()
                self.assertEqual(claims["sub"], SUBJECT)
                self.assertEqual(session.get(METADATA["userinfo_endpoint"]).json()["email"], "ada@example.com")
                new = session.refresh_token(METADATA["token_endpoint"], refresh_token=token["refresh_token"])
                self.assertNotEqual(new["refresh_token"], token["refresh_token"])
                self.assertEqual(session.get(METADATA["userinfo_endpoint"]).json()["sub"], SUBJECT)

    def test_another_verifier(self):
        session = self.session("SPA")
        address, state, _, _ = self.ask(session)
        with self.assertRaises(OAuthError) as refused:
            session.fetch_token(
                METADATA["token_endpoint"], authorization_response=person(address), state=state, code_verifier=generate_token(48))
        self.assertEqual(refused.exception.error, "invalid_grant")

    def test_refused(self):
        # authlib leaves it to the application to look for an error.
        address, state, _, _ = self.ask(self.session("SHOP"), prompt="consent")
        answer = parse_qs(urlsplit(person(address, deny="1")).query)
        self.assertEqual((answer["error"], answer["state"], answer["iss"]), (["access_denied"], [state], [ISSUER]))
        self.assertNotIn("code", answer)


if __name__ == "__main__":
    unittest.main()
