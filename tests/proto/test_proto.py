"""The committed protobuf modules are what protoc makes of the descriptions, and clash with no other library's."""

from __future__ import annotations

import os

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2, write_v2_pb2
from tests.proto.protoc import SOURCES, NoProtocError, generate


def test_committed_modules_equal_what_protoc_generates(tmp_path):
    try:
        paths = generate(tmp_path)
    except NoProtocError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no protoc for this Python, committed modules not compared: {error}")
    for path in paths:
        assert (SOURCES / path).read_text() == (tmp_path / path).read_text(), f"{path}: run `make proto` and commit"


@pytest.mark.parametrize("module", [write_v1_pb2, write_v2_pb2], ids=["1.0", "2.0"])
def test_descriptor_has_file_and_package_names_of_our_own(module):
    version = module.__name__.rpartition("write_")[2].removesuffix("_pb2")
    own = "opentelemetry.exporter.prometheus_remote_write"
    assert module.DESCRIPTOR.package == f"{own}.{version}"
    assert module.DESCRIPTOR.name == f"{own}.proto.write".replace(".", "/") + f"_{version}.proto"


def test_another_librarys_copy_of_the_protocol_loads_beside_ours():
    """The names that Prometheus's own files have, in the pool that every library of a process shares."""
    for name, package, message in (
        ("remote.proto", "prometheus", "WriteRequest"),
        ("io/prometheus/write/v2/types.proto", "io.prometheus.write.v2", "Request"),
    ):
        other = descriptor_pb2.FileDescriptorProto(name=name, package=package, syntax="proto3")
        other.message_type.add(name=message)
        descriptor_pool.Default().AddSerializedFile(other.SerializeToString())
        assert descriptor_pool.Default().FindMessageTypeByName(f"{package}.{message}").file.name == name
