"""nginx in front of a receiver, as sites run it: TLS, client certificates, passwords."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.access_log import wait_for_entries
from tests.servers.certificates import Certificates
from tests.servers.package import Package
from tests.servers.ports import LOOPBACK, accepts, free_port
from tests.servers.server import Server

LOG_FIELDS = {
    "status": "$status",
    "method": "$request_method",
    "target": "$request_uri",
    "connection": "$connection",
    "server_name": "$ssl_server_name",
    "client": "$ssl_client_s_dn",
    "user": "$remote_user",
    "user_agent": "$http_user_agent",
}


@dataclass(frozen=True)
class ServedRequest:
    """One request as nginx saw it: connection counts TCP connections, server_name is the SNI, client the subject."""

    status: int
    method: str
    target: str
    connection: int
    server_name: str
    client: str
    user: str
    user_agent: str


class Nginx(Server):
    """Passes requests on to the upstream: in the clear at url, and at https_url too if it is given certificates."""

    def __init__(
        self,
        package: Package,
        upstream: str,
        *,
        certificates: Certificates | None = None,
        demand_client_certificate: bool = False,
        users: Mapping[str, str] | None = None,
    ):
        super().__init__(package)
        self._upstream = "{0.scheme}://{0.netloc}".format(urlsplit(upstream))
        self._certificates = certificates
        self._demand_client_certificate = demand_client_certificate
        self._users = users or {}
        self.https_port = free_port()

    @property
    def https_url(self) -> str:
        """Where it speaks TLS, by address; the certificates say which names are good too."""
        return f"https://{LOOPBACK}:{self.https_port}"

    def requests(self, at_least: int = 0) -> list[ServedRequest]:
        """What has been served so far; waits shortly until it is so many, as the log follows the answer."""
        return wait_for_entries(self.folder / "access.log", _served_request, at_least)

    def _prepare(self) -> list[str]:
        configuration = self.folder / "nginx.conf"
        configuration.write_text(self._configuration())
        passwords = self.folder / "htpasswd"
        passwords.write_text("".join(map(_password_line, self._users.items())))
        program = str(self.package.path("usr/sbin/nginx"))
        return [program, "-p", str(self.folder), "-c", str(configuration), "-e", "stderr"]

    def _is_ready(self) -> bool:
        return accepts(self.port) and (self._certificates is None or accepts(self.https_port))

    def _configuration(self) -> str:
        folder = self.folder
        scratch = "\n".join(
            f"    {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return f"""\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr notice;
{_user_of_workers()}
events {{ worker_connections 64; }}
http {{
{scratch}
    log_format requests escape=json '{json.dumps(LOG_FIELDS)}';
    access_log {folder}/access.log requests;
    client_max_body_size 64m;
    keepalive_timeout 60s;
    server {{
        listen {LOOPBACK}:{self.port};
{self._tls(self._certificates) if self._certificates else ""}
{self._authentication(folder)}
        location / {{
            proxy_pass {self._upstream};
            proxy_http_version 1.1;
            proxy_request_buffering off;
        }}
    }}
}}
"""

    def _tls(self, certificates: Certificates) -> str:
        lines = [
            f"        listen {LOOPBACK}:{self.https_port} ssl;",
            f"        ssl_certificate {certificates.server.certificate};",
            f"        ssl_certificate_key {certificates.server.key};",
        ]
        if self._demand_client_certificate:
            lines += [f"        ssl_client_certificate {certificates.ca};", "        ssl_verify_client on;"]
        return "\n".join(lines)

    def _authentication(self, folder: Path) -> str:
        if not self._users:
            return ""
        return f'        auth_basic "receiver";\n        auth_basic_user_file {folder}/htpasswd;'


def _password_line(user_and_password: tuple[str, str]) -> str:
    """A line for the password file; hashed, because a colon would end a plain password."""
    user, password = user_and_password
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()
    return f"{user}:{{SHA}}{digest}\n"


def _user_of_workers() -> str:
    """The workers of a root's nginx would be another user, who cannot read the temporary folder."""
    return "user root;" if os.geteuid() == 0 else ""


def _served_request(line: str) -> ServedRequest:
    fields = json.loads(line)
    numbers = {name: int(fields[name]) for name in ("status", "connection")}
    return ServedRequest(**{**fields, **numbers})
