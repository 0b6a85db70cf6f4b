"""The metadata services of clouds, as small servers of the tests: IMDSv2, the EKS pod identity agent, Azure's IMDS."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SESSION_TOKEN = "imds-v2-token"
POD_TOKEN = "pod-identity-token"


class Issued:
    """Credentials that are issued anew for each question.

    Args:
        life: How long each lives.
    """

    def __init__(self, life=timedelta(hours=1)):
        self.life = life
        self.now = lambda: datetime.now(timezone.utc)
        self.keys = {}
        self.count = 0

    def new(self):
        """The answer of Amazon's services."""
        self.count += 1
        key, secret, token = (f"{name}{self.count}" for name in ("AKIDTEMPORARY", "secret-of-", "session-token-of-"))
        self.keys[key] = (secret, token)
        end = self.now() + self.life
        return {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": key,
            "SecretAccessKey": secret,
            "Token": token,
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "LastUpdated": self.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class Handler(BaseHTTPRequestHandler):
    """Answers in JSON, and says nothing of it."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        """Say nothing."""

    def answer(self, status, content=""):
        """Answer, with text or with an object as JSON."""
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        if not isinstance(content, str):
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def imds_v2(issued, role="the-role"):
    """The metadata service of EC2, version 2."""

    class OfAmazon(Handler):
        def do_PUT(self):
            is_right = self.path == "/latest/api/token" and self.headers["x-aws-ec2-metadata-token-ttl-seconds"]
            self.answer(200 if is_right else 400, SESSION_TOKEN)

        def do_GET(self):
            place = "/latest/meta-data/iam/security-credentials/"
            if self.headers["x-aws-ec2-metadata-token"] != SESSION_TOKEN:
                self.answer(401)
            elif self.path == place:
                self.answer(200, role)
            elif self.path == place + role:
                self.answer(200, issued.new())
            else:
                self.answer(404)

    return OfAmazon


def pod_identity(issued):
    """The agent of EKS pod identity: it wants the token that stands in a file."""

    class OfAmazon(Handler):
        def do_GET(self):
            is_right = self.path == "/v1/credentials" and self.headers["authorization"] == POD_TOKEN
            self.answer(200 if is_right else 403, issued.new() if is_right else "")

    return OfAmazon


def azure_imds(tokens):
    """The metadata service of Azure's machines: a token for a resource."""

    class OfAzure(Handler):
        def do_GET(self):
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query)
            if parts.path != "/metadata/identity/oauth2/token" or self.headers["metadata"] != "true":
                self.answer(400)
                return
            tokens.append(f"managed-{len(tokens) + 1}")
            resource = asked["resource"][0]
            life = 3600
            end = int(datetime.now(timezone.utc).timestamp()) + life
            content = {"access_token": tokens[-1], "resource": resource, "token_type": "Bearer"}
            self.answer(200, {**content, "expires_in": str(life), "expires_on": str(end), "client_id": "x"})

    return OfAzure


@contextmanager
def serving(handler, ssl_context=None):
    """Run a server; its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if ssl_context:
        server.socket = ssl_context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"{'https' if ssl_context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
