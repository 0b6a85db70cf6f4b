"""Posts before a fork, in the child, and in the parent again."""

import os
import sys

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.transport.pool import Transport

transport = Transport(Settings(endpoint=sys.argv[1]), environ={}, user_agent="tests/1")
transport.post(b"parent before", {}, 60)
child = os.fork()
if child == 0:
    transport.after_fork()
    transport.post(b"child", {}, 60)
    sys.exit()
_, status = os.waitpid(child, 0)
transport.post(b"parent after", {}, 60)
sys.exit(os.waitstatus_to_exitcode(status))
