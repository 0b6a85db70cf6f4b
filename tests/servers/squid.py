"""squid, the forward proxy behind which many sites keep their applications."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.servers.access_log import wait_for_entries
from tests.servers.package import Package
from tests.servers.ports import LOOPBACK
from tests.servers.server import Server

with suppress(ImportError):  # Windows has none, and no squid from a Debian package
    import pwd

HELPERS = "usr/lib*/squid"
SHARED_MEMORY = Path("/dev/shm")
UNPRIVILEGED_USERS = ("proxy", "squid", "nobody")  # Debian's squid user is part of every Debian system


@dataclass(frozen=True)
class ProxiedRequest:
    """One request that went through the proxy; a tunnel's method is CONNECT and its target host:port."""

    status: int
    method: str
    target: str
    user: str


class Squid(Server):
    """A proxy to anywhere on this machine, for http and, by CONNECT to any port, for https."""

    def __init__(self, package: Package, *, users: Mapping[str, str] | None = None):
        super().__init__(package)
        self._users = users or {}
        # It names its shared memory after the service, and does not start where that of another squid lies.
        self._service = f"test{secrets.token_hex(8)}"

    def url_for(self, user: str, password: str) -> str:
        """The proxy's address with credentials in it."""
        return f"http://{quote(user, safe='')}:{quote(password, safe='')}@{LOOPBACK}:{self.port}"

    def requests(self, at_least: int = 0) -> list[ProxiedRequest]:
        """What has gone through so far; waits shortly until it is so many. A tunnel counts when it is closed."""
        return wait_for_entries(self.folder / "access.log", _proxied_request, at_least)

    def stop(self) -> None:
        """Ends it as a crash would: an orderly end takes two seconds, and there is nothing to save."""
        self.kill()

    def kill(self) -> None:
        """Ends it as a crash would, and tidies up the shared memory that it could not."""
        super().kill()
        for segment in SHARED_MEMORY.glob(f"{self._service}-*"):
            segment.unlink()

    def _prepare(self) -> list[str]:
        configuration = self.folder / "squid.conf"
        self._copy_what_it_reads_unprivileged()
        configuration.write_text(self._configuration())
        if os.geteuid() == 0:
            _give_to(_unprivileged_user(), self.folder)
        options = ["-n", self._service, "-N", "-d1", "-f", str(configuration)]
        return [str(self.package.path("usr/sbin/squid")), *options]

    def _copy_what_it_reads_unprivileged(self) -> None:
        """Under root it gives its rights up, and may not reach the package's folder afterwards."""
        share = self.package.path("usr/share/squid")
        shutil.copytree(share / "errors", self.folder / "errors", ignore_dangling_symlinks=True)
        shutil.copytree(share / "icons", self.folder / "icons", ignore_dangling_symlinks=True)
        shutil.copy(share / "mime.conf", self.folder)
        if self._users:
            shutil.copy(self.package.path(f"{HELPERS}/basic_ncsa_auth"), self.folder / "basic_auth")
            # The helper takes a hexadecimal MD5 for a password's hash too: the one form that needs no crypt(3).
            hashes = {user: hashlib.md5(password.encode()).hexdigest() for user, password in self._users.items()}
            (self.folder / "passwords").write_text("".join(f"{user}:{digest}\n" for user, digest in hashes.items()))

    def _configuration(self) -> str:
        folder = self.folder
        return f"""\
http_port {LOOPBACK}:{self.port}
visible_hostname localhost
pid_filename {folder}/squid.pid
coredump_dir {folder}
logformat requests %>Hs %rm %ru %un
access_log stdio:{folder}/access.log logformat=requests
buffered_logs off
cache_log /dev/stderr
cache_store_log none
cache deny all
cache_mem 1 MB
memory_pools off
max_filedescriptors 1024
netdb_filename none
pinger_enable off
unlinkd_program {self.package.path(f"{HELPERS}/unlinkd")}
shutdown_lifetime 0 seconds
error_directory {folder}/errors/templates
icon_directory {folder}/icons
mime_table {folder}/mime.conf
{_effective_user()}
{self._authentication(folder)}
http_access deny all
"""

    def _authentication(self, folder: Path) -> str:
        if not self._users:
            return "http_access allow localhost"
        return f"""\
auth_param basic program {folder}/basic_auth {folder}/passwords
auth_param basic children 1
auth_param basic realm proxy
acl known proxy_auth REQUIRED
http_access allow localhost known"""


def _proxied_request(line: str) -> ProxiedRequest | None:
    status, method, target, user = line.split(" ")
    if method == "-":  # a connection without a request, such as the one that asks whether squid is there
        return None
    return ProxiedRequest(int(status), method, target, user)


def _effective_user() -> str:
    """squid refuses to serve as root."""
    return f"cache_effective_user {_unprivileged_user().pw_name}" if os.geteuid() == 0 else ""


def _unprivileged_user() -> "pwd.struct_passwd":
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in UNPRIVILEGED_USERS if name in known)


def _give_to(user: "pwd.struct_passwd", folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
