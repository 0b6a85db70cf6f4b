"""The settings of authentication: six ways, of which one is used."""

from __future__ import annotations

from collections.abc import Mapping

from ..messages.secret import NO_SECRET, Secret
from .endpoint_settings import EndpointSettings
from .number_types import enumeration
from .row import setting
from .text_types import PARAMETERS, PATH, SCOPES, SECRET, TEXT, TOKEN, URL, USERNAME


class AuthenticationSettings(EndpointSettings):
    """Who we are."""

    auth: str = setting(
        "AUTH",
        enumeration("none", "basic", "bearer", "sigv4", "azure", "oauth2"),
        "",
        "how to authenticate: `none`, `basic`, `bearer`, `sigv4` (Amazon), `azure` (Entra ID) or `oauth2`",
        shown="the one that is set",
        guards=True,
    )
    username: Secret = setting(
        "USERNAME",
        USERNAME,
        NO_SECRET,
        "user name for basic authentication",
        keyword="basic_auth.username",
        secret=True,
        guards=True,
    )
    password: Secret = setting(
        "PASSWORD",
        SECRET,
        NO_SECRET,
        "password for basic authentication",
        keyword="basic_auth.password",
        secret=True,
        guards=True,
    )
    password_file: str = setting(
        "PASSWORD_FILE",
        PATH,
        "",
        "file with the password",
        keyword="basic_auth.password_file",
        secret=True,
        guards=True,
    )
    bearer_token: Secret = setting(
        "BEARER_TOKEN", TOKEN, NO_SECRET, "`Authorization: Bearer` with this token", secret=True, guards=True
    )
    bearer_token_file: str = setting("BEARER_TOKEN_FILE", PATH, "", "file with the token", secret=True, guards=True)
    sigv4_region: str = setting(
        "SIGV4_REGION",
        TEXT,
        "",
        "region to sign for",
        shown="the endpoint's, else `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's",
        guards=True,
    )
    sigv4_service: str = setting("SIGV4_SERVICE", TEXT, "aps", "service to sign for", shown="aps", guards=True)
    sigv4_profile: str = setting("SIGV4_PROFILE", TEXT, "", "profile with the credentials", guards=True)
    sigv4_role_arn: str = setting("SIGV4_ROLE_ARN", TEXT, "", "role to assume with them", guards=True)
    sigv4_external_id: str = setting("SIGV4_EXTERNAL_ID", TEXT, "", "external id that the role asks for", guards=True)
    azure_scope: str = setting(
        "AZURE_SCOPE",
        TEXT,
        "",
        "what the token is for; credentials come from `AZURE_*` as azure-identity reads them",
        shown="the cloud's, `https://monitor.azure.com/.default`",
        guards=True,
    )
    oauth2_token_url: str = setting(
        "OAUTH2_TOKEN_URL",
        URL,
        "",
        "where tokens are issued, for client credentials (RFC 6749, section 4.4)",
        secret=True,
        guards=True,
    )
    oauth2_client_id: str = setting("OAUTH2_CLIENT_ID", TEXT, "", "the client's id", guards=True)
    oauth2_client_secret: Secret = setting(
        "OAUTH2_CLIENT_SECRET", SECRET, NO_SECRET, "the client's secret", secret=True, guards=True
    )
    oauth2_client_secret_file: str = setting(
        "OAUTH2_CLIENT_SECRET_FILE", PATH, "", "file with the client's secret", secret=True, guards=True
    )
    oauth2_scopes: tuple[str, ...] = setting("OAUTH2_SCOPES", SCOPES, (), "scopes to ask for", guards=True)
    oauth2_params: Mapping[str, str] = setting(
        "OAUTH2_PARAMS",
        PARAMETERS,
        {},
        "`k=v,...` more parameters of the token request, such as `audience`",
        secret=True,
        guards=True,
    )
