"""The receiver's answers to an empty request and, if requested, to a test series."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus

from ..configuration.settings import Settings, variable
from ..delivery.negotiation import counts_written
from ..encoding.compression import Compress
from ..encoding.encoder import HEADERS
from ..errors import Cause, Rejected, Retryable, SendError
from ..model.request import PROTOCOL_1, PROTOCOL_2
from ..model.transport import Response
from .check_series import NAME, Content, body
from .finding import Finding, Level, failure, ok, warning
from .receiver_answer import ReceiverAnswer


class Probe:
    """Probes a receiver.

    Args:
        post: Sends one request, within some seconds, or raises a :class:`SendError`.
        settings: Which protocol version and which histograms to use.
        compress: Compresses a message into a body.
        has_proxy: Whether there is a proxy, which may be the one that refuses.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        post: Callable[[bytes, Mapping[str, str]], Response],
        settings: Settings,
        compress: Compress,
        *,
        has_proxy: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._post = post
        self._settings = settings
        self._compress = compress
        self._has_proxy = has_proxy
        self._clock = clock
        self._protocol = PROTOCOL_1 if settings.protocol == PROTOCOL_1 else PROTOCOL_2

    def findings(self, labels: Mapping[str, str] | None) -> Iterator[Finding]:
        """Yield findings about the receiver's answers.

        Args:
            labels: Of the test series, without its name; None sends no series.
        """
        answer = self._ask(Content.NOTHING, {}, 0)
        if self._protocol == PROTOCOL_2 and self._speaks_only_1(answer):
            if self._settings.protocol == PROTOCOL_2:
                said = str(answer.error) if answer.error else f"it answered {answer.status} without confirming it"
                text = f"the receiver does not speak Remote Write 2.0: {said}"
                yield failure("protocol", text, f"set {variable('protocol')} to auto", seconds=answer.seconds)
                return
            self._protocol = PROTOCOL_1
            answer = self._ask(Content.NOTHING, {}, 0)
        empty = self._of_empty(answer)
        yield empty
        if labels is not None and empty.level is not Level.FAILURE:
            yield from self._of_series(labels)

    def _ask(self, content: Content, labels: Mapping[str, str], at: int) -> ReceiverAnswer:
        began = time.monotonic()
        try:
            accepted = self._post(body(self._protocol, content, labels, at, self._compress), HEADERS[self._protocol])
        except SendError as error:
            headers = error.headers if isinstance(error, Rejected) else {}
            status = error.status if isinstance(error, Rejected | Retryable) else None
            return ReceiverAnswer(status or 0, _lower(headers), error, time.monotonic() - began)
        return ReceiverAnswer(accepted.status, _lower(accepted.headers), None, time.monotonic() - began)

    def _speaks_only_1(self, answer: ReceiverAnswer) -> bool:
        """Return whether 1.0 may work after this answer to 2.0, by the exporter's own rule."""
        if counts_written(answer.headers):
            return False
        return not answer.error or answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}

    def _of_empty(self, answer: ReceiverAnswer) -> Finding:
        seconds = answer.seconds
        if answer.is_a_page and (not answer.error or answer.error.cause is Cause.NO_RECEIVER):
            text = f"a web page answered ({answer.status}, text/html): this is not a receiver"
            cure = f"look at the path in {variable('endpoint')}: it must be the write path, such as /api/v1/write"
            return failure("web-page", text, cure, seconds=seconds)
        if not answer.error:
            version = f"Remote Write {self._protocol}" + (
                ", which it confirms" if counts_written(answer.headers) else ""
            )
            return ok("request", f"an empty request is accepted ({answer.status}); {version}", seconds=seconds)
        if answer.topic == "refused" and answer.status == HTTPStatus.BAD_REQUEST and not answer.is_a_page:
            text = f"path and credentials seem right, but an empty request is refused: {answer.error}"
            return warning(
                "empty-refused", text, "run it with --send to see whether a series is accepted", seconds=seconds
            )
        return self._refused(answer)

    def _refused(self, answer: ReceiverAnswer) -> Finding:
        cure = answer.cure(has_proxy=self._has_proxy)
        return failure(answer.topic, str(answer.error), cure, seconds=answer.seconds)

    def _of_series(self, labels: Mapping[str, str]) -> Iterator[Finding]:
        at = int(self._clock() * 1000)
        answer = self._ask(Content.EXEMPLAR, labels, at)
        has_exemplar = not answer.error
        without = answer
        if answer.error:  # perhaps only the exemplar is refused
            without = self._ask(Content.SAMPLE, labels, at)
        if without.error:
            yield failure(
                without.topic, str(without.error), without.cure(has_proxy=self._has_proxy), seconds=without.seconds
            )
            return
        confirmed = without.written("samples")
        if confirmed == 0:
            text = f"a sample of {NAME} was accepted ({without.status}), but the receiver says it has written none"
            yield failure("not-written", text, "look at the receiver's log and at its limits", seconds=without.seconds)
            return
        counted = (
            "the receiver says that it is written"
            if confirmed
            else f"Remote Write {self._protocol} does not say whether it is written"
        )
        yield ok("send", f"a sample of {NAME} is accepted ({without.status}); {counted}", seconds=without.seconds)
        yield self._of_exemplar(answer, accepted=has_exemplar)
        yield self._of_histogram(self._ask(Content.NATIVE_HISTOGRAM, labels, at + 1))
        end = self._ask(Content.END, labels, at + 2)
        if end.error:
            text = f"the stale marker that ends {NAME} is refused: {end.error}"
            yield warning("stale-marker", text, f"leave {variable('stale_markers')} unset", seconds=end.seconds)
        else:
            yield ok("stale-marker", f"{NAME} is ended by a stale marker ({end.status})", seconds=end.seconds)

    def _of_exemplar(self, answer: ReceiverAnswer, *, accepted: bool) -> Finding:
        written = answer.written("exemplars")
        if written:
            return ok("exemplars", "they are stored", seconds=answer.seconds)
        if written == 0 or not accepted:
            said = f": {answer.error}" if answer.error else ""
            return ok("exemplars", f"they are not stored{said}", seconds=answer.seconds)
        return ok("exemplars", f"accepted; Remote Write {self._protocol} does not say whether they are stored")

    def _of_histogram(self, answer: ReceiverAnswer) -> Finding:
        written = answer.written("histograms")
        refused = written == 0 or bool(answer.error)
        said = f": {answer.error}" if answer.error else ""
        wanted = (
            self._settings.convert_histograms_to_nhcb
            or self._settings.default_histogram_aggregation != "explicit_bucket_histogram"
        )
        if refused and wanted:
            text = f"native histograms, which the settings ask for, are not stored{said}"
            cure = (
                f"enable them in the receiver, or unset {variable('default_histogram_aggregation')} and "
                f"{variable('convert_histograms_to_nhcb')}"
            )
            return failure("native-histograms", text, cure, seconds=answer.seconds)
        if refused:
            return ok("native-histograms", f"they are not stored{said}", seconds=answer.seconds)
        told = "they are stored" if written else f"accepted; Remote Write {self._protocol} does not say whether stored"
        return ok("native-histograms", told, seconds=answer.seconds)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items()}
