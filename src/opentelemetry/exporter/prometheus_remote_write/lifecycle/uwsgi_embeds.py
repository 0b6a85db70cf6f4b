"""Whether uWSGI may embed this interpreter: anywhere else, the modules for it are not imported."""

from __future__ import annotations

import os
import sys


def uwsgi_may_embed() -> bool:
    """Return whether this may be uWSGI: its module exists, or this is not a Python program, or it runs pyuwsgi."""
    script = "".join(sys.orig_argv[1:2]).rpartition(os.sep)[-1]
    return "uwsgi" in sys.modules or not sys.orig_argv or script in {"uwsgi", "pyuwsgi"}
