from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.translation.target import target

ESCAPED = TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES
UNTRANSLATED = TranslationStrategy.NO_TRANSLATION

SERVICE = {"service.name": "checkout", "service.namespace": "shop", "service.instance.id": "i-1"}


def target_of(resource_attributes, **settings):
    """The target with the defaults of all settings but those given."""
    defaults = {
        "strategy": ESCAPED,
        "namespace": "",
        "external_labels": {},
        "resource_labels": (),
        "resources_as_labels": False,
        "target_info": True,
    }
    return target(resource_attributes, **(defaults | settings))


# --- job and instance


@pytest.mark.parametrize(
    ("attributes", "labels"),
    [
        pytest.param(SERVICE, {"job": "shop/checkout", "instance": "i-1"}, id="both"),
        pytest.param({"service.name": "svc"}, {"job": "svc"}, id="a name alone is the job"),
        pytest.param({"service.name": "svc", "service.namespace": ""}, {"job": "svc"}, id="so is one in no namespace"),
        pytest.param({"service.namespace": "ns"}, {}, id="a namespace alone is no job"),
        pytest.param({"service.name": ""}, {}, id="an empty name is none"),
        pytest.param({"service.instance.id": "i"}, {"instance": "i"}, id="an instance without a job"),
        pytest.param({"service.name": 7, "service.instance.id": 8}, {"job": "7", "instance": "8"}, id="numbers"),
        pytest.param({"service.name": "a\udcff"}, {"job": "a\ufffd"}, id="what is not UTF-8 is replaced"),
        pytest.param({"job": "j", "instance": "i"}, {}, id="attributes of these names are others"),
        pytest.param({}, {}, id="neither"),
    ],
)
def test_job_and_instance(attributes, labels):
    assert target_of(attributes).labels == labels


# --- resource attributes on every series


ATTRIBUTES = {**SERVICE, "host.name": "h1", "host.id": 7, "k8s.pod.name": "p"}


@pytest.mark.parametrize(
    ("globs", "promoted"),
    [
        pytest.param([], {}, id="none unless asked for"),
        pytest.param(["host.name"], {"host_name": "h1"}, id="one by its key"),
        pytest.param(["host.*"], {"host_name": "h1", "host_id": "7"}, id="some by a glob"),
        pytest.param(["host.?d", "k8s.*"], {"host_id": "7", "k8s_pod_name": "p"}, id="by several"),
        pytest.param(["HOST.NAME"], {}, id="case matters"),
        pytest.param(["*", "!service.*", "!host.id"], {"host_name": "h1", "k8s_pod_name": "p"}, id="all but some"),
        pytest.param(["!service.*", "!host.id", "*"], {"host_name": "h1", "k8s_pod_name": "p"}, id="in any order"),
        pytest.param(["!host.*"], {}, id="an exclusion names nothing"),
        pytest.param(["service.name"], {"service_name": "checkout"}, id="those that identify too"),
    ],
)
def test_resource_attributes_copied_onto_every_series(globs, promoted):
    assert target_of(ATTRIBUTES, resource_labels=globs).promoted == promoted


def test_resources_as_labels_copies_every_attribute():
    assert target_of(ATTRIBUTES, resources_as_labels=True).promoted == {
        "service_name": "checkout",
        "service_namespace": "shop",
        "service_instance_id": "i-1",
        "host_name": "h1",
        "host_id": "7",
        "k8s_pod_name": "p",
    }


def test_resources_as_labels_leaves_out_what_is_excluded():
    promoted = target_of(ATTRIBUTES, resources_as_labels=True, resource_labels=["!service.*", "!k8s.*"]).promoted
    assert promoted == {"host_name": "h1", "host_id": "7"}


def test_copied_attributes_are_translated_like_any():
    assert target_of({"a.b": "1", "a_b": "2"}, resource_labels=["*"]).promoted == {"a_b": "1;2"}
    attributes = {"a.b": "1", "a_b": "2"}
    assert target_of(attributes, resource_labels=["*"], strategy=UNTRANSLATED).promoted == attributes


# --- target_info


def test_target_info_describes_what_the_series_are_of():
    attributes = {**SERVICE, "host.name": "h1", "k8s.pod.labels": ["a", "b"]}
    assert target_of(attributes).info == (
        ("__name__", "target_info"),
        ("host_name", "h1"),
        ("instance", "i-1"),
        ("job", "shop/checkout"),
        ("k8s_pod_labels", '["a","b"]'),
    )


def test_external_labels_go_where_the_resource_has_none():
    external = {"env": "ext", "job": "extjob", "instance": "extinst", "host_name": "exthost"}
    info = target_of({"service.name": "svc", "host.name": "h1"}, external_labels=external).info
    assert dict(info) == {
        "__name__": "target_info",
        "env": "ext",
        "host_name": "h1",
        "instance": "extinst",
        "job": "svc",
    }


@pytest.mark.parametrize(
    ("namespace", "strategy", "name"),
    [
        ("", ESCAPED, "target_info"),
        ("ns", ESCAPED, "ns_target_info"),
        ("9ns", ESCAPED, "_9ns_target_info"),
        ("my.ns", UNTRANSLATED, "my.ns_target_info"),
    ],
)
def test_the_namespace_is_in_front_of_its_name(namespace, strategy, name):
    info = target_of({**SERVICE, "host.name": "h1"}, namespace=namespace, strategy=strategy).info
    assert dict(info)["__name__"] == name


def test_an_attribute_named_job_is_exported_beside_the_job_but_is_one_where_there_is_none():
    assert dict(target_of({"service.name": "svc", "job": "j", "instance": "x"}).info) == {
        "__name__": "target_info",
        "exported_job": "j",
        "instance": "x",
        "job": "svc",
    }
    assert dict(target_of({"job": "j"}).info) == {"__name__": "target_info", "job": "j"}


def test_a_promoted_attribute_named_job_is_exported():
    promoted = target_of({"service.name": "svc", "job": "j"}, resource_labels=["job"]).promoted
    assert promoted == {"exported_job": "j"}


@pytest.mark.parametrize(
    ("attributes", "settings"),
    [
        pytest.param(SERVICE, {}, id="a resource with nothing else to say"),
        pytest.param({**SERVICE, "host.name": ""}, {}, id="a resource with nothing in what it says"),
        pytest.param({"host.name": "h1"}, {}, id="a resource without job and instance"),
        pytest.param({**SERVICE, "host.name": "h1"}, {"target_info": False}, id="the user does not want it"),
        pytest.param({}, {}, id="an empty resource"),
    ],
)
def test_when_target_info_is_not_sent(attributes, settings):
    assert target_of(attributes, **settings).info is None


def test_an_external_instance_is_enough_to_join_on():
    info = target_of({"host.name": "h1"}, external_labels={"instance": "i"}).info
    assert dict(info) == {"__name__": "target_info", "host_name": "h1", "instance": "i"}


# --- odd resources


def test_an_attribute_that_cannot_be_a_label_is_left_out_alone():
    result = target_of({**SERVICE, "host.name": "h1", "...": "x", "odd": object()}, resource_labels=["*", "!service.*"])
    assert result.promoted == {"host_name": "h1"}
    assert dict(result.info) == {
        "__name__": "target_info",
        "host_name": "h1",
        "instance": "i-1",
        "job": "shop/checkout",
    }
    assert len(result.left_out) == 2
    assert "'...'" in result.left_out[0]
    assert "'odd'" in result.left_out[1]


def test_nothing_is_left_out_without_need():
    assert target_of(ATTRIBUTES).left_out == ()


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=5)


@given(
    st.dictionaries(st.sampled_from([*SERVICE, "job", "__name__"]) | ANY_TEXT, ANY_TEXT | st.integers() | st.none()),
    st.sampled_from(TranslationStrategy),
)
def test_whatever_a_resource_holds_its_labels_are_sorted_unique_and_never_empty(attributes, strategy):
    result = target_of(attributes, strategy=strategy, resources_as_labels=True)
    for labels in (result.labels, result.promoted, dict(result.info or ())):
        assert all(name and text and f"{name}{text}".encode() for name, text in labels.items())
    names = [name.encode() for name, _ in result.info or ()]
    assert names == sorted(set(names))
    assert "__name__" not in result.promoted
    assert result.info is None or dict(result.info)["__name__"] == "target_info"
