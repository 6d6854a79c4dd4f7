"""What simplejwt leaves to the API: which kind of token it is, and what it may do."""

import jwt
from rest_framework.permissions import BasePermission
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken


class AccessTokenAuthentication(JWTStatelessUserAuthentication):
    """Takes access tokens alone (RFC 9068): an ID token is signed by the same keys, and says at+jwt nowhere."""

    def get_validated_token(self, raw_token):
        try:
            typ = jwt.get_unverified_header(raw_token).get("typ", "")
        except jwt.InvalidTokenError:
            raise InvalidToken("The access token is not a JWT.") from None
        if not isinstance(typ, str) or typ.lower() not in ("at+jwt", "application/at+jwt"):
            raise InvalidToken("The token is not an access token.")
        token = super().get_validated_token(raw_token)
        if "cnf" in token:
            raise InvalidToken("The access token is bound to its sender, and this API takes bearer tokens alone.")
        return token


def has_scope(*scope):
    """A permission for requests whose token has all of scope."""

    class HasScope(BasePermission):
        message = "The access token does not have the scope that this needs."

        def has_permission(self, request, view):
            return bool(request.auth) and set(scope) <= set(request.auth.get("scope", "").split())

    return HasScope
