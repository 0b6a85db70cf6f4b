"""The page at the receiver's own address: what arrives, in a browser."""

from __future__ import annotations

from .page import Page

__all__ = ["Page"]
