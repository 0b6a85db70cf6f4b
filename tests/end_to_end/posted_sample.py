"""One sample, sent by a transport of its own: what the tests of servers between us and the receiver need."""

import time

import snappy

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import HEADERS
from opentelemetry.exporter.prometheus_remote_write.messages.secret import Secret
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2
from opentelemetry.exporter.prometheus_remote_write.transport.pool import Transport

USER_AGENT = "end-to-end/1"


def post_sample(endpoint, job, *, requests=1, environ=None, **settings):
    """Sends the series up{job=...} with values 1, 2, ... in as many requests; paths are given as such."""
    given = {name: str(value) if name.endswith(PATHS) else value for name, value in settings.items()}
    given |= {name: Secret(given[name]) for name in {"username", "password", "bearer_token"} & given.keys()}
    transport = Transport(Settings(endpoint=endpoint, **given), environ=environ or {}, user_agent=USER_AGENT)
    try:
        for value in range(1, requests + 1):
            transport.post(_body(job, value), HEADERS, 60)
    finally:
        transport.close()


PATHS = ("certificate", "key", "file")


def _body(job, value):
    message = write_v1_pb2.WriteRequest()
    series = message.timeseries.add()
    series.labels.add(name="__name__", value="up")
    series.labels.add(name="job", value=job)
    series.samples.add(timestamp=int(time.time() * 1000) - 100 + value, value=value)  # in order, and in the past
    return snappy.compress(message.SerializeToString())
