"""A server that cannot be had skips its tests with a reason, and fails them in CI; nothing unverified is unpacked."""

from dataclasses import replace

import pytest

from tests.servers.apt import AptError, PrivateApt, apt_is_here
from tests.servers.apt_sources import release_of_this_machine, sources_of_release
from tests.servers.fixtures import obtain
from tests.servers.package import UnavailableError


def test_tests_without_their_server_are_skipped_with_the_reason():
    with pytest.raises(pytest.skip.Exception, match=r"^prometheus 3\.x is not available here: no apt$"):
        obtain("prometheus 3.x", _nothing, in_ci=False)


def test_tests_without_their_server_fail_in_ci():
    with pytest.raises(pytest.fail.Exception, match=r"^prometheus 3\.x is not available here: no apt$"):
        obtain("prometheus 3.x", _nothing, in_ci=True)


@pytest.mark.skipif(not apt_is_here(), reason="this machine has no apt")
def test_an_archive_that_is_not_signed_by_the_right_key_is_refused(tmp_path):
    archive = tmp_path / "archive" / "dists" / "stable" / "main"
    archive.mkdir(parents=True)
    (archive.parent / "Release").write_text("Suite: stable\nCodename: stable\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n")
    release = release_of_this_machine()
    [mirror, *_] = sources_of_release(release["ID"], release["VERSION_CODENAME"])
    forged = replace(mirror.of_suite("stable"), uri=f"file:{archive.parents[2]}")
    with pytest.raises(AptError, match="not signed"):
        PrivateApt("stable", tmp_path / "apt", [forged]).update()


def _nothing():
    raise UnavailableError("no apt")
