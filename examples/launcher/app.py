"""A small web shop. It knows nothing of metrics."""

from __future__ import annotations

import os
import time

from flask import Flask, abort, request

PRODUCTS = range(100)

app = Flask("shop")


@app.get("/")
def home() -> str:
    return "Welcome!"


@app.get("/products/<int:number>")
def product(number: int) -> dict[str, int]:
    if number not in PRODUCTS:
        abort(404)
    time.sleep(0.012)  # the database
    return {"number": number, "price": 5 * number}


@app.post("/checkout")
def checkout() -> dict[str, int]:
    items = request.get_json()
    time.sleep(0.06)  # the payment service
    return {"average": sum(items) // len(items)}  # nobody thought of an empty cart


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8000")))
