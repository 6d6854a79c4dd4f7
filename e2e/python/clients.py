"""requests-oauthlib and authlib against a running Signet: the password grant, refresh, introspection, revocation.

Configured by environment variables; oauthlib's and authlib's own switches let them speak plain http to a loopback address.
"""

import os
import unittest

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from joserfc import jwt
from joserfc.jwk import KeySet
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

ISSUER, SUBJECT = os.environ["ISSUER"], os.environ["SUBJECT"]
USERNAME, PASSWORD = os.environ["USERNAME"], os.environ["PASSWORD"]
SHOP_ID, SHOP_SECRET = os.environ["SHOP_ID"], os.environ["SHOP_SECRET"]
SCOPE = ["openid", "profile", "email"]
METADATA = requests.get(ISSUER + "/.well-known/openid-configuration", timeout=10).json()
TOKEN = METADATA["token_endpoint"]


def verify(access_token):
    """The claims of an access token, checked with the published keys alone."""
    keys = KeySet.import_key_set(requests.get(METADATA["jwks_uri"], timeout=10).json())
    claims = jwt.decode(access_token, keys, algorithms=["ES256"]).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": ISSUER}, exp={"essential": True},
    ).validate(claims)
    return claims


class RequestsOAuthlib(unittest.TestCase):
    """What Django and Flask applications of the last ten years sign in with."""

    def setUp(self):
        self.auth = HTTPBasicAuth(SHOP_ID, SHOP_SECRET)
        self.session = OAuth2Session(client=LegacyApplicationClient(client_id=SHOP_ID, scope=SCOPE))
        self.token = self.session.fetch_token(TOKEN, username=USERNAME, password=PASSWORD, auth=self.auth)

    def test_password(self):
        self.assertEqual(self.token["token_type"].lower(), "bearer")
        self.assertEqual(sorted(self.token.scopes), sorted(SCOPE))
        self.assertEqual(verify(self.token["access_token"])["sub"], SUBJECT)
        info = self.session.get(METADATA["userinfo_endpoint"])
        self.assertEqual(info.json()["sub"], SUBJECT)
        self.assertEqual(info.json()["email"], "ada@example.com")

    def test_wrong_password(self):
        other = OAuth2Session(client=LegacyApplicationClient(client_id=SHOP_ID, scope=SCOPE))
        with self.assertRaises(InvalidGrantError):
            other.fetch_token(TOKEN, username=USERNAME, password="not it", auth=self.auth)

    def test_client_in_the_body(self):
        poster = OAuth2Session(client=LegacyApplicationClient(client_id=os.environ["POSTER_ID"], scope=SCOPE))
        token = poster.fetch_token(
            TOKEN, username=USERNAME, password=PASSWORD, include_client_id=True, client_secret=os.environ["POSTER_SECRET"])
        self.assertEqual(verify(token["access_token"])["client_id"], os.environ["POSTER_ID"])

    def test_refresh(self):
        first = self.token["refresh_token"]
        for _ in range(3):
            old = dict(self.session.token)
            new = self.session.refresh_token(TOKEN, auth=self.auth)
            self.assertNotEqual(new["refresh_token"], old["refresh_token"])
            self.assertEqual(verify(new["access_token"])["sub"], SUBJECT)
        with self.assertRaises(InvalidGrantError):
            self.session.refresh_token(TOKEN, refresh_token=first, auth=self.auth)
        # The replay ended the family.
        with self.assertRaises(InvalidGrantError):
            self.session.refresh_token(TOKEN, refresh_token=new["refresh_token"], auth=self.auth)

    def test_refresh_by_itself(self):
        saved = []
        session = OAuth2Session(
            SHOP_ID, token={**self.token, "expires_in": -30, "expires_at": 1}, auto_refresh_url=TOKEN, token_updater=saved.append)
        info = session.get(METADATA["userinfo_endpoint"], client_id=SHOP_ID, client_secret=SHOP_SECRET)
        self.assertEqual(info.json()["sub"], SUBJECT)
        self.assertNotEqual(saved[0]["refresh_token"], self.token["refresh_token"])


class Authlib(unittest.TestCase):
    """The newer of Python's two."""

    def setUp(self):
        self.session = AuthlibSession(SHOP_ID, SHOP_SECRET, scope=" ".join(SCOPE))
        self.token = self.session.fetch_token(TOKEN, grant_type="password", username=USERNAME, password=PASSWORD)

    def introspect(self, token):
        return self.session.introspect_token(METADATA["introspection_endpoint"], token=token).json()

    def test_password(self):
        self.assertEqual(verify(self.token["access_token"])["sub"], SUBJECT)
        self.assertEqual(self.session.get(METADATA["userinfo_endpoint"]).json()["sub"], SUBJECT)
        with self.assertRaises(OAuthError) as refused:
            self.session.fetch_token(TOKEN, grant_type="password", username=USERNAME, password="not it")
        self.assertEqual(refused.exception.error, "invalid_grant")

    def test_refresh(self):
        old = self.token["refresh_token"]
        new = self.session.refresh_token(TOKEN, refresh_token=old)
        self.assertNotEqual(new["refresh_token"], old)
        self.assertEqual(verify(new["access_token"])["sub"], SUBJECT)
        with self.assertRaises(OAuthError) as refused:
            self.session.refresh_token(TOKEN, refresh_token=old)
        self.assertEqual(refused.exception.error, "invalid_grant")

    def test_introspection(self):
        for name in ("access_token", "refresh_token"):
            said = self.introspect(self.token[name])
            self.assertIs(said["active"], True)
            self.assertEqual((said["sub"], said["username"], said["client_id"]), (SUBJECT, USERNAME, SHOP_ID))
        self.assertEqual(self.introspect("no such token"), {"active": False})

    def test_revocation(self):
        answer = self.session.revoke_token(METADATA["revocation_endpoint"], token=self.token["refresh_token"])
        self.assertEqual(answer.status_code, 200)
        for name in ("access_token", "refresh_token"):
            self.assertEqual(self.introspect(self.token[name]), {"active": False})

    def test_client_credentials(self):
        robot = AuthlibSession(os.environ["ROBOT_ID"], os.environ["ROBOT_SECRET"], scope="stock.read")
        token = robot.fetch_token(TOKEN, grant_type="client_credentials")
        self.assertEqual(token["scope"], "stock.read")
        self.assertEqual(verify(token["access_token"])["sub"], os.environ["ROBOT_ID"])


if __name__ == "__main__":
    unittest.main()
