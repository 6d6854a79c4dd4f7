"""The addresses of the API, and what is there."""

from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from .authentication import has_scope


class Me(APIView):
    """Whose token it is."""

    def get(self, request):
        return Response({"sub": request.user.id, "client_id": request.auth["client_id"]})


class Plums(APIView):
    """How many there are, for those who may know, and a way to change it, for those who may."""

    def get_permissions(self):
        return [has_scope("stock.read" if self.request.method == "GET" else "stock.write")()]

    def get(self, request):
        return Response({"plums": 7})

    def put(self, request):
        return Response(status=204)


urlpatterns = [path("me", Me.as_view()), path("stock/plums", Plums.as_view())]
