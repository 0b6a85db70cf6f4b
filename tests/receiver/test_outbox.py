from __future__ import annotations

import threading

from opentelemetry.exporter.prometheus_remote_write.receiver.outbox import Outbox


def test_texts_come_out_in_order_until_it_is_closed():
    outbox = Outbox()
    outbox.put(["a", "b"])
    outbox.put(["c"], is_error=True)
    outbox.close()
    outbox.put(["d"])
    assert [outbox.take(), outbox.take(), outbox.take()] == [("a\nb\n", False), ("c\n", True), None]


def test_what_does_not_fit_is_counted_and_not_kept():
    outbox = Outbox(limit=4)
    made = []
    for text in ("ab", "cd", "ef", "gh"):
        outbox.put(made.append(text) or line for line in [text])
    assert made == ["ab", "cd"]
    assert outbox.lost() == 2
    assert outbox.lost() == 0
    assert [outbox.take().text, outbox.take().text] == ["ab\n", "cd\n"]


def test_taking_waits_for_the_next_text():
    outbox = Outbox()
    taken = []
    taking = threading.Thread(target=lambda: taken.append(outbox.take()))
    taking.start()
    outbox.put(["a"])
    taking.join()
    assert taken == [("a\n", False)]
