"""The web application, with something to do of its own in each worker that uWSGI has forked."""

import uwsgidecorators
import web
from work import work

wsgi = web.wsgi


@uwsgidecorators.postfork
def begin():
    work.add(1, {"at": "hook"})
