"""Tokens of Microsoft Entra ID for Azure Monitor, by azure-identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...configuration.settings import PREFIX, Settings
from ...errors import Retryable, SendError, Unsendable
from ...messages.secret import Secret
from ...messages.shown import shown_foreign
from ..renewal_failures import RenewalFailures
from ..suppressed_telemetry import suppress_logs
from .outgoing import Outgoing
from .renewal import Lease, Renewal

_CLOUDS = {".azure.us": "https://monitor.azure.us", ".azure.cn": "https://monitor.azure.cn"}
_AUTHORITIES = {
    "login.microsoftonline.us": "https://monitor.azure.us",
    "login.chinacloudapi.cn": "https://monitor.azure.cn",
    "login.partner.microsoftonline.cn": "https://monitor.azure.cn",
}
_PUBLIC = "https://monitor.azure.com"
_MICROSOFT = (".microsoftonline.com", ".microsoftonline.us", ".chinacloudapi.cn", ".microsoftonline.cn")
_LOGGING = ("azure", "msal", "urllib3", "requests")
_TIMEOUT = 5  # seconds for a connection, and for an answer


class Azure:
    """A token for Azure Monitor, with credentials from the environment.

    Args:
        settings: The scope and the endpoint; TLS and proxies as for the receiver.
        environ: The environment, for the cloud and the proxies; azure-identity reads the process's own.
        failures: Where failed renewals are counted.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str], failures: RenewalFailures) -> None:
        self._settings = settings
        self._environ = environ
        self._token: Renewal[Secret] = Renewal("The token for Azure", self._fetch, on_failure=failures.of("azure"))

    def headers(self, _request: Outgoing) -> Mapping[str, str]:
        """Return the header Authorization.

        Raises:
            Unsendable: azure-identity is missing, or there are no credentials.
            Retryable: The token did not come in time.
        """
        return {"Authorization": f"Bearer {self._token.current().reveal()}"}

    def refused(self) -> None:
        """Request a new token."""
        self._token.refused()

    def _fetch(self) -> Lease[Secret]:
        try:
            # Imported late: they take a good part of a second and some megabytes, which only this way should cost.
            from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - see above
        except ImportError:
            raise Unsendable(
                f"{PREFIX}AUTH=azure needs azure-identity: "
                "pip install 'opentelemetry-exporter-prometheus-remote-write[azure]'"
            ) from None
        suppress_logs(*_LOGGING)
        try:
            # A new credential for each token: it caches tokens, and would return the same one after a 401.
            with DefaultAzureCredential(**self._options()) as credential:
                suppress_logs(*_LOGGING)  # loggers of modules that were imported for it
                token = credential.get_token(self.scope)
        except Exception as error:  # noqa: BLE001 - a chain of files, processes and hosts can fail in any way
            raise _failure(error) from None
        return Lease(Secret(token.token), float(token.expires_on))

    @property
    def scope(self) -> str:
        """Return the scope of the token."""
        host = urlsplit(self._settings.endpoint).hostname or ""
        by_host = next((cloud for end, cloud in _CLOUDS.items() if host.endswith(end)), "")
        cloud = by_host or _AUTHORITIES.get(self._authority, _PUBLIC)
        return self._settings.azure_scope or f"{cloud}/.default"

    @property
    def _authority(self) -> str:
        text = self._environ.get("AZURE_AUTHORITY_HOST", "").strip()
        return urlsplit(text if "://" in text else f"https://{text}").hostname or ""

    def _options(self) -> dict[str, Any]:
        """Return the options for reaching hosts: as we reach the receiver, with reasonable timeouts."""
        settings = self._settings
        options: dict[str, Any] = {
            "connection_timeout": _TIMEOUT,
            "read_timeout": _TIMEOUT,
            "retry_total": 1,
            "connection_verify": settings.certificate or True,  # whatever is set for the receiver
            # An authority other than Microsoft's cannot be verified by Microsoft's instance discovery.
            "disable_instance_discovery": bool(self._authority) and not self._authority.endswith(_MICROSOFT),
        }
        if settings.client_certificate:
            key = settings.client_key
            options["connection_cert"] = (settings.client_certificate, key) if key else settings.client_certificate
        if proxy := (settings.proxies or {}).get("https"):  # not for http, which is the machine's own metadata service
            options["proxies"] = {"https": proxy}
        return options


def _failure(error: Exception) -> SendError:
    """Return our error for one of azure-identity's, whose text lists all attempts on many lines."""
    from azure.core import exceptions  # noqa: PLC0415 - see _fetch

    is_known = isinstance(error, (exceptions.AzureError, OSError, ValueError))
    what = f"No token for Azure: {shown_foreign(str(error)) if is_known else type(error).__name__}"
    if isinstance(error, (exceptions.ServiceRequestError, exceptions.ServiceResponseError)):
        return Retryable(what)
    if isinstance(error, exceptions.ClientAuthenticationError):
        return Unsendable(f"{what} - look at AZURE_CLIENT_ID, AZURE_TENANT_ID and what else azure-identity reads")
    return Unsendable(what)
