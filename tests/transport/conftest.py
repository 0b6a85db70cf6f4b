from contextlib import suppress

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.loading import cleaned
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.messages.secret import Secret, SecretMapping
from opentelemetry.exporter.prometheus_remote_write.transport.pool import Transport
from tests.transport.scripted_server import ScriptedServer


@pytest.fixture
def start_server(server_stack):
    """start_server(behaviour, tls=): a scripted server, stopped after the test."""
    return lambda *arguments, **keywords: server_stack.enter_context(ScriptedServer(*arguments, **keywords))


@pytest.fixture
def make_transport(server_stack):
    """make_transport(endpoint, environ={}, clock=, **settings): a transport, closed after the test."""

    def make(endpoint, *, environ=None, clock=None, **settings):
        clocks = {} if clock is None else {"clock": clock}
        kinds = {"username": Secret, "password": Secret, "bearer_token": Secret, "headers": SecretMapping}
        kinds["oauth2_client_secret"] = Secret
        settings = {name: kinds.get(name, lambda value: value)(value) for name, value in settings.items()}
        given = Settings(endpoint=endpoint, **settings)
        with suppress(ValueError):  # not a URL, which the transport says
            given = cleaned(given)
        transport = Transport(given, environ=environ or {}, user_agent="tests/1", **clocks)
        server_stack.callback(transport.close)
        return transport

    return make
