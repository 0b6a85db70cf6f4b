"""Which instance id a process takes, where several share one."""

from __future__ import annotations

import os
from warnings import catch_warnings, simplefilter

import pytest
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write.lifecycle.instance_id import Instance, lock_folders
from tests.collected import NOW, collected, gauge, nanoseconds, point

POD = "shop.pod-7.app"
GENERATED = "3f1c"
DAY = 86_400_000  # milliseconds


@pytest.fixture
def start(tmp_path):
    """Starts what stands for a process: a file lock is that of an open file, whoever has opened it."""
    processes = []

    def start(now=NOW, folders=(tmp_path / "locks",), destination="http://a/write", generated=GENERATED):
        process = Instance(destination, lambda: generated, lambda: folders, lambda: nanoseconds(now))
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


def take(process, *arguments, **keywords):
    (metrics,) = process.adopted(data(*arguments, **keywords)).resource_metrics
    return metrics.resource.attributes.get("service.instance.id")


def test_processes_with_the_same_id_number_themselves(start):
    assert [take(start()) for _ in range(3)] == [POD, f"{POD}-1", f"{POD}-2"]


def test_a_process_keeps_its_number(start):
    first, second = start(), start()
    assert [take(first), take(second), take(first), take(second)] == [POD, f"{POD}-1", POD, f"{POD}-1"]


def test_nothing_else_of_the_data_is_changed(start):
    start_with, second = start(), start()
    take(start_with)
    given = data()
    (before,), (after,) = given.resource_metrics, second.adopted(given).resource_metrics
    assert after.resource.attributes == {**before.resource.attributes, "service.instance.id": f"{POD}-1"}
    assert (after.resource.schema_url, after.schema_url) == ("schema", "schema")
    assert after.scope_metrics == before.scope_metrics
    assert before.resource.attributes["service.instance.id"] == POD


@pytest.mark.parametrize("given", [GENERATED, ""], ids=["the SDK's own", "none"])
def test_an_id_that_nobody_else_has_is_left_alone_and_nothing_is_written(start, tmp_path, given):
    process, untouched = start(), data(given)
    (metrics,) = process.adopted(untouched).resource_metrics
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


def test_a_number_is_not_for_a_process_that_began_before_the_other_had_ended(start):
    first = start(now=NOW + 10)
    assert take(first) == POD
    end(first)
    assert take(start(), began=NOW + 10) == f"{POD}-1"
    assert take(start(), began=NOW + 11) == POD


def test_each_export_prolongs_the_use_of_a_number(start):
    now = [NOW]
    process = Instance("http://a/write", lambda: GENERATED, start()._folders, lambda: nanoseconds(now[0]))
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
        with catch_warnings():
            simplefilter("ignore", DeprecationWarning)  # of threads that other tests have left behind
            child = os.fork()
        if not child:
            parent.after_fork(POD)
            os._exit(take(parent) != f"{POD}-1")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert take(start(), began=NOW + 1) == f"{POD}-1"

    def test_where_the_parents_id_is_not_known_the_childs_own_is_left_alone(self, start):
        child = start(generated="made up by the SDK")
        child.after_fork("")
        assert take(child, "made up by the SDK") == "made up by the SDK"


class TestWithoutLocks:
    @pytest.fixture
    def read_only(self, tmp_path):
        """A place in which no folder can be made, not even by root."""
        (tmp_path / "file").touch()
        return tmp_path / "file" / "locks"

    def test_the_next_folder_serves(self, start, read_only, tmp_path):
        folders = (read_only, tmp_path / "locks")
        assert [take(start(folders=folders)) for _ in range(2)] == [POD, f"{POD}-1"]

    def test_the_process_id_tells_processes_apart(self, start, read_only):
        process = start(folders=(read_only,))
        assert [take(process), take(process)] == [f"{POD}-{os.getpid()}"] * 2

    def test_a_system_without_file_locks_is_served_so_too(self, start):
        assert take(start(folders=())) == f"{POD}-{os.getpid()}"

    @pytest.mark.parametrize("trick", ["a link", "a folder that anybody can write to", "a file"])
    def test_a_folder_that_somebody_else_may_have_made_is_not_used(self, start, tmp_path, trick):
        folder = tmp_path / "locks"
        if trick == "a link":
            (tmp_path / "elsewhere").mkdir()
            folder.symlink_to(tmp_path / "elsewhere")
        elif trick == "a file":
            folder.touch()
        else:
            folder.mkdir()
            folder.chmod(0o777)
        assert take(start()) == f"{POD}-{os.getpid()}"

    def test_a_link_in_the_place_of_a_lock_is_not_followed(self, start, tmp_path):
        take(start())
        (lock,) = (tmp_path / "locks").iterdir()
        lock.unlink()
        lock.symlink_to(tmp_path / "precious")
        assert take(start()) == f"{POD}-{os.getpid()}"
        assert not (tmp_path / "precious").exists()


def test_files_that_nobody_has_used_for_a_day_are_removed(start, tmp_path):
    folder = tmp_path / "locks"
    folder.mkdir(mode=0o700)
    for name, age in (("old", DAY + 1), ("recent", DAY - 1)):
        (folder / name).touch()
        os.utime(folder / name, ((NOW - age) / 1000,) * 2)
    take(start())
    assert not (folder / "old").exists()
    assert (folder / "recent").exists()


def test_a_file_that_is_locked_is_not_removed(start, tmp_path):
    process = start()
    take(process)
    (lock,) = (tmp_path / "locks").iterdir()
    os.utime(lock, ((NOW - 2 * DAY) / 1000,) * 2)
    assert take(start()) == f"{POD}-1"


def test_the_folder_is_the_users_alone(start, tmp_path):
    take(start())
    assert (tmp_path / "locks").stat().st_mode & 0o777 == 0o700


def test_locks_are_kept_below_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert lock_folders()[0] == tmp_path / f"otel-prw-{os.geteuid()}"


def test_locks_are_not_inherited_by_other_programs(start):
    process = start()
    take(process)
    (claim,) = process._claims.values()
    assert not os.get_inheritable(claim.file)
