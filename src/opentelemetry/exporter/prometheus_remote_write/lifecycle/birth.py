"""What must be recorded when an exporter is created, although everything else waits until it is needed."""

from __future__ import annotations

import os
import time
import uuid

from opentelemetry.sdk import resources

_Detector = getattr(resources, "ServiceInstanceIdResourceDetector", None)
SDK_MAKES_IDS = _Detector is not None
"""Whether resources get an id by themselves: opentelemetry-sdk 1.43 and later."""

_own_ids: dict[int, str] = {}


def generated_id() -> str:
    """Return the id that the SDK generated for this process, or one of ours if it generates none."""
    if _Detector:
        return str(_Detector().detect().attributes["service.instance.id"])
    return _own_ids.setdefault(os.getpid(), str(uuid.uuid4()))


class Birth:
    """When and in which process an exporter was created.

    Attributes:
        time: Nanoseconds since the epoch.
        process: The process id.
        instance: The instance id that the process generated.
    """

    __slots__ = ("instance", "process", "time")

    def __init__(self) -> None:
        self.time = time.time_ns()
        self.process = os.getpid()
        self.instance = generated_id()
