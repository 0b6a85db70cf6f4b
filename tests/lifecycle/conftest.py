"""Exporters and providers for the tests of their life."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource

from tests.lifecycle.pushing import Exporter


@pytest.fixture
def exporter():
    return Exporter()


@pytest.fixture
def provide():
    """Builds providers, and shuts them down."""
    providers = []

    def provide(reader):
        provider = MeterProvider([reader], Resource({"service.instance.id": "pod-7"}), shutdown_on_exit=False)
        providers.append(provider)
        return provider

    yield provide
    for provider in providers:
        provider.shutdown()
