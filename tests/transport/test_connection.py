import ssl

import pytest

from opentelemetry.exporter.prometheus_remote_write.transport.connection import Connection, StaleConnectionError


class EndedByPeer:
    """A socket on which TLS has ended meanwhile."""

    def settimeout(self, seconds):
        """Changes nothing."""

    def sendall(self, _data):
        raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol")

    def close(self):
        """Has nothing to close."""


def test_tls_that_ended_while_the_connection_was_idle_makes_it_stale(start_server):
    connection = Connection("127.0.0.1", start_server().port)
    connection.request("POST", "/", body=b"x")
    connection.getresponse().close()
    connection.sock.close()
    connection.sock = EndedByPeer()
    with pytest.raises(StaleConnectionError):
        connection.request("POST", "/", body=b"x")
    connection.close()


def test_tls_that_ends_under_the_first_request_is_an_error_of_tls():
    connection = Connection("127.0.0.1")
    connection.sock = EndedByPeer()
    with pytest.raises(ssl.SSLEOFError):
        connection.request("POST", "/", body=b"x")
    connection.close()
