"""A REST API that lets in whoever brings an access token of Signet's that is for it. It has no database and no users."""

import os

ISSUER = os.environ["ISSUER"]  # such as https://id.example.com, byte for byte

ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "api.urls"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "signs nothing in this API, and Django wants one")
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"]
USE_TZ = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

SIMPLE_JWT = {
    "JWK_URL": ISSUER + "/.well-known/jwks.json",
    "ALGORITHM": os.environ.get("ALGORITHM", "ES256"),  # SIGNET_SIGNING_ALG, or the client's own choice
    "ISSUER": ISSUER,
    "AUDIENCE": os.environ["AUDIENCE"],  # this API, as tokens name it: what clients ask them for as resource
    "LEEWAY": 10,
    "TOKEN_TYPE_CLAIM": None,  # Signet says it in the header: see authentication.py
    "USER_ID_CLAIM": "sub",
    "JTI_CLAIM": "jti",
}
