"""A Flask application that prometheus_flask_exporter measures: nothing in it knows of Remote Write."""

import sys

from flask import Flask
from prometheus_flask_exporter import PrometheusMetrics

app = Flask("shop")
PrometheusMetrics(app)


@app.get("/products/<int:number>")
def product(number: int) -> str:
    return str(number)


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
