"""The image from which the Operator injects: the folders that its Dockerfile fills, for glibc and for musl."""

from __future__ import annotations

import platform
import re
import stat
from importlib.metadata import distributions

import pytest

from tests.application import run
from tests.end_to_end import installations
from tests.end_to_end.conftest import OPERATOR, SHOP
from tests.end_to_end.injected_shop import INSTANCE

MACHINE = platform.machine()
(PYTHON,) = re.findall(r"^ARG PYTHON=(\S+)$", installations.DOCKERFILE.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def musl_image(tmp_path_factory):
    """The folder /autoinstrumentation-musl: what pip installs in Alpine, which this machine need not be."""
    tags = (f"--platform=musllinux_1_{minor}_{MACHINE}" for minor in (2, 1))
    options = (*tags, f"--python-version={PYTHON}", "--implementation=cp", "--only-binary=:all:")
    return installations.injected(tmp_path_factory.mktemp("musl"), *options)


def packages(folder):
    return {re.sub(r"[-_.]+", "-", found.name).lower() for found in distributions(path=[str(folder)])}


newest = pytest.mark.skipif(bool(installations.OLDEST), reason="this run is for older packages")


@newest
def test_packages_and_size_of_the_folder_are_those_of_the_readme(image):
    (listed,) = re.findall(
        r"<!-- packages -->(.*?)<!-- /packages -->", (OPERATOR.parent / "README.md").read_text(), re.DOTALL
    )
    assert packages(image) == {name.replace("_", "-") for name in re.findall("`(.*?)`", listed)}
    megabytes = sum(path.stat().st_size for path in image.rglob("*") if path.is_file()) / 1e6
    assert "less than 40 MB" in " ".join(listed.split())
    assert megabytes < 40


def test_everybody_may_read_the_folder(image):
    readable = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
    assert [path for path in image.rglob("*") if path.stat().st_mode & readable != readable] == []


@newest
def test_folder_for_musl_has_the_same_packages_each_with_a_build_for_musl_or_none_at_all(image, musl_image):
    assert packages(musl_image) == packages(image)
    built = {path.relative_to(musl_image).as_posix(): path.read_bytes() for path in musl_image.rglob("*.so")}
    assert {name.partition("/")[0] for name in built} == {"charset_normalizer", "cramjam", "psutil", "wrapt"}
    version = PYTHON.replace(".", "")
    assert f"cramjam/cramjam.cpython-{version}-{MACHINE}-linux-musl.so" in built  # so requests are compressed
    assert [name for name, code in built.items() if b"libc.so.6" in code] == []


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this machine's C library is not glibc")
def test_folder_for_the_other_c_library_pushes_uncompressed_and_without_metrics_of_the_process(
    plain, injected, musl_image, receiver, tmp_path
):
    """Where the annotation of the platform is wrong; this machine's library is glibc, the folder's is musl."""
    ended = run("python", SHOP, cwd=tmp_path, python=plain, **injected(folder=musl_image))
    assert (ended.status, ended.output) == (0, "without flask\n")
    messages = [line for line in ended.errors if not line.startswith((" ", "Traceback"))]
    assert [line.partition(" ")[0] for line in messages] == ["Importing", "ImportError:", "python-snappy"]
    assert messages[0] == "Importing of system_metrics failed, skipping it"
    assert receiver.rejected == []
    assert receiver.values("orders_total", job="berlin/shop", instance=INSTANCE)[-1] == 3
