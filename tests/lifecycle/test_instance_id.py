"""Which instance id a process takes, where several share one."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4
from warnings import catch_warnings, simplefilter

import pytest
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write.lifecycle.birth import Birth
from opentelemetry.exporter.prometheus_remote_write.lifecycle.instance_id import Instance, writer
from opentelemetry.exporter.prometheus_remote_write.lifecycle.instance_number import InstanceNumber
from opentelemetry.exporter.prometheus_remote_write.lifecycle.lock_folder import read_time
from opentelemetry.exporter.prometheus_remote_write.system.descriptor import Descriptor
from tests.collected import NOW, collected, gauge, nanoseconds, point

POD = "shop.pod-7.app"
GENERATED = "3f1c"

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract sockets")


@pytest.fixture
def sockets():
    """How the names of sockets begin that no other test knows."""
    return f"otel-prw-test-{uuid4().hex}-"


@pytest.fixture
def start(tmp_path, sockets):
    """Starts what stands for a process: a lock is that of an open file or socket, whoever has opened it."""
    processes = []

    def start(
        *,
        now=NOW,
        folders=(tmp_path / "locks",),
        destination="http://a/write",
        generated=GENERATED,
        sockets=sockets,
        sdk_makes_ids=True,
        **more,
    ):
        clock = now if callable(now) else lambda: nanoseconds(now)
        locks = {"folders": lambda: folders, "sockets": sockets, "clock": clock}
        process = Instance(destination, lambda: generated, sdk_makes_ids=sdk_makes_ids, **locks, **more)
        processes.append(process)
        return process

    yield start
    for process in processes:
        end(process)


def end(process):
    """Close its files, as the system does."""
    process.after_fork("")


def data(given=POD, job="shop", began=NOW):
    attributes = {"service.name": job, "region": "eu"} | ({"service.instance.id": given} if given else {})
    (metrics,) = collected(gauge(point(1, at=began, start=began))).resource_metrics
    return MetricsData([ResourceMetrics(Resource(attributes, "schema"), metrics.scope_metrics, "schema")])


def in_child(function):
    """What a function returns in a forked child."""
    reading, writing = os.pipe()
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)  # of threads that other tests have left behind
        child = os.fork()
    if not child:
        try:
            os.write(writing, function().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def descriptors():
    return sorted(Path("/dev/fd").iterdir())


def take(process, *arguments, **keywords):
    (metrics,) = process.identified(data(*arguments, **keywords)).resource_metrics
    return metrics.resource.attributes.get("service.instance.id")


EVIL = {
    "None": None,
    "a text": "text",
    "a number": 5,
    "an object": object(),
    "points that are a number": SimpleNamespace(data_points=5),
    "points that are none": SimpleNamespace(data_points=[None, object()]),
}


@pytest.mark.parametrize("wrong", EVIL.values(), ids=EVIL)
def test_what_a_foreign_producer_got_wrong_keeps_no_process_from_its_number(start, wrong):
    def given(metric):
        (metrics,) = data().resource_metrics
        (scope,) = metrics.scope_metrics
        metrics = replace(metrics, scope_metrics=[replace(scope, metrics=[metric, *scope.metrics])])
        return MetricsData([metrics])

    first, second = start(), start()
    for metric in (wrong, SimpleNamespace(data=wrong)):
        for process, own in ((first, POD), (second, f"{POD}-1")):
            (metrics,) = process.identified(given(metric)).resource_metrics
            assert metrics.resource.attributes["service.instance.id"] == own


def test_a_resource_that_cannot_be_read_is_left_to_translation(start):
    wrong = [None, object(), SimpleNamespace(resource=SimpleNamespace(attributes=5), scope_metrics=[])]
    (good,) = data().resource_metrics
    *left, identified = start().identified(MetricsData([*wrong, good])).resource_metrics
    assert left == wrong
    assert identified.resource.attributes["service.instance.id"] == POD
    assert writer(MetricsData([*wrong, good])) == writer(MetricsData([good]))


def test_a_start_from_before_the_process_keeps_it_from_no_number(start):
    first = start(now=NOW + 10)
    take(first)
    end(first)
    assert take(start(now=NOW + 11), began=5) == POD


def test_processes_with_the_same_id_number_themselves(start):
    assert [take(start()) for _ in range(3)] == [POD, f"{POD}-1", f"{POD}-2"]


def test_a_process_keeps_its_number(start):
    first, second = start(), start()
    assert [take(first), take(second), take(first), take(second)] == [POD, f"{POD}-1", POD, f"{POD}-1"]


def test_nothing_else_of_the_data_is_changed(start):
    start_with, second = start(), start()
    take(start_with)
    given = data()
    (before,), (after,) = given.resource_metrics, second.identified(given).resource_metrics
    assert after.resource.attributes == {**before.resource.attributes, "service.instance.id": f"{POD}-1"}
    assert (after.resource.schema_url, after.schema_url) == ("schema", "schema")
    assert after.scope_metrics == before.scope_metrics
    assert before.resource.attributes["service.instance.id"] == POD


@pytest.mark.parametrize("given", [GENERATED, ""], ids=["the SDK's own", "none"])
def test_an_id_that_nobody_else_has_is_left_alone_and_nothing_is_written(start, tmp_path, given):
    process, untouched = start(), data(given)
    (metrics,) = process.identified(untouched).resource_metrics
    assert metrics is untouched.resource_metrics[0]
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_before_the_first_export(start, tmp_path):
    start()
    assert list(tmp_path.iterdir()) == []


def test_the_number_of_a_process_that_is_gone_is_free(start):
    first, second = start(), start()
    assert [take(first), take(second)] == [POD, f"{POD}-1"]
    end(first)
    assert take(start(), began=NOW + 1) == POD


def test_a_number_is_not_for_an_exporter_that_was_made_before_the_other_had_ended_and_exports_later(start):
    end_at = start(now=NOW + 10)
    assert take(end_at) == POD
    end(end_at)
    birth = Birth()
    birth.time = nanoseconds(NOW + 5)
    assert take(start(now=NOW + 20, birth=birth), began=NOW + 6) == f"{POD}-1"


def test_a_number_is_not_for_a_process_that_began_before_the_other_had_ended(start):
    first = start(now=NOW + 10)
    assert take(first) == POD
    end(first)
    assert take(start(), began=NOW + 10) == f"{POD}-1"
    assert take(start(), began=NOW + 11) == POD


def test_each_export_prolongs_the_use_of_a_number(start):
    now = [NOW]
    process = start(now=lambda: nanoseconds(now[0]))
    take(process)
    now[0] += 100
    take(process)
    end(process)
    assert take(start(), began=NOW + 100) == f"{POD}-1"
    assert take(start(), began=NOW + 101) == POD


def test_other_jobs_ids_and_receivers_have_numbers_of_their_own(start):
    assert take(start()) == POD
    assert take(start(), job="cart") == POD
    assert take(start(), "pod-8") == "pod-8"
    assert take(start(destination="http://b/write")) == POD


class TestByTheHostsName:
    @pytest.fixture
    def start(self, start):
        return lambda **more: start(fixed=lambda: "web-7", **more)

    @pytest.mark.parametrize("given", [POD, GENERATED, ""], ids=["pinned", "the SDK's own", "none"])
    def test_it_takes_the_place_of_the_resources_id(self, start, given):
        assert take(start(), given) == "web-7"

    def test_processes_of_one_name_number_themselves(self, start):
        assert [take(start(), given) for given in (POD, GENERATED, "")] == ["web-7", "web-7-1", "web-7-2"]

    def test_the_next_process_goes_on_with_its_series(self, start):
        first = start()
        assert take(first, "made up by the SDK") == "web-7"
        end(first)
        assert take(start(), "made up for the next", began=NOW + 1) == "web-7"

    def test_forked_children_number_themselves(self, start):
        parent, child = start(), start()
        assert take(parent, GENERATED) == "web-7"
        child.after_fork(GENERATED)
        assert take(child, "made up for the child") == "web-7-1"


def test_a_host_without_a_name_leaves_the_resources_id(start):
    assert take(start(fixed=str)) == POD


class TestWhereTheSdkMakesNoIds:
    """opentelemetry-sdk 1.42 and before."""

    @pytest.fixture
    def start(self, start):
        return lambda **more: start(sdk_makes_ids=False, **more)

    def test_there_is_one_of_ours(self, start):
        assert take(start(), "") == GENERATED

    def test_one_that_is_pinned_holds(self, start):
        assert take(start()) == POD

    def test_children_number_themselves_after_their_parent(self, start):
        parent, children = start(), [start(), start()]
        assert take(parent, "") == GENERATED
        for child in children:
            child.after_fork("")
        assert [take(child, "") for child in children] == [f"{GENERATED}-1", f"{GENERATED}-2"]


class TestInForkedChildren:
    def test_children_share_the_pinned_id(self, start):
        parent, child = start(), start()
        assert take(parent) == POD
        child.after_fork(POD)
        assert take(child, "made up by the SDK") == f"{POD}-1"

    def test_the_first_child_takes_the_pinned_id_where_the_parent_pushes_nothing(self, start):
        child = start()
        child.after_fork(POD)
        assert take(child, "made up by the SDK") == POD

    def test_the_parents_own_id_is_never_a_childs(self, start):
        children = [start(), start()]
        for child in children:
            child.after_fork(GENERATED)
        assert [take(child, "made up by the SDK") for child in children] == [f"{GENERATED}-1", f"{GENERATED}-2"]

    def test_grandchildren_share_the_id_of_the_first(self, start):
        child, grandchild = start(), start()
        for inherited in (GENERATED, "made up for the child"):
            grandchild.after_fork(inherited)
        child.after_fork(GENERATED)
        assert take(child, "made up for the child") == f"{GENERATED}-1"
        assert take(grandchild, "made up for the grandchild") == f"{GENERATED}-2"

    def test_a_child_leaves_its_parents_number_locked(self, start):
        parent = start()
        assert take(parent) == POD

        def fork():
            parent.after_fork(POD)
            return take(parent)

        assert in_child(fork) == f"{POD}-1"
        assert take(start(), began=NOW + 1) == f"{POD}-1"

    def test_where_the_parents_id_is_not_known_the_childs_own_is_left_alone(self, start):
        child = start(generated="made up by the SDK")
        child.after_fork("")
        assert take(child, "made up by the SDK") == "made up by the SDK"


class TestWithoutFiles:
    @pytest.fixture
    def read_only(self, tmp_path):
        """A place in which no folder can be made, not even by root."""
        (tmp_path / "file").touch()
        return tmp_path / "file" / "locks"

    def test_the_next_folder_serves(self, start, read_only, tmp_path):
        folders = (read_only, tmp_path / "locks")
        assert [take(start(folders=folders, sockets=None)) for _ in range(2)] == [POD, f"{POD}-1"]

    @linux
    def test_sockets_tell_processes_apart_and_a_line_says_what_they_do_not_do(self, start, read_only, caplog):
        caplog.set_level(logging.INFO)
        assert [take(start(folders=(read_only,))) for _ in range(2)] == [POD, f"{POD}-1"]
        assert [record.levelno for record in caplog.records] == [logging.INFO] * 2
        assert all(POD in record.message and "Not a directory" in record.message for record in caplog.records)

    @pytest.mark.parametrize("folders", [0, 1], ids=["this system has no file locks", "the folder cannot be made"])
    def test_without_sockets_the_process_id_does_and_a_warning_says_so(self, start, read_only, caplog, folders):
        process = start(folders=(read_only,)[:folders], sockets=None)
        assert [take(process), take(process)] == [f"{POD}-pid{os.getpid()}"] * 2
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert POD in record.message


@linux
class TestInOneContainer:
    def test_processes_with_other_folders_number_themselves(self, start, tmp_path):
        folders = [(tmp_path / name,) for name in ("root's", "the worker's", "another TMPDIR")]
        assert [take(start(folders=each)) for each in folders] == [POD, f"{POD}-1", f"{POD}-2"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_a_worker_that_has_dropped_root_takes_a_number_of_its_own(self, start):
        parent = start()
        assert take(parent) == POD

        def as_nobody():
            os.setuid(65534)
            parent.after_fork(POD)
            return take(parent)

        assert in_child(as_nobody) == f"{POD}-1"

    def test_a_process_that_was_forked_in_a_way_that_python_does_not_see_takes_a_number_of_its_own(self, start):
        parent = start()
        assert take(parent) == POD
        assert in_child(lambda: take(parent)) == f"{POD}-1"


class TestWhenTheApplicationClosesDescriptors:
    @pytest.fixture(params=["sockets", None], ids=["with sockets", "without"])
    def process(self, request, start, sockets):
        return start(sockets=request.param and sockets)

    def close_all_of(self, process):
        (claim,) = process._claims.values()
        numbers = [held.number for held in (claim.number._reserved, claim.number._file) if held]
        for number in numbers:
            os.close(number)
        return numbers

    def test_what_it_opens_in_their_place_is_left_alone(self, process, tmp_path):
        take(process)
        numbers = self.close_all_of(process)
        files = [(tmp_path / f"{number}.log").open("w+") for number in numbers]
        assert sorted(file.fileno() for file in files) == sorted(numbers)
        take(process)
        process.release()
        for file in files:
            file.write("of the application")
            file.flush()
            file.seek(0)
            assert file.read() == "of the application"
            file.close()

    def test_the_process_keeps_its_number(self, process, start):
        others = [start(sockets=process._sockets) for _ in range(2)]
        take(others[0])
        assert take(process) == f"{POD}-1"
        end(others[0])
        self.close_all_of(process)
        assert take(process) == f"{POD}-1"
        assert take(others[1]) == f"{POD}-2"

    def test_another_process_that_has_taken_its_number_keeps_it(self, process, start, tmp_path):
        take(process)
        closed = self.close_all_of(process)
        files = [(tmp_path / str(number)).open("w") for number in closed]
        other = start(sockets=process._sockets)
        assert take(other, began=NOW + 1) == POD
        assert take(process) == f"{POD}-1"
        for file in files:
            file.close()


class TestReleased:
    def test_a_number_is_free_for_the_next_exporter_of_the_process(self, start):
        for _ in range(6):
            process = start()
            assert take(process) == POD
            process.release()

    def test_nothing_is_left_open(self, start):
        process, before = start(), descriptors()
        take(process)
        process.release()
        assert descriptors() == before


@pytest.mark.parametrize("with_sockets", [True, False])
def test_where_a_folder_does_not_answer_nobody_knows_who_used_a_number_last(
    start, tmp_path, sockets, caplog, with_sockets
):
    answered = threading.Event()

    class Dead(type(tmp_path)):
        @property
        def parent(self):
            answered.wait(60)
            raise OSError("gone")

    process = start(folders=(Dead(tmp_path / "locks"),), sockets=sockets if with_sockets else None)
    assert take(process) == f"{POD}-pid{os.getpid()}"
    assert "does not answer" in caplog.text
    answered.set()
    assert take(start(sockets=process._sockets)) == POD


def test_a_number_that_could_not_be_taken_for_want_of_memory_is_taken_later(start, tmp_path):
    class Broken(type(tmp_path)):
        @property
        def parent(self):
            raise MemoryError

    process = start(folders=(Broken(tmp_path / "locks"),))
    before = descriptors()
    with pytest.raises(MemoryError):
        take(process)
    assert descriptors() == before
    assert take(start(sockets=process._sockets)) == POD


def test_a_file_that_once_took_long_is_written_to_again(tmp_path):
    answers = threading.Event()

    class Slow(Descriptor):
        def is_ours(self):
            answers.wait(60)
            return super().is_ours()

    file = Slow(os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT))
    number = InstanceNumber(0, None, file)
    number.prolong(1)
    answers.set()
    deadline = time.monotonic() + 60
    while read_time(file) != 2:
        assert time.monotonic() < deadline
        number.prolong(2)
    number.release()


def test_locks_are_not_inherited_by_other_programs(start):
    process = start()
    take(process)
    (claim,) = process._claims.values()
    assert not any(os.get_inheritable(held.number) for held in (claim.number._reserved, claim.number._file) if held)
