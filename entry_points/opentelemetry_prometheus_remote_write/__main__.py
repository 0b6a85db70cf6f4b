"""``python -m opentelemetry_prometheus_remote_write``: the command, where its script is not on the path."""

import sys

from opentelemetry_prometheus_remote_write.command import main

sys.exit(main())
