"""A web application for uWSGI whose workers take their time to start, until a file says that they may go on."""

import os
import time
from pathlib import Path

from uwsgidecorators import postfork
from work import count


def wsgi(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b""]


@postfork
def starts():
    count(1, at="hook")
    print("(starts)", flush=True)
    while not Path(os.environ["GO"]).exists():
        time.sleep(0.01)
