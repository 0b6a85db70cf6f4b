"""An application that knows nothing of remote write: it has a counter, a histogram, a gauge and a span, and ends."""

from opentelemetry import metrics, trace

meter = metrics.get_meter("shop")
orders = meter.create_counter("orders", unit="1")
latency = meter.create_histogram("latency", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1])
queue = meter.create_gauge("queue.length")

with trace.get_tracer("shop").start_as_current_span("checkout"):
    orders.add(2, {"method": "card"})
    orders.add(1, {"method": "card"})
    latency.record(0.5)
    latency.record(5)
    queue.set(7)

try:
    import flask
except ImportError:
    print("without flask")
else:
    print("flask is", flask.Flask.__name__)
