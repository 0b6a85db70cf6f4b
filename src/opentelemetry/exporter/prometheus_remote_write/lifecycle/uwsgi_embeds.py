"""Whether uWSGI may embed this interpreter: anywhere else, what is done for it is not imported."""

from __future__ import annotations

import sys


def uwsgi_may_embed() -> bool:
    """Return whether this may be uWSGI: its module is there, or no program of Python's was started."""
    return "uwsgi" in sys.modules or not sys.orig_argv
