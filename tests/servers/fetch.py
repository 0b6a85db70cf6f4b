"""Gets every server's package, so that the tests need not: python -m tests.servers.fetch."""

import os
import sys
from collections.abc import Callable

from tests.servers.package import Package, UnavailableError
from tests.servers.packages import ALL


def main() -> int:
    """Prints one line for each package; what cannot be had is a failure in CI and news elsewhere."""
    missing = [name for name, get in ALL.items() if not _report(name, get)]
    return 0 if not missing or os.environ.get("CI") != "true" else 1


def _report(name: str, get: Callable[[], Package]) -> bool:
    try:
        package = get()
    except UnavailableError as reason:
        print(f"{name}: not available here: {reason}", flush=True)
        return False
    print(f"{name}: {package.version} of {package.suite}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
