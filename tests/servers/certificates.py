"""Certificates for the TLS servers of the tests, made anew in each run."""

from dataclasses import dataclass
from pathlib import Path

import trustme

LOOPBACK_NAMES = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class KeyPair:
    """A certificate with its chain, and its private key, both as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """One authority, a server's certificate from it and a client's."""

    ca: Path
    server: KeyPair
    client: KeyPair


def issue_certificates(folder: Path, *names: str) -> Certificates:
    """Writes a new authority's certificates into the folder; the server is called by names, by default loopback's."""
    authority = trustme.CA()
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    server = authority.issue_cert(*(names or LOOPBACK_NAMES))
    client = authority.issue_cert("client.example.org", common_name="client")
    return Certificates(ca, _write(server, folder, "server"), _write(client, folder, "client"))


def _write(leaf: trustme.LeafCert, folder: Path, name: str) -> KeyPair:
    pair = KeyPair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(pair.key))
    return pair
