"""The web application, and a page that takes longer than the process has to end."""

import time

import web
from work import work


def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        work.add(1, {"at": "slow request"})
        time.sleep(600)  # longer than any test: who is ended in it counts no request below
    return web.wsgi(environ, start_response)
