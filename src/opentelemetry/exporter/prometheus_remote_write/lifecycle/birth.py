"""What has to be noted when an exporter is made, although everything else waits until it is needed."""

from __future__ import annotations

import os
import time
import uuid

from opentelemetry.sdk import resources

_Detector = getattr(resources, "ServiceInstanceIdResourceDetector", None)
SDK_MAKES_IDS = _Detector is not None
"""Whether resources have an id by themselves: opentelemetry-sdk 1.43 and later."""

_own_ids: dict[int, str] = {}


def generated_id() -> str:
    """Return the id that the SDK has made up for this very process, or where it makes none one of ours."""
    if _Detector:
        return str(_Detector().detect().attributes["service.instance.id"])
    return _own_ids.setdefault(os.getpid(), str(uuid.uuid4()))


class Birth:
    """When and in which process an exporter was made.

    Attributes:
        time: Nanoseconds since the epoch.
        process: The process id.
        instance: The instance id that the process made up for itself.
    """

    __slots__ = ("instance", "process", "time")

    def __init__(self) -> None:
        self.time = time.time_ns()
        self.process = os.getpid()
        self.instance = generated_id()
