"""A Flask application that counts its requests."""

import os

from flask import Flask
from work import count

app = Flask("shop")


@app.get("/")
def index():
    count(1, at="request")
    return str(os.getpid())
