"""``python -m opentelemetry_prometheus_remote_write``: the command where no script is on the path."""

import sys

from opentelemetry_prometheus_remote_write.command import main

sys.exit(main())
