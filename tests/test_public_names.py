"""What a user may import, and that a type checker agrees."""

import subprocess
import sys

import pytest

import opentelemetry.exporter.prometheus_remote_write as package
from tests.collected import collected, gauge, point

USER = '''
from collections.abc import Mapping

from opentelemetry.exporter.prometheus_remote_write import (
    BaseTransport,
    Cause,
    InvalidSetting,
    PrometheusRemoteWriteMetricsExporter,
    Rejected,
    Response,
    Retryable,
    SendError,
    Settings,
)


class Spool(BaseTransport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def post(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Response:
        if len(self.bodies) > 3:
            raise Retryable("the spool is full", cause=Cause.RATE_LIMIT, retry_after=1.0)
        if not body:
            raise Rejected("nothing", status=400)
        self.bodies.append(body)
        return Response(204, {})


def built() -> Settings:
    try:
        return PrometheusRemoteWriteMetricsExporter("http://spool.invalid/", transport=Spool()).settings
    except InvalidSetting as error:
        print(error.setting, error.reason)
        raise


def caused(error: SendError) -> str:
    return error.cause.value
'''


@pytest.mark.parametrize("name", package.__all__)
def test_each_public_name_is_there(name):
    assert getattr(package, name).__name__ == name


def test_any_other_name_is_not():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        package.nonsense  # noqa: B018 - to look is the test


def test_the_package_alone_loads_neither_http_nor_protobuf():
    code = (
        "import sys, opentelemetry.exporter.prometheus_remote_write\n"
        "print({'urllib3', 'google.protobuf', 'opentelemetry.sdk'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_users_file_is_well_typed(tmp_path):
    pytest.importorskip("mypy", reason="it is not installed where the run is for older packages")
    user = tmp_path / "user.py"
    user.write_text(USER)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file", "", str(user)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert checked.returncode == 0, checked.stdout


def test_a_transport_of_ones_own_carries_the_requests():
    namespace = {}
    exec(USER, namespace)
    transport = namespace["Spool"]()
    exporter = package.PrometheusRemoteWriteMetricsExporter("http://spool.invalid/", transport=transport)
    assert exporter.export(collected(gauge(point(1)))).name == "SUCCESS"
    exporter.shutdown()
    assert transport.bodies
