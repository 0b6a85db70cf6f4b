"""A batch job that used push_to_gateway: its metrics are pushed at the end, however short it is."""

from prometheus_client import Counter, Gauge

records = Counter("import_records", "Records that were imported", ["result"])
last_success = Gauge("import_last_success_timestamp_seconds", "When the import last succeeded")

for number in range(1000):
    records.labels("skipped" if number % 10 == 0 else "imported").inc()
last_success.set_to_current_time()
