"""Runs the program that its arguments name under auto-instrumentation, where no name server ever answers."""

import runpy
import socket
import sys
import threading


def getaddrinfo(*_arguments, **_keywords):
    threading.Event().wait()


socket.getaddrinfo = getaddrinfo  # before anybody has looked at it

from opentelemetry.instrumentation.auto_instrumentation import initialize  # noqa: E402 - see above

initialize()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
