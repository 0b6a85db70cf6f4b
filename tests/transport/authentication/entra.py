"""The token endpoint of Microsoft Entra ID, as a small server of the tests: for client secrets and federated tokens."""

from __future__ import annotations

from urllib.parse import parse_qs

from tests.transport.authentication.metadata import Handler

TENANT, CLIENT, SECRET = "tenant-1", "client-1", "s3cr3t~of.the-client0123456789"


class Entra:
    """What it accepts and has issued.

    Args:
        assertions: The federated tokens that it takes.
        life: Of a token, in seconds.
    """

    def __init__(self, assertions=(), life=3600):
        self.assertions = {*assertions}
        self.life = life
        self.issued = []
        self.asked = []

    def accepts(self, header):
        """Whether a token is one that was issued."""
        return header.removeprefix("Bearer ") in self.issued

    def handler(self):
        """What a server is made of."""
        entra = self

        class OfEntra(Handler):
            def do_GET(self):  # noqa: N802 - a name of http.server
                base = f"https://{self.headers['host']}/{TENANT}"
                names = {"token_endpoint": f"{base}/oauth2/v2.0/token", "issuer": f"{base}/v2.0"}
                self.answer(200, {**names, "authorization_endpoint": f"{base}/oauth2/v2.0/authorize"})

            def do_POST(self):  # noqa: N802 - as above
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                asked = {name: values[0] for name, values in form.items()}
                entra.asked.append(asked)
                is_right = asked.get("client_id") == CLIENT and (
                    asked.get("client_secret") == SECRET or asked.get("client_assertion") in entra.assertions
                )
                if not is_right:
                    said = f"AADSTS7000215: Invalid client secret provided for app '{CLIENT}'."
                    self.answer(401, {"error": "invalid_client", "error_description": said})
                    return
                entra.issued.append(f"entra-{len(entra.issued) + 1}-abcdefghij")
                token = {"access_token": entra.issued[-1], "token_type": "Bearer", "expires_in": entra.life}
                self.answer(200, {**token, "ext_expires_in": entra.life})

        return OfEntra
