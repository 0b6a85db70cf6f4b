from __future__ import annotations

import os

from opentelemetry.exporter.prometheus_remote_write.prometheus_client.shared_folder import SharedFolder


def test_one_process_has_the_folder_and_another_takes_over(tmp_path):
    first, second = SharedFolder(str(tmp_path)), SharedFolder(str(tmp_path), sleep=lambda _: None)
    assert first.is_ours(last=False)
    assert first.is_ours(last=False)
    assert not second.is_ours(last=True)
    first.release()
    assert second.is_ours(last=False)
    assert list(tmp_path.iterdir()) == []


def test_the_last_export_of_a_process_waits_for_one_that_ends_too(tmp_path):
    ending = SharedFolder(str(tmp_path))
    assert ending.is_ours(last=False)
    other = SharedFolder(str(tmp_path), sleep=lambda _: ending.release())
    assert other.is_ours(last=True)


def test_a_descriptor_that_the_application_closed_is_taken_anew(tmp_path):
    folder = SharedFolder(str(tmp_path))
    assert folder.is_ours(last=False)
    os.close(folder._lock.number)
    assert folder.is_ours(last=False)
    folder.release()


def test_a_folder_that_is_gone_is_nobodys(tmp_path):
    assert not SharedFolder(str(tmp_path / "missing")).is_ours(last=False)
