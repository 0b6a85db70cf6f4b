"""What was received in the last minutes, within bounds: metrics, their series and points, who sent them, and pushes."""

from __future__ import annotations

from .distribution import Bucket, quantile
from .family import Family
from .store import Push, Rejection, Store
from .stored_series import Role, StoredSeries, Target
from .targets import Sender

__all__ = [
    "Bucket",
    "Family",
    "Push",
    "Rejection",
    "Role",
    "Sender",
    "Store",
    "StoredSeries",
    "Target",
    "quantile",
]
