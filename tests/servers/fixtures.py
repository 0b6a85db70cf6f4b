"""Real servers for the tests; where one cannot be had the tests that want it are skipped, and in CI they fail."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TypeVar

import pytest

from tests.servers import packages
from tests.servers.browser import browser
from tests.servers.certificates import issue_certificates
from tests.servers.nginx import Nginx
from tests.servers.package import UnavailableError
from tests.servers.prometheus import Prometheus
from tests.servers.redis import Redis
from tests.servers.squid import Squid
from tests.servers.victoria_metrics import VictoriaMetrics

Obtained = TypeVar("Obtained")
IN_CI = os.environ.get("CI") == "true"
CURRENT_FEATURES = ("native-histograms", "exemplar-storage")


@pytest.fixture(scope="session")
def prometheus_stable():
    """The Prometheus of the machine's release (Debian 12: 2.42), shared by all tests: give series their own job."""
    with Prometheus(obtain("this release's prometheus", packages.prometheus_stable)) as prometheus:
        yield prometheus


@pytest.fixture(scope="session")
def prometheus_current():
    """A Prometheus from 3.5 up, with native histograms and exemplars; shared by all tests, as the stable one."""
    with Prometheus(obtain("prometheus 3.x", packages.prometheus_current), features=CURRENT_FEATURES) as prometheus:
        yield prometheus


@pytest.fixture(scope="session", params=["stable", "current"])
def prometheus(request):
    """Each of the two in turn, for a test that both must pass."""
    return request.getfixturevalue(f"prometheus_{request.param}")


@pytest.fixture(scope="session")
def victoria_metrics():
    """A VictoriaMetrics shared by all tests."""
    with VictoriaMetrics(obtain("victoria-metrics", packages.victoria_metrics)) as server:
        yield server


@pytest.fixture
def start_prometheus(server_stack):
    """start_prometheus(flags=(), features=CURRENT_FEATURES, ...): a current one of the test's own, to kill at will."""

    def start(*, features: Sequence[str] = CURRENT_FEATURES, **options) -> Prometheus:
        return obtain(
            "prometheus 3.x",
            lambda: server_stack.enter_context(Prometheus(packages.prometheus_current(), features=features, **options)),
        )

    return start


@pytest.fixture
def start_nginx(server_stack):
    """start_nginx(upstream, certificates=, demand_client_certificate=, users=): an nginx in front of the upstream."""

    def start(upstream: str, **options) -> Nginx:
        return obtain("nginx", lambda: server_stack.enter_context(Nginx(packages.nginx(), upstream, **options)))

    return start


@pytest.fixture
def start_squid(server_stack):
    """start_squid(users={"user": "password"}): a proxy, which demands credentials if it is given users."""

    def start(**options) -> Squid:
        return obtain("squid", lambda: server_stack.enter_context(Squid(packages.squid(), **options)))

    return start


@pytest.fixture
def redis():
    """A Redis that is empty."""
    with Redis(obtain("redis", packages.redis)) as server:
        yield server


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium, which is gone after the module's tests: until then its thread has an event loop."""
    with browser(obtain("chromium", packages.chromium)) as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """An authority, a certificate for 127.0.0.1 and localhost, and a client's certificate."""
    return issue_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def make_certificates(tmp_path_factory):
    """make_certificates("other.example"): the same from another authority, for a server of the given names."""

    def make(*names: str):
        return issue_certificates(tmp_path_factory.mktemp("certificates"), *names)

    return make


@pytest.fixture
def server_stack():
    """Servers entered here are gone after the test, the last first."""
    with ExitStack() as stack:
        yield stack


def obtain(name: str, get: Callable[[], Obtained], *, in_ci: bool = IN_CI) -> Obtained:
    """The server or its package; a skipped test says why it cannot be had, and in CI that is a failure."""
    try:
        return get()
    except UnavailableError as reason:
        refuse = pytest.fail if in_ci else pytest.skip
        return refuse(f"{name} is not available here: {reason}")
