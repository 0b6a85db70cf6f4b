"""Receivers of clouds, under the launcher by environment alone and injected as the Operator does it.

The environment of pods is made of the examples' manifests and of what EKS and AKS put into a pod. The receiver verifies
signatures and tokens; STS is moto's, the provider Authlib's, the other services are small servers of the tests.
"""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
import yaml
from moto.server import ThreadedMotoServer

from tests.application import run
from tests.end_to_end import installations
from tests.end_to_end.conftest import SHOP
from tests.end_to_end.kubelet import Pod, environment
from tests.transport.authentication import metadata, provider
from tests.transport.authentication.entra import CLIENT, TENANT, Entra
from tests.transport.authentication.signature import Refused, verify
from tests.transport.scripted_server import ScriptedServer, answer, silent

KUBERNETES = Path(__file__).resolve().parents[2] / "examples" / "kubernetes"
REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
DATA_PATH = "opentelemetry.exporter.prometheus_remote_write.data_path"
NO_METADATA = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
SIGV4 = {"OTEL_EXPORTER_PRW_AUTH": "sigv4", "OTEL_EXPORTER_PRW_SIGV4_REGION": REGION}


@pytest.fixture
def serve(server_stack):
    """serve(manager): what it yields, until the test ends."""
    return server_stack.enter_context


@pytest.fixture
def start(serve):
    """start(accepts): a server that takes a request of which accepts is true."""

    def receiver(accepts):
        return serve(ScriptedServer(lambda exchange: answer(200 if accepts(exchange.request) else 403)(exchange)))

    return receiver


def pod(file, url, **of_the_cloud):
    """The variables of a container of the examples, as kubelet and the cloud's webhook make them."""
    found = list(yaml.safe_load_all((KUBERNETES / file).read_text()))
    (deployment,) = (each for each in found if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    given = environment(container, found, Pod())
    assert given["OTEL_EXPORTER_PRW_ENDPOINT"].startswith("https://")
    return {**given, "OTEL_EXPORTER_PRW_ENDPOINT": url, **of_the_cloud}


def signed_by(keys):
    def accepts(request):
        try:
            verify(request, keys, region=REGION, service="aps")
        except Refused:
            return False
        return True

    return accepts


def assert_pushed(ended, server):
    assert (ended.status, ended.errors) == (0, [])
    assert server.requests
    for secret in (*KEYS.values(), provider.SECRET):
        assert secret not in ended.output


def test_keys_in_the_environment(fully, start):
    server = start(signed_by({KEYS["AWS_ACCESS_KEY_ID"]: (KEYS["AWS_SECRET_ACCESS_KEY"], None)}))
    url = f"{server.url}/workspaces/ws-1/api/v1/remote_write"
    assert_pushed(fully(OTEL_EXPORTER_PRW_ENDPOINT=url, **SIGV4, **KEYS, **NO_METADATA), server)


def test_pod_of_eks_with_pod_identity(fully, start, serve, tmp_path):
    issued = metadata.Issued(timedelta(hours=6))
    agent = serve(metadata.serving(metadata.pod_identity(issued)))
    (tmp_path / "token").write_text(metadata.POD_TOKEN)
    server = start(signed_by(issued.keys))
    of_eks = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{agent}/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_REGION": REGION,
    }
    assert_pushed(fully(**pod("eks/pod-identity.yaml", server.url, **of_eks)), server)
    assert issued.count == 1


@pytest.fixture
def sts():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_pod_of_eks_with_a_role_of_its_service_account(fully, start, sts, tmp_path):
    (tmp_path / "token").write_text("a.b.c")
    begins = "AWS4-HMAC-SHA256 Credential=ASIA"  # what moto issues; its secret is told to nobody but us
    server = start(lambda request: request.headers.get("authorization", "").startswith(begins))
    of_eks = {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/shop-metrics",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_STS": sts,
    }
    assert_pushed(fully(**pod("eks/irsa.yaml", server.url, **of_eks)), server)


def test_pod_of_aks_with_workload_identity(fully, start, serve, tmp_path):
    entra, ca = Entra(["federated"]), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "token").write_text("federated")
    server = start(lambda request: entra.accepts(request.headers.get("authorization", "")))
    of_aks = {
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_AUTHORITY_HOST": serve(metadata.serving(entra.handler(), context)),
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
        "OTEL_EXPORTER_PRW_CERTIFICATE": str(tmp_path / "ca.pem"),
    }
    assert_pushed(fully(**pod("aks/workload-identity.yaml", server.url, **of_aks)), server)
    assert len(entra.issued) == 1


def test_gateway_with_oauth2(fully, start, serve):
    issuer = provider.Provider()
    server = start(lambda request: issuer.accepts(request.headers.get("authorization", "")))
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": server.url,
        "OTEL_EXPORTER_PRW_OAUTH2_TOKEN_URL": serve(provider.serving(issuer)),
        "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_ID": provider.CLIENT,
        "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_SECRET": provider.SECRET,
    }
    assert_pushed(fully(**variables), server)
    assert len(issuer.issued) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param(
            "botocore.session",
            lambda url: {**SIGV4, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/v1/credentials"},
            id="Amazon",
        ),
        pytest.param(
            "azure.identity",
            lambda url: {"OTEL_EXPORTER_PRW_AUTH": "azure", "AZURE_POD_IDENTITY_AUTHORITY_HOST": url},
            id="Azure",
        ),
        pytest.param(
            "oauthlib.oauth2",
            lambda url: {
                "OTEL_EXPORTER_PRW_OAUTH2_TOKEN_URL": url,
                "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_ID": "shop",
                "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_SECRET": "secret",
            },
            id="OAuth2",
        ),
    ],
)
def test_source_that_hangs_costs_a_line_and_no_exit(*, fully, start, serve, module, source):
    server, hanging = start(lambda _: True), serve(ScriptedServer(silent))
    # What is imported for the last export is imported before: here the time is for the source.
    script = f"import {module}, {DATA_PATH}\n{SHOP.read_text()}"
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": server.url, "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "3000"}
    ended = fully(script, **variables, **source(hanging.url))
    assert ended.status == 0
    assert len(ended.errors) <= 2
    assert " did not come " in ended.errors[0]
    assert server.requests == []


@pytest.mark.parametrize(
    ("variables", "extra"),
    [
        (SIGV4, "aws"),
        ({"OTEL_EXPORTER_PRW_AUTH": "azure"}, "azure"),
        (
            {
                "OTEL_EXPORTER_PRW_OAUTH2_TOKEN_URL": "https://127.0.0.1:9/",
                "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_ID": "shop",
                "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_SECRET": "secret",
            },
            "oauth2",
        ),
    ],
)
def test_missing_extra_is_one_line_with_the_command(plainly, start, variables, extra):
    server = start(lambda _: True)
    ended = plainly(OTEL_EXPORTER_PRW_ENDPOINT=server.url, **variables)
    assert ended.status == 0
    assert f"pip install 'opentelemetry-exporter-prometheus-remote-write[{extra}]'" in ended.errors[0]
    assert len(ended.errors) <= 2
    assert server.requests == []


@pytest.fixture(scope="module")
def image_with_extras(tmp_path_factory):
    """The folder /autoinstrumentation of an image that was built with the extras of all clouds."""
    return installations.injected(tmp_path_factory.mktemp("extras"), extras="aws,azure,oauth2")


def megabytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def test_size_of_the_extras_is_that_of_the_readme(image, image_with_extras):
    assert "30 MB at most" in (KUBERNETES / "README.md").read_text()
    assert megabytes(image_with_extras) - megabytes(image) < 30 + 30 + 3


def test_injected_pod_signs(*, injected, image_with_extras, plain, start, tmp_path):
    server = start(signed_by({KEYS["AWS_ACCESS_KEY_ID"]: (KEYS["AWS_SECRET_ACCESS_KEY"], None)}))
    given = injected(folder=image_with_extras, url=server.url, has_token=False, **SIGV4, **KEYS, **NO_METADATA)
    ended = run("python", SHOP, cwd=tmp_path, python=plain, **given)
    assert ended == (0, "without flask\n", [])
    assert server.requests


def test_injected_pod_has_a_token(*, injected, image_with_extras, plain, start, serve, tmp_path):
    issued = []
    imds = serve(metadata.serving(metadata.azure_imds(issued)))
    server = start(lambda request: request.headers.get("authorization", "").removeprefix("Bearer ") in issued)
    given = {"OTEL_EXPORTER_PRW_AUTH": "azure", "AZURE_POD_IDENTITY_AUTHORITY_HOST": imds}
    given = injected(folder=image_with_extras, url=server.url, has_token=False, **given)
    assert run("python", SHOP, cwd=tmp_path, python=plain, **given) == (0, "without flask\n", [])
    assert server.requests
