"""A Django application in one file, its settings included, that counts its requests."""

import os

from django.http import HttpResponse
from django.urls import path
from work import count

SECRET_KEY = "secret"
ALLOWED_HOSTS = ["*"]
DEBUG = True
MIDDLEWARE = []
ROOT_URLCONF = "django_app"


def index(_request):
    count(1, at="request")
    return HttpResponse(str(os.getpid()))


urlpatterns = [path("", index)]
