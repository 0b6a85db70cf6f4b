"""An OAuth 2.0 provider: Authlib's authorization server, which issues tokens for client credentials, within Flask."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from flask import Flask, redirect, request
from werkzeug.serving import make_server

SCOPES = {"metrics:write", "other"}
CLIENT, SECRET = "shop:ü", "s3cr&t %+/0123456789"


class _Client:
    def __init__(self, provider):
        self._provider = provider

    def check_client_secret(self, secret):
        return secret == self._provider.secret

    def check_endpoint_auth_method(self, method, _endpoint):
        return method in self._provider.methods

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope):
        return (scope or "metrics:write") if {*(scope or "").split()} <= SCOPES else ""


class Provider:
    """What it accepts, and what it has issued.

    Args:
        life: Of a token, in seconds.
        methods: How clients may authenticate.
    """

    def __init__(self, life=3600, methods=("client_secret_basic",)):
        self.methods = methods
        self.secret = SECRET
        self.issued = []
        self.asked = []
        self.redirects_to = ""
        self.status = None
        self.app = Flask(__name__)
        lives = {"OAUTH2_TOKEN_EXPIRES_IN": {"client_credentials": life}}
        self.app.config.update(lives, OAUTH2_ACCESS_TOKEN_GENERATOR=self._token, OAUTH2_SCOPES_SUPPORTED=[*SCOPES])
        server = AuthorizationServer(self.app, self._client, lambda _token, _request: None)
        server.register_grant(_Grant)

        @self.app.post("/token")
        def token():
            self.asked.append(dict(request.form))
            if self.redirects_to:
                return redirect(self.redirects_to)
            if self.status:
                return "try later", self.status
            return server.create_token_response()

    def accepts(self, header):
        """Whether a token is one that was issued."""
        return header.removeprefix("Bearer ") in self.issued

    def _client(self, client_id):
        return _Client(self) if client_id == CLIENT else None

    def _token(self, *_arguments, **_keywords):
        # As long as a JSON web token often is: longer than what is read of a receiver's answer.
        self.issued.append(f"token-{len(self.issued) + 1}." + "x" * 6000)
        return self.issued[-1]


class _Grant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


@contextmanager
def serving(provider, ssl_context=None):
    """Run a provider; the URL at which it issues tokens."""
    server = make_server("127.0.0.1", 0, provider.app, threaded=True, ssl_context=ssl_context)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"{'https' if ssl_context else 'http'}://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
