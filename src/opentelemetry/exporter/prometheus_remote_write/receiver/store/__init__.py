"""What was received in the last minutes, within bounds: metrics, their series and points, who sent them, and pushes."""

from __future__ import annotations

from .distribution import Bucket, quantile
from .family import StoredFamily
from .store import Push, Rejection, Store
from .stored_series import Role, StoredSeries, StoredTarget
from .targets import KnownSender

__all__ = [
    "Bucket",
    "KnownSender",
    "Push",
    "Rejection",
    "Role",
    "Store",
    "StoredFamily",
    "StoredSeries",
    "StoredTarget",
    "quantile",
]
