import os

import pytest

from tests.transport.authentication.metadata import serving


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """Nothing of this machine's own credentials, and no question to hosts that are not there."""
    for name in tuple(os.environ):
        if name.startswith(("AWS_", "AZURE_", "IDENTITY_", "MSI_", "OTEL_EXPORTER_PRW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("PATH", str(tmp_path))  # no program of a cloud is asked


@pytest.fixture
def serve(server_stack):
    """serve(handler, ssl_context): the URL of a small server."""
    return lambda *arguments: server_stack.enter_context(serving(*arguments))
