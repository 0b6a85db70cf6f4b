"""Series and labels in dashboards and rules: written in OpenTelemetry's words, turned into the names that arrive.

``<<counter http.requests {request} {job="shop"}>>`` is a selector: kind, name and unit of the instrument, perhaps the
suffix of a classic histogram's series, and matchers. ``<<label http.route>>`` is a label in PromQL, ``<<legend
http.route>>`` the same where Grafana writes it. ``<<intervals 3>>`` is so many intervals in seconds, ``<<duration
1>>`` the same as Prometheus writes a duration, ``<<buffered bytes 0.8>>`` and ``<<buffered seconds 0.8>>`` a part of
what may wait, and ``<<docs how-to/alerts.md>>`` a page's address.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..configuration.translation_strategy import TranslationStrategy
from ..translation.naming import MetricKind, label_name, metric_name

_LABEL = re.compile(r"<<(label|legend) ([\w.]+)>>")
_SERIES = re.compile(r"<<(counter|up_down_counter|gauge|histogram) (\S+) (\S+) (_\w+)?\{([^{}]*)\}>>")
_INTERVALS = re.compile(r"<<intervals (\d+)>>")
_DURATION = re.compile(r"<<duration (\d+)>>")
_BUFFERED = re.compile(r"<<buffered (bytes|seconds) ([\d.]+)>>")
_PAGE = re.compile(r"<<docs ([^>]+)>>")
_LEGAL = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


class Names(NamedTuple):
    """How an exporter writes names, and how often.

    Args:
        strategy: How names are translated.
        namespace: The prefix of a metric's name.
        interval: Between two exports, in seconds.
        repository: The address of the repository, whose docs alerts link to.
        native: Whether histograms arrive as native ones.
        buffered_bytes: How many bytes may wait.
        buffered_seconds: For how long they may.
        target_info: Whether that is sent.
    """

    strategy: TranslationStrategy = TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES
    namespace: str = ""
    interval: float = 60.0
    repository: str = ""
    native: bool = False
    buffered_bytes: int = 16 * 1024 * 1024
    buffered_seconds: float = 3600.0
    target_info: bool = True

    def fill(self, text: str) -> str:
        """Return a text with the names as they arrive."""
        text = _LABEL.sub(lambda match: self._label(match[2], quoted=match[1] == "label"), text)
        text = _SERIES.sub(lambda match: self._series(*match.groups()), text)
        text = _INTERVALS.sub(lambda match: f"{self.interval * int(match[1]):g}", text)
        text = _DURATION.sub(lambda match: f"{round(self.interval * 1000) * int(match[1])}ms", text)
        bounds = {"bytes": self.buffered_bytes, "seconds": self.buffered_seconds}
        text = _BUFFERED.sub(lambda match: f"{bounds[match[1]] * float(match[2]):.0f}", text)
        return _PAGE.sub(lambda match: f"{self.repository}/blob/main/docs/{match[1]}", text)

    def _label(self, key: str, *, quoted: bool) -> str:
        name = label_name(key, self.strategy)
        return f'"{name}"' if quoted and not _LEGAL.fullmatch(name) else name

    def _series(self, kind: str, name: str, unit: str, suffix: str | None, matchers: str) -> str:
        written = metric_name(name, unit, MetricKind[kind.upper()], self.strategy, self.namespace) + (suffix or "")
        if _LEGAL.fullmatch(written):
            return f"{written}{{{matchers}}}" if matchers else written
        return f'{{"{written}"{"," if matchers else ""}{matchers}}}'
