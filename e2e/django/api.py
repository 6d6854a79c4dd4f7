"""A Django REST API that lets in whoever brings an access token of Signet.

It knows Signet by its JWKS alone, as djangorestframework-simplejwt's documentation says for tokens that another server
issues. It prints the port it listens on, and serves until its standard input is closed.
"""

import os
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="signs nothing here, and Django wants one",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    },
    SIMPLE_JWT={
        "ALGORITHM": os.environ["ALGORITHM"],
        "JWK_URL": os.environ["JWK_URL"],
        "ISSUER": os.environ["ISSUER"],
        "AUDIENCE": os.environ["AUDIENCE"],
        "TOKEN_TYPE_CLAIM": None,
        "USER_ID_CLAIM": "sub",
        "JTI_CLAIM": "jti",
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Me(APIView):
    """Whose token it is."""

    def get(self, request):
        return Response({"sub": request.user.id, "client_id": request.auth["client_id"]})


urlpatterns = [path("me", Me.as_view())]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """One line for each request would drown what matters."""


with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    server.shutdown()
