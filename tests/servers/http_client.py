"""The tests' own HTTP requests to servers: no proxy from the environment, no retries, no connection left open."""

from collections.abc import Mapping

import urllib3

TIMEOUT = 60.0


def get(url: str, headers: Mapping[str, str] | None = None, **fields: object) -> urllib3.BaseHTTPResponse:
    """The whole answer to a GET request; fields that are None are left out of the query, lists repeat theirs."""
    pairs = [
        (name, str(value))
        for name, values in fields.items()
        for value in (values if isinstance(values, list | tuple) else [values])
        if value is not None
    ]
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as pool:
        return pool.request("GET", url, fields=pairs, headers=headers)


def answers(url: str) -> bool:
    """Whether the address answers with status 200 now."""
    try:
        return get(url).status == 200
    except urllib3.exceptions.HTTPError:
        return False
