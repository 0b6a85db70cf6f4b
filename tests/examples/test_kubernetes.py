"""The manifests are what Kubernetes and the Operator accept, and a container of theirs pushes what it should."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import urllib3
import yaml

from examples.launcher.shop import Shop
from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.end_to_end import workload
from tests.end_to_end.kubelet import Pod, environment, mount
from tests.servers.certificates import issue_certificates
from tests.servers.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
KUBERNETES = CHECKOUT / "examples" / "kubernetes"
CRD = CHECKOUT.parent / "shared" / "kubernetes" / "opentelemetry.io_instrumentations.yaml"
CLOUDS = ["eks/irsa.yaml", "eks/pod-identity.yaml", "aks/workload-identity.yaml"]
JOBS = ["jobs/cronjob.yaml", "jobs/cronjob-injected.yaml"]
FILES = ["operator/instrumentation.yaml", "operator/deployment.yaml", "env/deployment.yaml", *CLOUDS, *JOBS]
OTHER_VARIABLES = {
    "NAMESPACE_NAME",
    "NODE_NAME",
    "OTEL_LOGS_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_PYTHON_DISTRO",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_EXPORTER",
    "POD_NAME",
}


def manifests(*files):
    return [each for file in files for each in yaml.safe_load_all((KUBERNETES / file).read_text())]


def of_kind(kind, found):
    (manifest,) = (each for each in found if each["kind"] == kind)
    return manifest


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(each, id=f"{each['kind']} of {file}")
        for file in FILES
        for each in manifests(file)
        if each["kind"] != "Instrumentation"
    ],
)
def test_kubernetes_accepts_it(manifest):
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_kubernetes_would_not_accept_a_misspelled_field():
    secret = of_kind("Secret", manifests("env/deployment.yaml"))
    with pytest.raises(kubernetes_validate.ValidationError, match="stringDate"):
        kubernetes_validate.validate({**secret, "stringDate": {}}, kubernetes_validate.latest_version(), strict=True)


@pytest.fixture(scope="module")
def instrumentation_schema():
    """The schema of the Operator's own resource, which is not this project's and so not in the repository."""
    if not CRD.exists():
        refuse = pytest.fail if os.environ.get("OPERATOR_CRD") == "required" else pytest.skip
        refuse(f"{CRD.name} of the Operator is not beside the checkout: the Instrumentation is not validated")
    (version,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    assert version["name"] == "v1alpha1"
    return strict(version["schema"]["openAPIV3Schema"])


def strict(schema):
    """The schema, refusing the fields that it does not know; Kubernetes itself drops them without a word."""
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(part) for name, part in schema.items()}
    if "properties" in schema:
        closed["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
        closed.setdefault("additionalProperties", False)
    if closed.get("type") == "object" and "properties" not in schema:
        closed.setdefault("additionalProperties", True)
    return closed


def top(instrumentation_schema):
    """The schema with the metadata that every resource has, of which a CRD says nothing."""
    properties = {**instrumentation_schema["properties"], "metadata": {"type": "object"}}
    return jsonschema.Draft202012Validator({**instrumentation_schema, "properties": properties})


def test_operator_accepts_the_instrumentation(instrumentation_schema):
    top(instrumentation_schema).validate(of_kind("Instrumentation", manifests("operator/instrumentation.yaml")))


def test_operator_would_not_accept_a_misspelled_field(instrumentation_schema):
    instrumentation = of_kind("Instrumentation", manifests("operator/instrumentation.yaml"))
    instrumentation["spec"]["python"]["envs"] = instrumentation["spec"]["python"].pop("env")
    with pytest.raises(jsonschema.ValidationError, match="envs"):
        top(instrumentation_schema).validate(instrumentation)


@pytest.mark.parametrize("file", FILES)
def test_every_variable_is_one_that_somebody_reads(file):
    known = OTHER_VARIABLES | {row.variable for row in rows().values()}
    text = "\n".join(line.partition("#")[0] for line in (KUBERNETES / file).read_text().splitlines())
    named = {name.removeprefix("OTEL_EXPORTER_PRW_") for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text)}
    assert named <= known


def test_annotation_names_the_instrumentation():
    deployment = of_kind("Deployment", manifests("operator/deployment.yaml"))
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    instrumentation = of_kind("Instrumentation", manifests("operator/instrumentation.yaml"))
    assert annotations["instrumentation.opentelemetry.io/inject-python"] == instrumentation["metadata"]["name"]


@pytest.mark.parametrize("file", ["operator/Dockerfile", "env/Dockerfile"])
def test_dockerfile_copies_what_there_is(file):
    text = (KUBERNETES / file).read_text()
    sources = [
        source for words in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for source in words.split()[:-1]
    ]
    assert sources
    for source in sources:
        assert (CHECKOUT / source).exists(), source
    assert f"--file examples/kubernetes/{file} " in text


@pytest.mark.parametrize("file", ["operator/Dockerfile", "env/Dockerfile"])
def test_build_argument_installs_the_extras(file):
    """The words that the shell of an image makes of its line, without and with the argument."""
    dockerfile = (KUBERNETES / file).read_text()
    assert re.search(r'^ARG EXTRAS=""$', dockerfile, re.MULTILINE)
    lines = re.findall(r"^RUN (pip install .*?)(?<!\\)$", dockerfile, re.MULTILINE | re.DOTALL)
    assert lines
    for line in lines:
        for extras, installed in (("", "/exporter"), ("aws,azure", "/exporter[aws,azure]")):
            script = line.replace("pip install", "printf '%s\\n'")
            ran = subprocess.run(
                ["sh", "-c", script], env={"EXTRAS": extras, "PACKAGES": "/exporter"}, capture_output=True, check=True
            )
            assert ran.stderr == b""
            assert installed in ran.stdout.decode().splitlines()


@pytest.mark.parametrize("file", CLOUDS)
def test_pod_of_a_cloud_has_the_account_and_the_way_to_authenticate_that_its_name_says(file):
    found = manifests(file)
    account, deployment = of_kind("ServiceAccount", found), of_kind("Deployment", found)
    template = deployment["spec"]["template"]
    assert template["spec"]["serviceAccountName"] == account["metadata"]["name"]
    (container,) = template["spec"]["containers"]
    settings, problems = load({}, environment(container, [], Pod()))
    assert (settings.auth, problems) == ("azure" if file.startswith("aks") else "sigv4", [])
    annotations = account["metadata"].get("annotations", {})
    match file.split("/")[1]:
        case "irsa.yaml":
            assert annotations["eks.amazonaws.com/role-arn"].startswith("arn:aws:iam::")
        case "pod-identity.yaml":
            assert annotations == {}
        case "workload-identity.yaml":
            assert "azure.workload.identity/client-id" in annotations
            assert template["metadata"]["labels"]["azure.workload.identity/use"] == "true"


def test_image_of_the_operator_has_what_its_init_container_copies():
    stages = (KUBERNETES / "operator" / "Dockerfile").read_text().split("\nFROM ")[1:]
    last = stages[-1]
    assert [stage.splitlines()[0].rpartition(" AS ")[2] for stage in stages[:-1]] == ["glibc", "musl"]
    assert last.startswith("busybox")  # it has cp
    assert "COPY --from=glibc /autoinstrumentation /autoinstrumentation\n" in last
    assert "COPY --from=musl /autoinstrumentation /autoinstrumentation-musl\n" in last
    assert "RUN chmod -R a+rX /autoinstrumentation /autoinstrumentation-musl\n" in last


def test_container_that_carries_our_package_pushes_as_its_manifest_says(tmp_path):
    """Its ConfigMap, Secret and env; only where to push to, and the authority to trust, are the test's."""
    found = manifests("env/deployment.yaml")
    certificates = issue_certificates(tmp_path)
    of_kind("Secret", found)["stringData"]["ca.crt"] = certificates.ca.read_text()
    pod_spec = of_kind("Deployment", found)["spec"]["template"]["spec"]
    (container,) = pod_spec["containers"]
    variables = environment(container, found, Pod())
    files = mount(pod_spec, container, found, tmp_path)
    assert variables["OTEL_EXPORTER_PRW_PASSWORD_FILE"] in files
    assert variables["OTEL_EXPORTER_PRW_CERTIFICATE"] in files
    assert variables["OTEL_EXPORTER_PRW_INTERVAL"] == "15000"  # not the ConfigMap's
    assert container["command"][:2] == ["opentelemetry-instrument", "flask"]
    with Receiver() as receiver:
        here = {name: str(files.get(text, text)) for name, text in variables.items()}
        with Shop({**here, "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}, free_port(), tmp_path / "log") as shop:
            with urllib3.PoolManager(retries=False) as http:
                assert http.request("GET", f"{shop.url}/products/7").status == 200
            assert shop.stop() == 0, shop.log
        assert receiver.rejected == []
        assert receiver.values(
            "http_server_request_duration_seconds_count",
            job="berlin/shop",
            instance=f"berlin.{Pod().name}.app",
            k8s_node_name="node-1",
        ) == [0, 1]
        headers = receiver.received[-1].headers
    assert headers["X-Scope-OrgID"] == "berlin"
    assert headers["Authorization"] == urllib3.make_headers(basic_auth="shop:replace-me")["authorization"]


def test_readme_names_the_variables_that_the_operator_always_sets():
    readme = (KUBERNETES / "README.md").read_text()
    (table,) = re.findall(r"<!-- variables -->(.*)<!-- /variables -->", readme, re.DOTALL)
    first_cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    deployment = of_kind("Deployment", manifests("operator/deployment.yaml"))
    found = workload.injected(deployment, {"spec": {"python": {}}}, "berlin")
    assert set(re.findall("`(.*?)`", " ".join(first_cells))) == {each["name"] for each in found["env"]}


def test_readme_names_files_that_there_are():
    readme = (KUBERNETES / "README.md").read_text()
    named = set(re.findall(r"examples/kubernetes/[\w/]+(?:\.yaml|Dockerfile)", readme))
    there = {path.relative_to(CHECKOUT).as_posix() for path in KUBERNETES.rglob("*") if path.is_file()}
    # The rest is applied with its folder, or shown.
    assert named <= there
    assert {name for name in there if name.endswith("Dockerfile")} <= named
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", readme):
        assert (KUBERNETES / target).exists(), target


def test_command_of_the_readme_annotates_as_the_deployment_is_annotated():
    (command,) = re.findall(r"^ *(kubectl patch .*)$", (KUBERNETES / "README.md").read_text(), re.MULTILINE)
    patch = json.loads(shlex.split(command)[-1])
    deployment = of_kind("Deployment", manifests("operator/deployment.yaml"))
    assert f"deployment {deployment['metadata']['name']} " in command
    patched = patch["spec"]["template"]["metadata"]
    assert patched["annotations"] == deployment["spec"]["template"]["metadata"]["annotations"]


def test_image_that_the_readme_builds_is_the_one_that_is_injected():
    (built,) = set(re.findall(r"registry\.example/autoinstrumentation\S+", (KUBERNETES / "README.md").read_text()))
    instrumentation = of_kind("Instrumentation", manifests("operator/instrumentation.yaml"))
    assert instrumentation["spec"]["python"]["image"] == built
    assert built in (KUBERNETES / "operator" / "Dockerfile").read_text()
