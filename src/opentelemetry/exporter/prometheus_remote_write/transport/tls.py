"""How the peer of a TLS connection is verified, and which certificate we present."""

from __future__ import annotations

import ssl

from ..configuration.settings import Settings, variable
from ..errors import Unsendable
from ..messages.shown import shown_path
from .mounted_file import content, unusable


def receiver_context(settings: Settings) -> ssl.SSLContext:
    """Return the context for the receiver: the given authorities, else the system's, and our certificate, if any.

    Raises:
        Unsendable: A file cannot be used.
    """
    context = _trusting(settings.certificate)
    if settings.client_certificate:
        _identify(context, settings.client_certificate, settings.client_key)
    return _relaxed(context) if settings.insecure_skip_verify else context


def proxy_context(settings: Settings) -> ssl.SSLContext:
    """Return the context for a proxy reached by https: the system's authorities and the given ones, no certificate.

    Raises:
        Unsendable: The authorities' file cannot be used.
    """
    context = _trusting(settings.certificate)
    context.load_default_certs()
    return _relaxed(context) if settings.insecure_skip_verify else context


def _trusting(path: str) -> ssl.SSLContext:
    setting = variable("certificate")
    if path:
        content(setting, path)  # OpenSSL's message for an unreadable file names neither the file nor the reason
    try:
        return ssl.create_default_context(cafile=path or None)
    except ssl.SSLError:
        raise unusable(setting, path, "holds no certificate in PEM form") from None
    except OSError as error:  # unreadable, or SSLKEYLOGFILE not writable
        raise Unsendable(f"TLS cannot be set up: {shown_path(error.filename or path)}: {error.strerror}") from None


def _relaxed(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _identify(context: ssl.SSLContext, certificate: str, key: str) -> None:
    setting = variable("client_certificate")
    content(setting, certificate)
    if key:
        content(variable("client_key"), key)

    def refuse_password() -> str:  # otherwise OpenSSL would prompt on the terminal and wait
        raise Unsendable(f"{variable('client_key')}: {shown_path(key or certificate)} is protected by a password")

    try:
        context.load_cert_chain(certificate, key or None, refuse_password)
    except ssl.SSLError as error:
        shown, shown_key = shown_path(certificate), shown_path(key or certificate)
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = (
                f"the key {shown_path(key or certificate)} does not belong to the certificate {shown_path(certificate)}"
            )
        else:
            reason = f"{shown} and {shown_key} do not hold a certificate and its key in PEM form"
        raise Unsendable(f"{setting}: {reason}") from None
    except OSError as error:
        raise Unsendable(f"{setting}: {shown_path(certificate)} or its key cannot be read: {error.strerror}") from None
