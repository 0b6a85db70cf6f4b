"""A FastAPI application that prometheus-fastapi-instrumentator measures: nothing in it knows of Remote Write."""

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()


@app.get("/products/{number}")
def product(number: int) -> int:
    return number


Instrumentator().instrument(app).expose(app)
