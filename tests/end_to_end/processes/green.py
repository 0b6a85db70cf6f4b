"""A web application that uses TLS contexts of urllib3's as an HTTP client does, and counts its requests."""

import os

import urllib3
from urllib3.util.ssl_ import create_urllib3_context
from work import count

count(100, at="import")
print("(loaded)", flush=True)


def wsgi(_environ, start_response):
    create_urllib3_context()
    urllib3.PoolManager(ssl_context=create_urllib3_context())
    count(1, at="request")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
