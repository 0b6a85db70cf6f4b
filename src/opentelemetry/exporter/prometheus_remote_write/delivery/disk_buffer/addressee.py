"""The addressee of buffered requests: what is kept for one tenant must not go to another at the same endpoint."""

from __future__ import annotations

import re

from ...configuration.settings import Settings

_NAMES_A_TENANT = re.compile(r"tenant|org", re.IGNORECASE)  # X-Scope-OrgID, THANOS-TENANT


def addressee(settings: Settings) -> str:
    """Return what identifies the addressee: the endpoint, and who the receiver takes us for.

    Passwords and tokens are not part of it: what was buffered before they changed is sent with the new ones.

    Args:
        settings: Cleaned, so that the endpoint has no password.
    """
    tenants = sorted(
        f"{name.lower()}={value}" for name, value in settings.headers.items() if _NAMES_A_TENANT.search(name)
    )
    return "\0".join([settings.endpoint, *filter(None, [settings.username.reveal()]), *tenants])
