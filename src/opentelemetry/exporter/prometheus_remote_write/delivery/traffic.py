"""What went over the wire: requests by result, and their bytes; counted from several threads at once."""

from __future__ import annotations

import threading
from collections import Counter

from ..encoding.compression import uncompressed_size
from ..model.request import Request


class Traffic:
    """Counts requests.

    Attributes:
        requests: Requests by the status of their answer, or the cause of their failure.
        retries: How many of them had been sent before.
        compressed: The size of their bodies in bytes.
        uncompressed: The same, uncompressed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        self.retries = 0
        self.compressed = 0
        self.uncompressed = 0

    def count(self, request: Request, result: str, *, is_retry: bool) -> None:
        """Count a request that was sent.

        Args:
            request: The request.
            result: The status of its answer, or the cause of its failure.
            is_retry: Whether it had been sent before.
        """
        with self._lock:
            self.requests[result] += 1
            self.retries += is_retry
            self.compressed += len(request.body)
            self.uncompressed += uncompressed_size(request.body)
