"""The strict receiver, for trying things out and for tests."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from .answers import Answers, ScriptedAnswer, script
from .decoding import decode
from .decompression import decompress
from .history import History
from .limits import Limits
from .negotiation import negotiate
from .origin import is_wildcard
from .pages import NoPages, Pages
from .received import Message
from .refusal import Refusal
from .server import Server
from .validation import Rules
from .wire import Elements

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .received import (
        Received,
        ReceivedRequest,
        RejectedRequest,
        Sample,
        Series,
    )


class Receiver:
    """A receiver of Remote Write 1.0 and 2.0 that listens from construction until it is closed.

    It takes pushes on the paths where receivers take them, with any prefix. A request that keeps every rule is answered
    with 204; one that breaks a rule is refused whole, with one line that names the series and the rule. Nothing is
    written anywhere but to memory.

    Args:
        host: The address to listen on.
        port: The port; 0 takes a free one.
        answers: Answers in place of the receiver's own, asked for each request that keeps the rules.
        limit: The largest body in bytes, compressed and decompressed.
        timeout: Seconds that a client may be silent within a request or between two.
        keep: How many requests of each kind to keep; None keeps all.
        listener: Called with each request once its fate is known, one call at a time, before it is answered.
        pages: What a browser is shown; not given: nothing.
        limits: How much it takes on at the same time.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(  # noqa: PLR0913 - all but the address are by keyword
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        answers: Answers = (),
        limit: int = 32 * 1024 * 1024,
        timeout: float = 30.0,
        keep: int | None = None,
        listener: Callable[[Received | RejectedRequest], None] | None = None,
        pages: Pages | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
    ) -> None:
        self._script = script(answers)
        self._limit = limit
        self._elements = limits.elements
        self._decoding = threading.Lock()  # so that no more than one request is in memory as objects
        self._history = History(keep, listener, limits.remembered_series)
        self._host = host
        self._server = Server(
            host,
            port,
            answer=self._answer,
            refused=self._history.reject,
            pages=pages or NoPages(),
            timeout=timeout,
            limit=limit,
            limits=limits,
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="otel-prw receiver", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """The URL for a sender."""
        return f"{self.page}api/v1/write"

    @property
    def page(self) -> str:
        """The URL for a browser; for a receiver that listens on all addresses, the one of this machine for itself."""
        host = self._host
        if is_wildcard(str(self._server.server_address[0])):  # of "0", too
            host = "::1" if ":" in host else "127.0.0.1"
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted so far."""
        return self._server.connections

    @property
    def received(self) -> list[Received]:
        """The requests that were accepted, oldest first."""
        return self._history.received

    @property
    def rejected(self) -> list[RejectedRequest]:
        """The requests that were not, oldest first: refused for a fault, or by a scripted answer."""
        return self._history.rejected

    def wait_for(self, expected: int | Callable[[Receiver], object], timeout: float = 10.0) -> None:
        """Wait for what a test expects.

        Args:
            expected: So many accepted requests, or a function of the receiver that turns true. While a series that it
                looks up is not there, it is not true.
            timeout: Seconds.

        Raises:
            TimeoutError: It does not come in time; the text says what came in.
        """

        def holds() -> bool:
            if isinstance(expected, int):
                return len(self.received) >= expected
            try:
                return bool(expected(self))
            except LookupError:
                return False

        self._history.wait_for(holds, timeout)

    def series(self, name: str, /, **labels: str) -> list[Series]:
        """Return every series of a name that has the labels, each with all that came for it, oldest first."""
        return self._history.series(name, labels)

    def samples(self, name: str, /, **labels: str) -> list[Sample]:
        """Return all samples of the one series of a name that has the labels, oldest first.

        Raises:
            LookupError: There is none, or more than one; the text says which there are.
        """
        return self._history.samples(name, labels)

    def values(self, name: str, /, **labels: str) -> list[float]:
        """Return all values of the one series of a name that has the labels, oldest first.

        Raises:
            LookupError: There is none, or more than one; the text says which there are.
        """
        return [sample.value for sample in self.samples(name, **labels)]

    def close(self) -> None:
        """Stop listening, answer what has come in, and end every thread; what was received stays readable."""
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> Receiver:  # noqa: PYI034 - Self is not in Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, request: ReceivedRequest) -> ScriptedAnswer:
        nothing: Message | None = None
        try:
            protocol = negotiate(request.headers)
            nothing = Message(protocol, (), {})
            with self._decoding:
                message = decode(
                    protocol, decompress(request.body, self._limit), Rules(protocol).check, Elements(self._elements)
                )
            scripted = self._history.store(request, message, self._script)
        except Refusal as refusal:
            self._history.reject(request, refusal.status, refusal.reason)
            written = _written(nothing) if nothing else {}
            return ScriptedAnswer(refusal.status, written, f"{refusal.reason}\n".encode())
        answer = scripted or ScriptedAnswer()
        return replace(answer, headers={**_written(message), **answer.headers}) if answer.stores else answer


def _written(message: Message) -> dict[str, str]:
    """Return the headers that confirm what was stored (Remote Write 2.0, section Required Written Response Headers)."""
    if message.protocol == "1.0":
        return {}
    return {
        f"X-Prometheus-Remote-Write-{what}-Written": str(
            sum(len(getattr(each, what.lower())) for each in message.series)
        )
        for what in ("Samples", "Histograms", "Exemplars")
    }
