"""Where this machine gets its Debian packages from, read from apt's own source lists."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

# What a suite's name may add to the release's: security lives in a folder before bullseye and in a suffix since.
POCKETS = ("", "-updates", "-security", "/updates")


@dataclass(frozen=True)
class Source:
    """One archive: its address, the suites and components taken from it, and the key that signs it."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    def of_suite(self, suite: str) -> "Source":
        """The same mirror and key, but another suite."""
        return replace(self, suites=(suite,), components=("main",))

    def stanza(self) -> str:
        """The source in apt's deb822 form; without Signed-By apt verifies with the keys that the system trusts."""
        lines = [
            "Types: deb",
            f"URIs: {self.uri}",
            f"Suites: {' '.join(self.suites)}",
            f"Components: {' '.join(self.components)}",
        ]
        return "\n".join(lines + [f"Signed-By: {self.signed_by}"] * bool(self.signed_by)) + "\n"


def release_of_this_machine(os_release: Path = Path("/etc/os-release")) -> dict[str, str]:
    """The fields of os-release, such as ID and VERSION_CODENAME; empty where there is no such file."""
    if not os_release.is_file():
        return {}
    fields = (line.partition("=") for line in os_release.read_text().splitlines())
    return {key: value.strip().strip("\"'") for key, separator, value in fields if separator}


def sources_of_release(distribution: str, codename: str, etc: Path = Path("/etc/apt")) -> list[Source]:
    """The archives of the running release, its mirror first; third parties' archives are left out."""
    own = [source for source in all_sources(etc) if "main" in source.components and _suites_of(source, codename)]
    # Others offer suites of the same name too; a mirror of the distribution has the distribution's name in its path.
    named = [source for source in own if distribution in source.uri] or own
    trimmed = [replace(source, suites=_suites_of(source, codename)) for source in named]
    return sorted(trimmed, key=lambda source: codename not in source.suites)


def all_sources(etc: Path) -> list[Source]:
    """Every enabled binary source of this machine, from both of apt's formats."""
    one_line = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]
    deb822 = sorted((etc / "sources.list.d").glob("*.sources"))
    parsed = [one_line_sources(path.read_text()) for path in one_line if path.is_file()]
    parsed += [deb822_sources(path.read_text()) for path in deb822]
    return [source for sources in parsed for source in sources]


def one_line_sources(text: str) -> list[Source]:
    """Parses the classic format: deb [options] URI suite component..."""
    line = re.compile(r"^\s*deb\s+(?:\[([^]]*)]\s+)?(\S+)\s+(\S+)([^#\n]*)", re.MULTILINE)
    return [
        Source(uri, (suite,), tuple(components.split()), _signed_by(options))
        for options, uri, suite, components in line.findall(text)
    ]


def deb822_sources(text: str) -> list[Source]:
    """Parses the stanza format, where a source may name several addresses, suites and components."""
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    stanzas = [_fields(stanza) for stanza in re.split(r"\n\s*\n", without_comments)]
    return [
        Source(uri, tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split()), signed_by)
        for fields in stanzas
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no"
        for signed_by in [fields.get("signed-by", "")]
        for uri in fields.get("uris", "").split()
    ]


def _fields(stanza: str) -> dict[str, str]:
    """The fields of one stanza; a value keeps its continuation lines, because a key may be written out there."""
    field = re.compile(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
    return {name.lower(): value.strip() for name, value in field.findall(stanza)}


def _signed_by(options: str) -> str:
    """The key file among a one-line source's bracketed options."""
    match = re.search(r"signed-by=(\S+)", options)
    return match[1] if match else ""


def _suites_of(source: Source, codename: str) -> tuple[str, ...]:
    """Those of the source's suites that belong to the release."""
    return tuple(suite for suite in source.suites if suite in {codename + pocket for pocket in POCKETS})
