"""What the Operator makes of pods, by its model: of the example's, and of every other kind that asks to be injected."""

from __future__ import annotations

import subprocess
from copy import deepcopy

import pytest
import yaml
from kubernetes_validate import latest_version, validate

from tests.end_to_end import operator_webhook, workload
from tests.end_to_end.conftest import OPERATOR
from tests.end_to_end.kubelet import Pod, environment
from tests.end_to_end.operator_webhook import FOLDER, NAME, PATH

SECRET, INSTRUMENTATION = yaml.safe_load_all((OPERATOR / "instrumentation.yaml").read_text())
DEPLOYMENT = yaml.safe_load((OPERATOR / "deployment.yaml").read_text())
BARE = {"spec": {"python": {}}}
WITH_LABELS = {"spec": {"python": {}, "defaults": {"useLabelsForResourceAttributes": True}}}
ANNOTATION, ATTRIBUTE = "instrumentation.opentelemetry.io/", "resource.opentelemetry.io/"
ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"


def pod(*names, annotations=None, labels=None, image="registry.example/shop:1.0", owners=(), **more):
    """A pod as the Operator sees it, with a container of each name."""
    containers = [{"name": name, "image": image} for name in names or ["app"]]
    metadata = {"annotations": annotations or {}, "labels": labels or {}, "ownerReferences": list(owners)}
    return {"metadata": metadata, "spec": {"containers": containers, **more}}


def with_env(variables, **kind):
    made = pod(**kind)
    made["spec"]["containers"][0]["env"] = [{"name": name, "value": text} for name, text in variables.items()]
    return made


def inject(made, instrumentation=BARE, owners=()):
    return operator_webhook.inject(made, instrumentation, "berlin", owners)


def env_of(changed):
    return {each["name"]: each for each in changed["spec"]["containers"][0].get("env", [])}


def seen(changed):
    """The variables of the first container's process."""
    return environment(changed["spec"]["containers"][0], [SECRET], Pod())


def attributes(changed):
    """What the SDK reads: of two that have one name the last."""
    pairs = (pair.partition("=") for pair in seen(changed)[ATTRIBUTES].split(",") if "=" in pair)
    return {name.strip(): value.strip() for name, _, value in pairs}


def owned_by(kind, name="shop"):
    return {"kind": kind, "name": name}


class TestTheExample:
    def test_its_pod_has_the_folder_and_the_init_container_that_fills_it(self):
        made, owners = workload.pod(DEPLOYMENT)
        changed = inject(made, INSTRUMENTATION, owners)
        (volume,), (copying,) = changed["spec"]["volumes"], changed["spec"]["initContainers"]
        assert volume == {"name": NAME, "emptyDir": {"sizeLimit": "200Mi"}}
        assert copying == {
            "name": NAME,
            "image": INSTRUMENTATION["spec"]["python"]["image"],
            "command": ["cp", "-r", "/autoinstrumentation/.", FOLDER],
            "resources": INSTRUMENTATION["spec"]["python"]["resourceRequirements"],
            "volumeMounts": [{"name": NAME, "mountPath": FOLDER}],
            "securityContext": made["spec"]["containers"][0]["securityContext"],  # so it may copy as user 1000
        }
        assert changed["spec"]["containers"][0]["volumeMounts"] == [{"name": NAME, "mountPath": FOLDER}]

    def test_its_pod_is_one_that_kubernetes_accepts(self):
        made, owners = workload.pod(DEPLOYMENT)
        changed = inject(made, INSTRUMENTATION, owners)
        template = {"metadata": {"labels": changed["metadata"]["labels"]}, "spec": changed["spec"]}
        spec = {**DEPLOYMENT["spec"], "template": template}
        validate({**DEPLOYMENT, "spec": spec}, latest_version(), strict=True)

    def test_the_init_container_may_use_as_much_memory_as_the_operator_gives_it_by_itself(self):
        """64Mi was upstream's limit, too, until it ended by OOM kills."""
        resources = INSTRUMENTATION["spec"]["python"]["resourceRequirements"]
        assert resources == {
            "limits": {"cpu": "500m", "memory": "256Mi"},
            "requests": {"cpu": "50m", "memory": "64Mi"},
        }

    def test_a_pod_is_injected_only_once(self):
        made, owners = workload.pod(DEPLOYMENT)
        changed = inject(made, INSTRUMENTATION, owners)
        assert inject(changed, INSTRUMENTATION, owners) == changed

    def test_the_pod_that_came_in_is_left_as_it_was(self):
        made = pod()
        before = deepcopy(made)
        inject(made)
        assert made == before


class TestVariables:
    def test_the_container_s_own_win_then_the_instrumentation_s_and_only_then_the_defaults(self):
        deployment = deepcopy(DEPLOYMENT)
        deployment["spec"]["template"]["spec"]["containers"][0]["env"] = [
            {"name": "OTEL_EXPORTER_PRW_ENDPOINT", "value": "http://container"},
            {"name": ATTRIBUTES, "value": "service.instance.id=mine"},
        ]
        variables = environment(workload.injected(deployment, INSTRUMENTATION, "berlin"), [SECRET], Pod())
        assert variables["OTEL_EXPORTER_PRW_ENDPOINT"] == "http://container"
        assert variables["OTEL_METRICS_EXPORTER"] == "prometheus_remote_write"
        assert variables["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
        assert variables[ATTRIBUTES].startswith("service.instance.id=mine,k8s.container.name=app,")

    def test_a_config_map_loses_to_the_defaults(self):
        made = pod()
        made["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "own"}}]
        own = {"OTEL_METRICS_EXPORTER": "none", "PYTHONPATH": "/app", "OTHER": "1"}
        manifest = {"kind": "ConfigMap", "metadata": {"name": "own"}, "data": own}
        variables = environment(inject(made)["spec"]["containers"][0], [manifest], Pod())
        assert (variables["OTEL_METRICS_EXPORTER"], variables["OTHER"]) == ("otlp", "1")
        assert variables["PYTHONPATH"] == ":".join(PATH)

    def test_those_of_spec_env_come_after_those_of_the_language(self):
        both = {"name": "BOTH", "value": "python"}, {"name": "BOTH", "value": "common"}
        instrumentation = {
            "spec": {"python": {"env": [both[0]]}, "env": [both[1], {"name": "COMMON", "value": "1"}]},
        }
        variables = seen(inject(pod(), instrumentation))
        assert (variables["BOTH"], variables["COMMON"]) == ("python", "1")

    def test_path_of_the_application_is_in_the_middle(self):
        assert seen(inject(with_env({"PYTHONPATH": "/app"})))["PYTHONPATH"] == f"{PATH[0]}:/app:{PATH[1]}"

    def test_path_by_a_reference_means_that_the_container_is_left_alone(self):
        made = pod()
        source = {"configMapKeyRef": {"name": "own", "key": "path"}}
        made["spec"]["containers"][0]["env"] = [{"name": "PYTHONPATH", "valueFrom": source}]
        changed = inject(made)
        assert changed["spec"]["containers"] == made["spec"]["containers"]
        assert [each["name"] for each in changed["spec"]["initContainers"]] == [NAME]  # copies for nobody

    def test_attributes_by_a_reference_become_a_variable_that_kubernetes_refuses(self):
        """It has both a value and a reference, which the API server does not let pass."""
        made = pod()
        source = {"configMapKeyRef": {"name": "own", "key": "attributes"}}
        made["spec"]["containers"][0]["env"] = [{"name": ATTRIBUTES, "valueFrom": source}]
        variable = env_of(inject(made))[ATTRIBUTES]
        assert variable["valueFrom"] == source
        assert variable["value"].startswith(",k8s.container.name=app,")


@pytest.mark.parametrize(
    ("platform", "copied"),
    [
        pytest.param({}, "/autoinstrumentation/.", id="none"),
        pytest.param({"otel-python-platform": "glibc"}, "/autoinstrumentation/.", id="glibc"),
        pytest.param({"otel-python-platform": "musl"}, "/autoinstrumentation-musl/.", id="musl"),
    ],
)
def test_platform_says_which_folder_is_copied(platform, copied):
    (copying,) = inject(pod(annotations={ANNOTATION + name: value for name, value in platform.items()}))["spec"][
        "initContainers"
    ]
    assert copying["command"][2] == copied


def test_another_platform_leaves_the_container_alone_and_its_init_container_fails(tmp_path):
    made = pod(annotations={f"{ANNOTATION}otel-python-platform": "alpine"})
    changed = inject(made)
    assert changed["spec"]["containers"] == made["spec"]["containers"]
    (copying,) = changed["spec"]["initContainers"]
    assert copying["command"] == ["cp", "-r", "", FOLDER]
    copied = subprocess.run([*copying["command"][:3], tmp_path], capture_output=True, check=False)
    assert copied.returncode != 0


@pytest.mark.parametrize(
    ("names", "injected"),
    [
        pytest.param({}, {"app"}, id="the first where nothing is said"),
        pytest.param({"container-names": "sidecar"}, {"sidecar"}, id="the one that is named"),
        pytest.param({"container-names": "app,sidecar"}, {"app", "sidecar"}, id="both"),
        pytest.param({"python-container-names": "sidecar"}, {"sidecar"}, id="named for Python alone"),
        pytest.param({"container-names": "sidecar,typo"}, {"sidecar"}, id="an unknown name is passed over"),
        pytest.param({"container-names": "typo"}, set(), id="none where only an unknown one is named"),
    ],
)
def test_containers_that_are_injected(names, injected):
    made = pod("app", "sidecar", annotations={ANNOTATION + name: value for name, value in names.items()})
    changed = inject(made)
    assert {each["name"] for each in changed["spec"]["containers"] if each.get("volumeMounts")} == injected
    assert bool(changed["spec"].get("initContainers")) is bool(injected)


@pytest.mark.parametrize(
    ("kind", "service", "expected"),
    [
        ("Deployment", "shop", {"k8s.deployment.name": "shop", "k8s.replicaset.name": "shop-5d9c8b7f6"}),
        ("StatefulSet", "shop", {"k8s.statefulset.name": "shop"}),
        ("DaemonSet", "shop", {"k8s.daemonset.name": "shop"}),
        ("Job", "shop", {"k8s.job.name": "shop"}),
        ("CronJob", "shop", {"k8s.cronjob.name": "shop", "k8s.job.name": "shop-29368080"}),
    ],
)
def test_owners_of_a_pod_are_resource_attributes_and_the_topmost_is_the_service(kind, service, expected):
    template = {"metadata": {}, "spec": {"containers": [{"name": "app", "image": "shop:1.0"}]}}
    spec = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    made, owners = workload.pod({"kind": kind, "metadata": {"name": "shop"}, "spec": spec})
    changed = inject(made, owners=owners)
    assert seen(changed)["OTEL_SERVICE_NAME"] == service
    owned = {name: value for name, value in attributes(changed).items() if name in operator_webhook.OWNERS.values()}
    assert owned == expected


@pytest.mark.parametrize(
    ("made", "owners", "service"),
    [
        pytest.param(pod(), [], "app", id="the container where nobody owns the pod and it has no name yet"),
        pytest.param({**pod(), "metadata": {"name": "till"}}, [], "till", id="the pod where it has a name"),
        pytest.param(pod(owners=[owned_by("ReplicaSet")]), [], "shop", id="a ReplicaSet without a Deployment"),
        pytest.param(pod(owners=[owned_by("Rollout")]), [], "app", id="an owner of a kind that is not known"),
    ],
)
def test_service_s_name_without_a_workload(made, owners, service):
    assert seen(inject(made, owners=owners))["OTEL_SERVICE_NAME"] == service


@pytest.mark.parametrize(
    ("annotations", "labels", "instrumentation", "expected"),
    [
        pytest.param(
            {"service.name": "till", "service.version": "2", "service.namespace": "shops", "team": "a"},
            {},
            BARE,
            {"service.version": "2", "service.namespace": "shops", "team": "a"},
            id="annotations",
        ),
        pytest.param(
            {"service.instance.id": "mine"}, {}, BARE, {"service.instance.id": "mine"}, id="an instance id of one's own"
        ),
        pytest.param(
            {},
            {"app.kubernetes.io/name": "till", "app.kubernetes.io/version": "2"},
            WITH_LABELS,
            {"service.version": "2"},
            id="labels where the Instrumentation says so",
        ),
        pytest.param(
            {}, {"app.kubernetes.io/version": "2"}, BARE, {"service.version": "1.0"}, id="labels where it does not"
        ),
        pytest.param(
            {"team": "pod"},
            {},
            {"spec": {"python": {}, "resource": {"resourceAttributes": {"team": "all", "region": "eu"}}}},
            {"team": "pod", "region": "eu"},
            id="attributes of the Instrumentation lose to annotations",
        ),
        pytest.param(
            {},
            {},
            {"spec": {"python": {}, "resource": {"resourceAttributes": {"k8s.namespace.name": "all"}}}},
            {"k8s.namespace.name": "berlin"},
            id="and to what is so",
        ),
    ],
)
def test_attributes_from_the_pod_and_the_instrumentation(annotations, labels, instrumentation, expected):
    made = pod(annotations={ATTRIBUTE + name: value for name, value in annotations.items()}, labels=labels)
    changed = inject(made, instrumentation)
    assert expected.items() <= attributes(changed).items()
    named = annotations.get("service.name") or (
        labels.get("app.kubernetes.io/name") if "defaults" in str(instrumentation) else ""
    )
    assert seen(changed)["OTEL_SERVICE_NAME"] == (named or "app")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("shop:1.0", "1.0"),
        ("registry.example:5000/shop:1.0", "1.0"),
        ("registry.example:5000/shop", None),
        ("shop", None),
        ("shop@sha256:0123", "sha256:0123"),
        ("shop:1.0@sha256:0123", "1.0@sha256:0123"),
    ],
)
def test_version_is_the_image_s_tag_and_digest(image, version):
    assert attributes(inject(pod(image=image))).get("service.version") == version


INSTANCE = f"berlin.{Pod().name}.app"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param("team=a", {"team": "a", "service.instance.id": INSTANCE}, id="one of its own"),
        pytest.param("team=a,", {"team": "a", "service.instance.id": INSTANCE}, id="with a comma at its end"),
        pytest.param("a=1, service.instance.id=mine", {"service.instance.id": "mine"}, id="a blank after the comma"),
        pytest.param(
            "service.instance.id =mine", {"service.instance.id": INSTANCE}, id="a blank before the equals sign"
        ),
        pytest.param("service.instance.id=a=b", {"service.instance.id": INSTANCE}, id="an equals sign in its value"),
        pytest.param("service.instance.id=", {"service.instance.id": ""}, id="an empty value"),
        pytest.param("service.instance.id", {"service.instance.id": INSTANCE}, id="no value at all"),
        pytest.param("k8s.pod.name=mine", {"k8s.pod.name": Pod().name}, id="the pod's name is always the pod's"),
        pytest.param("k8s.node.name=mine", {"k8s.node.name": Pod().node}, id="the node's name, too"),
        pytest.param("not.service.version=1", {}, id="a name that contains the version's leaves no version"),
    ],
)
def test_attributes_of_the_container_are_read_as_the_operator_reads_them(own, expected):
    found = attributes(inject(with_env({ATTRIBUTES: own})))
    assert {name: found.get(name) for name in expected} == expected
    assert ("service.version" in found) is ("service.version" not in own)


def test_deployment_s_name_in_the_attributes_is_not_taken_for_the_service():
    made = with_env({ATTRIBUTES: "k8s.deployment.name=till"}, owners=[owned_by("ReplicaSet", "shop-5d9c8b7f6")])
    owner = {"kind": "ReplicaSet", "metadata": {"name": "shop-5d9c8b7f6", "ownerReferences": [owned_by("Deployment")]}}
    assert seen(inject(made, owners=[owner]))["OTEL_SERVICE_NAME"] == "shop-5d9c8b7f6"
