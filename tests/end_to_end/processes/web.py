"""A web application for WSGI and ASGI that counts its requests, and what it did while it was loaded."""

import os

from work import count

count(100, at="import")
print("(loaded)", flush=True)


def wsgi(_environ, start_response):
    count(1, at="request")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    count(1, at="request")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
