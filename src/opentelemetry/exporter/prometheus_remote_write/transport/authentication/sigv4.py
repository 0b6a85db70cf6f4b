"""Amazon's Signature Version 4, with credentials from botocore's whole chain."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from ...configuration.settings import PREFIX, Settings
from ...errors import Retryable, SendError, Unsendable
from ...messages.shown import shown_foreign
from ..renewal_failures import RenewalFailures
from ..suppressed_telemetry import suppress_logs
from .outgoing import Outgoing
from .renewal import Lease, Renewal

_REGION_IN_HOST = re.compile(r"(?:^|\.)aps-workspaces(?:-fips)?\.([a-z0-9-]+)\.")
_SESSION = "opentelemetry-prometheus-remote-write"
_SIGNED = ("Content-Type",)  # besides the host and Amazon's own; proxies change, add or drop any others
_TIMEOUT = 5  # seconds for a connection to STS, and for its answer
_WHERE = (
    "they were looked for in environment variables, the profile, a web identity, SSO, a process, and the metadata of "
    "the container and of the machine"
)


class SigV4:
    """Signs each request.

    Args:
        settings: Region, service, profile, role and the endpoint.
        environ: The environment, for the region; botocore reads the process's own.
        failures: Where failed renewals are counted.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str], failures: RenewalFailures) -> None:
        self._settings = settings
        self._environ = environ
        self._signer: Renewal[Any] = Renewal("the credentials for Amazon", self._fetch, on_failure=failures.of("sigv4"))

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        """Return date, signature and, for temporary credentials, their token.

        Raises:
            Unsendable: botocore is missing, or there are no credentials or no region.
            Retryable: The credentials did not come in time.
        """
        signer = self._signer.current()
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - see _fetch

        signed = {name: value for name, value in request.headers.items() if name in _SIGNED}
        aws_request = AWSRequest(request.method, _with_encoded_query(request.url), data=request.body, headers=signed)
        suppress_logs("botocore")  # botocore's debug log contains what it signs, including the session token
        signer.add_auth(aws_request)
        return {name: value for name, value in aws_request.headers.items() if name not in _SIGNED}

    def refused(self) -> None:
        """Fetch the credentials again."""
        self._signer.refused()

    def _fetch(self) -> Lease[Any]:
        """Return a signer with the chain's current credentials; it may read files and query hosts."""
        try:
            # Imported late: they take a good part of a second and some megabytes, which only this way should cost.
            from botocore.auth import SigV4Auth  # noqa: PLC0415 - see above
            from botocore.session import Session  # noqa: PLC0415 - see above
        except ImportError:
            raise Unsendable(
                f"{PREFIX}AUTH=sigv4 needs botocore: pip install 'opentelemetry-exporter-prometheus-remote-write[aws]'"
            ) from None
        suppress_logs("botocore", "urllib3")
        try:
            session = Session(profile=self._settings.sigv4_profile or None)
            self._bound(session)
            region = self._region(session)
            credentials, end = self._credentials(session, region)
        except SendError:
            raise
        except Exception as error:  # noqa: BLE001 - a chain of files, processes and hosts can fail in any way
            raise _failure(error) from None
        return Lease(SigV4Auth(credentials, self._settings.sigv4_service, region), end)

    def _bound(self, session: Any) -> None:
        """Make botocore give up in a reasonable time, and reach STS as we reach the receiver."""
        from botocore.config import Config  # noqa: PLC0415 - see _fetch

        proxy = (self._settings.proxies or {}).get("https")
        session.set_default_client_config(
            Config(
                connect_timeout=_TIMEOUT,
                read_timeout=_TIMEOUT,
                retries={"total_max_attempts": 2},
                proxies={"https": proxy} if proxy else None,
            )
        )
        if self._settings.certificate and not os.environ.get("AWS_CA_BUNDLE"):
            session.set_config_variable("ca_bundle", self._settings.certificate)

    def _region(self, session: Any) -> str:
        in_host = _REGION_IN_HOST.search(urlsplit(self._settings.endpoint).hostname or "")
        region = (
            self._settings.sigv4_region
            or (in_host and in_host[1])
            or self._environ.get("AWS_REGION")
            or self._environ.get("AWS_DEFAULT_REGION")
            or session.get_config_variable("region")
        )
        if not region:
            raise Unsendable(f"AWS has no region to sign for: set {PREFIX}SIGV4_REGION")
        return str(region)

    def _credentials(self, session: Any, region: str) -> tuple[Any, float]:
        found = session.get_credentials()
        if found is None:
            profile = f" (profile {self._settings.sigv4_profile!r})" if self._settings.sigv4_profile else ""
            raise Unsendable(f"Unable to locate credentials for AWS{profile}: {_WHERE}")
        frozen = found.get_frozen_credentials()
        if not self._settings.sigv4_role_arn:
            # botocore keeps their expiry private; without it they are used until they are refused.
            end = getattr(found, "_expiry_time", None)
            return frozen, end.timestamp() if isinstance(end, datetime) else math.inf
        return _assumed(session, region, frozen, self._settings)


def _with_encoded_query(url: str) -> str:
    """Return a URL with its query encoded for signing: botocore encodes only the path."""
    parts = urlsplit(url)
    pairs = ([quote(unquote(text), safe="-_.~") for text in pair.split("=", 1)] for pair in parts.query.split("&"))
    return urlunsplit(parts._replace(query="&".join(map("=".join, pairs))))


def _assumed(session: Any, region: str, source: Any, settings: Settings) -> tuple[Any, float]:
    from botocore.credentials import ReadOnlyCredentials  # noqa: PLC0415 - see _fetch

    client = session.create_client(
        "sts",
        region_name=region,
        aws_access_key_id=source.access_key,
        aws_secret_access_key=source.secret_key,
        aws_session_token=source.token,
    )
    external = {"ExternalId": settings.sigv4_external_id} if settings.sigv4_external_id else {}
    answer = client.assume_role(RoleArn=settings.sigv4_role_arn, RoleSessionName=_SESSION, **external)
    given = answer["Credentials"]
    credentials = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return credentials, given["Expiration"].timestamp()


def _failure(error: Exception) -> SendError:
    """Return our error for one of botocore's, whose text may quote the output of a process or a host."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # noqa: PLC0415 - see _fetch
    from botocore.exceptions import ConnectionError as NoConnection  # noqa: PLC0415 - see _fetch

    is_known = isinstance(error, (BotoCoreError, ClientError, OSError))
    reason = shown_foreign(str(error)) if is_known else type(error).__name__
    what = f"The credentials for AWS could not be obtained: {reason}"
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if status >= 500 or code == "Throttling":  # noqa: PLR2004 - the server's own errors
            return Retryable(what)
        return Unsendable(
            f"{what} - look at {PREFIX}SIGV4_ROLE_ARN, its trust policy, and the policy of who assumes it"
        )
    return Retryable(what) if isinstance(error, (NoConnection, HTTPClientError)) else Unsendable(what)
