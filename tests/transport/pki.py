"""An authority, and whom it has vouched for."""

from __future__ import annotations

import ssl

import trustme


class Pki:
    """An authority of its own; what it issues is as cert-manager puts it into a Secret."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self.ca = self._authority.cert_pem.bytes()

    def server(self) -> ssl.SSLContext:
        """What a server on loopback shows, which demands a certificate of the same authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("127.0.0.1").configure_cert(context)
        self._authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def server_files(self) -> dict[str, bytes]:
        """The same as files."""
        return self._files(self._authority.issue_cert("127.0.0.1"))

    def files(self, name: str) -> dict[str, bytes]:
        """The files of a client, by whose common name a server tells it from others."""
        return self._files(self._authority.issue_cert(f"{name}.example", common_name=name))

    def _files(self, leaf: trustme.LeafCert) -> dict[str, bytes]:
        (certificate,) = leaf.cert_chain_pems
        return {"ca.crt": self.ca, "tls.crt": certificate.bytes(), "tls.key": leaf.private_key_pem.bytes()}


def client_of(connection: ssl.SSLSocket) -> str:
    """The common name of the client at the other end of a connection."""
    subject = dict(pair for (pair,) in connection.getpeercert()["subject"])
    return subject["commonName"]
