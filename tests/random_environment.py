"""Makes exporters in random environments; run in a process of its own, whose system calls are audited.

Ends with status 1 where one raises or does I/O.
"""

import logging
import os
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows, variable

IO = ("ctypes.", "open", "os.", "shutil.", "socket.", "ssl.", "subprocess.", "tempfile.", "urllib.")
NO_IO = {"os.putenv", "os.unsetenv", "os.register_at_fork"}
PLAUSIBLE = [
    b"0",
    b"-1",
    b"true",
    b"http://user:pass@127.0.0.1:9/write",
    b"https://[::1]/",
    b"a=b,c=%20",
    b"/etc/passwd",
]

making = False
events = []
lines = 0


def audit(event, arguments):
    if making and event.startswith(IO) and event not in NO_IO:
        events.append((event, arguments))


class Counter(logging.Handler):
    def emit(self, record):
        global lines  # noqa: PLW0603 - a script
        lines += 1
        assert len(record.getMessage().splitlines()) == 1


anything = st.binary().map(lambda text: text.replace(b"\0", b""))
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(str.encode)


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from([variable(name) for name in rows()]), st.one_of(anything, text, st.sampled_from(PLAUSIBLE))
    )
)
def make(environ):
    global making  # noqa: PLW0603 - a script
    for name in rows():
        os.environ.pop(variable(name), None)
    for name, value in environ.items():
        os.environb[name.encode()] = value
    making = True
    try:
        exporter = PrometheusRemoteWriteMetricsExporter()
    finally:
        making = False
    exporter.shutdown()
    assert events == []


if __name__ == "__main__":
    logging.getLogger().addHandler(Counter())
    os.environ[variable("prometheus_client")] = "true"
    PrometheusRemoteWriteMetricsExporter()  # imports what is imported late, and only where it is wanted
    sys.addaudithook(audit)
    make()
    print(lines, "lines were logged")
