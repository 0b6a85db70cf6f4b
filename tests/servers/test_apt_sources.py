"""The mirror of the machine's own release is found in either of apt's formats."""

import pytest

from tests.servers.apt_sources import Source, release_of_this_machine, sources_of_release

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@pytest.fixture
def etc(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_stanzas_are_read(etc):
    (etc / "sources.list.d" / "debian.sources").write_text(f"""\
Types: deb deb-src
# where this image was made from
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main contrib
Signed-By: {KEYRING}

Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: {KEYRING}
""")
    assert sources_of_release("debian", "bookworm", etc) == [
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main",), KEYRING),
        Source("http://security.example/debian-security", ("bookworm-security",), ("main", "contrib"), KEYRING),
    ]


def test_lines_are_read(etc):
    (etc / "sources.list").write_text(f"""\
# deb http://commented.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [ arch=amd64 signed-by={KEYRING} ] http://mirror.example/debian bookworm main contrib # the mirror
deb http://security.example/debian-security bookworm-security main
""")
    assert sources_of_release("debian", "bookworm", etc) == [
        Source("http://mirror.example/debian", ("bookworm",), ("main", "contrib"), KEYRING),
        Source("http://security.example/debian-security", ("bookworm-security",), ("main",), ""),
    ]


def test_a_key_written_out_in_a_stanza_is_kept(etc):
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n -----END PGP PUBLIC KEY BLOCK-----"
    (etc / "sources.list.d" / "debian.sources").write_text(
        f"Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\nSigned-By: {key}\n"
    )
    [source] = sources_of_release("debian", "bookworm", etc)
    assert source.signed_by == key
    assert source.stanza().endswith(f"Signed-By: {key}\n")


def test_third_parties_and_disabled_sources_are_left_out(etc):
    (etc / "sources.list.d" / "a.list").write_text(
        "deb http://tools.example/apt bookworm main\ndeb http://containers.example/debian bookworm stable\n"
    )
    (etc / "sources.list.d" / "b.sources").write_text(
        "Types: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\nEnabled: no\n\n"
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n"
    )
    assert [source.uri for source in sources_of_release("debian", "bookworm", etc)] == ["http://mirror.example/debian"]


def test_a_newer_suite_comes_from_the_same_mirror_with_the_same_key():
    source = Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main", "contrib"), KEYRING)
    assert source.of_suite("testing").stanza() == (
        f"Types: deb\nURIs: http://mirror.example/debian\nSuites: testing\nComponents: main\nSigned-By: {KEYRING}\n"
    )


def test_the_release_of_a_machine_is_known_by_its_name(tmp_path):
    os_release = tmp_path / "os-release"
    os_release.write_text('ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    assert release_of_this_machine(os_release)["VERSION_CODENAME"] == "bookworm"
    assert release_of_this_machine(tmp_path / "absent") == {}
