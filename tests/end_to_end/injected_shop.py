"""What the small shop pushes from an injected pod."""

from __future__ import annotations

from tests.end_to_end.kubelet import Pod

INSTANCE = f"berlin.{Pod().name}.app"


def assert_shop_arrived(receiver):
    """What the small shop has recorded is there, under the names that the Operator gives; and the process's metrics."""
    assert receiver.rejected == []
    assert receiver.values("orders_total", method="card", job="berlin/shop", instance=INSTANCE)[-1] == 3
    assert receiver.values("latency_seconds_count", k8s_node_name="node-1")[-1] == 2
    assert receiver.values("process_memory_usage_bytes", instance=INSTANCE)[-1] > 0
    assert receiver.received[-1].headers["Authorization"] == "Bearer replace-me"
    assert receiver.series("target_info", telemetry_distro_name="opentelemetry-exporter-prometheus-remote-write")
