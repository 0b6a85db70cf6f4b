import pytest

from opentelemetry.exporter.prometheus_remote_write.delivery.negotiation import (
    Negotiation,
    Shortfall,
    shortfall,
)
from opentelemetry.exporter.prometheus_remote_write.errors import Rejected
from opentelemetry.exporter.prometheus_remote_write.model.request import PROTOCOL_1, PROTOCOL_2, Request

NEW = Request(b"", PROTOCOL_2, samples=10, histograms=2, exemplars=3)
OLD = Request(b"", PROTOCOL_1, samples=10, histograms=2, exemplars=3)
SAMPLES = "X-Prometheus-Remote-Write-Samples-Written"
HISTOGRAMS = "X-Prometheus-Remote-Write-Histograms-Written"
EXEMPLARS = "X-Prometheus-Remote-Write-Exemplars-Written"
ALL_WRITTEN = {SAMPLES: "10", HISTOGRAMS: "2", EXEMPLARS: "3"}
NOTHING_WRITTEN = {SAMPLES: "0", HISTOGRAMS: "0", EXEMPLARS: "0"}
NOTHING_MISSING = Shortfall(0, 0, 0)


def refusal(status, headers=None):
    return Rejected(f"answered {status}", status=status, headers=headers or {})


# --- a 2xx ---


@pytest.mark.parametrize(
    ("headers", "understood"),
    [
        pytest.param(ALL_WRITTEN, True, id="all counted"),
        pytest.param(NOTHING_WRITTEN, True, id="counted, though nothing was written"),
        pytest.param({SAMPLES: "10"}, True, id="samples alone are counted"),
        pytest.param({HISTOGRAMS: "2"}, True, id="histograms alone are counted"),
        pytest.param({EXEMPLARS: "3"}, True, id="exemplars alone are counted"),
        pytest.param({SAMPLES.lower(): "10"}, True, id="a name in lower case, as HTTP/2 has them"),
        pytest.param({SAMPLES.upper(): "10"}, True, id="a name in upper case"),
        pytest.param({SAMPLES: "many"}, True, id="only a receiver of 2.0 has this header, whatever it says"),
        pytest.param({}, False, id="no headers at all"),
        pytest.param({"Content-Length": "0", "Date": "today"}, False, id="no header that counts"),
        pytest.param({"X-Prometheus-Remote-Write-Version": "2.0.0"}, False, id="a version in the answer says nothing"),
        pytest.param({"Samples-Written": "10"}, False, id="a header of nearly the same name"),
    ],
)
def test_a_receiver_that_accepts_has_understood_if_it_counts_what_it_has_written(headers, understood):
    assert Negotiation().understood(NEW, headers) is understood


def test_a_receiver_of_1_0_counts_nothing_and_has_understood():
    assert Negotiation().understood(OLD, {})


def test_what_was_confirmed_once_stays_so():
    negotiation = Negotiation()
    assert negotiation.understood(NEW, ALL_WRITTEN)
    assert negotiation.understood(NEW, {})
    assert not negotiation.refused_protocol(NEW, refusal(415))
    assert not negotiation.refused_protocol(NEW, refusal(400))


def test_requests_of_1_0_confirm_nothing_about_2_0():
    negotiation = Negotiation()
    assert negotiation.understood(OLD, ALL_WRITTEN)
    assert not negotiation.understood(NEW, {})
    assert negotiation.refused_protocol(NEW, refusal(415))


# --- a refusal ---


@pytest.mark.parametrize(
    ("status", "headers", "falls_back"),
    [
        pytest.param(415, {}, True, id="415"),
        pytest.param(415, NOTHING_WRITTEN, False, id="415 from a receiver that counts: it speaks 2.0"),
        pytest.param(400, {}, True, id="400: a receiver of 1.0 may choke on 2.0"),
        pytest.param(400, {"Content-Type": "text/plain"}, True, id="400 with other headers"),
        pytest.param(400, NOTHING_WRITTEN, False, id="400 that counts: the data is at fault"),
        pytest.param(400, {EXEMPLARS.lower(): "0"}, False, id="400 that counts one kind, in lower case"),
        pytest.param(401, {}, False, id="401 is about credentials"),
        pytest.param(403, {}, False, id="403 too"),
        pytest.param(404, {}, False, id="404 is about the path"),
        pytest.param(405, {}, False, id="405 too"),
        pytest.param(301, {}, False, id="301 is about the host"),
        pytest.param(406, {}, False, id="406 is about answers"),
        pytest.param(413, {}, False, id="413 is about the size"),
        pytest.param(422, {}, False, id="422 is about the data"),
    ],
)
def test_the_first_refusal_is_of_the_protocol_or_of_something_else(status, headers, falls_back):
    assert Negotiation().refused_protocol(NEW, refusal(status, headers)) is falls_back


@pytest.mark.parametrize(("status", "falls_back"), [(415, True), (400, False)])
def test_only_the_very_first_request_makes_a_400_doubtful(status, falls_back):
    negotiation = Negotiation()
    assert not negotiation.refused_protocol(NEW, refusal(413))
    assert negotiation.refused_protocol(NEW, refusal(status)) is falls_back


@pytest.mark.parametrize("status", [400, 415])
def test_a_refusal_that_counts_confirms_2_0(status):
    negotiation = Negotiation()
    assert not negotiation.refused_protocol(NEW, refusal(400, NOTHING_WRITTEN))
    assert not negotiation.refused_protocol(NEW, refusal(status))
    assert negotiation.understood(NEW, {})


@pytest.mark.parametrize("status", [400, 415])
def test_a_request_of_1_0_is_never_refused_for_its_protocol(status):
    negotiation = Negotiation()
    assert not negotiation.refused_protocol(OLD, refusal(status))
    # and it was not the first of 2.0
    assert negotiation.refused_protocol(NEW, refusal(400))


# --- how much was written ---


@pytest.mark.parametrize(
    ("headers", "missing"),
    [
        pytest.param(ALL_WRITTEN, NOTHING_MISSING, id="all"),
        pytest.param({**ALL_WRITTEN, SAMPLES: "7"}, Shortfall(3, 0, 0), id="not all samples"),
        pytest.param({**ALL_WRITTEN, HISTOGRAMS: "0"}, Shortfall(0, 2, 0), id="no histograms"),
        pytest.param({**ALL_WRITTEN, EXEMPLARS: "1"}, Shortfall(0, 0, 2), id="not all exemplars"),
        pytest.param(NOTHING_WRITTEN, Shortfall(10, 2, 3), id="nothing"),
        pytest.param({SAMPLES: "10", HISTOGRAMS: "2"}, Shortfall(0, 0, 3), id="a header that is missing means 0"),
        pytest.param({SAMPLES: "10"}, Shortfall(0, 2, 3), id="two that are missing mean 0"),
        pytest.param({name.lower(): text for name, text in ALL_WRITTEN.items()}, NOTHING_MISSING, id="lower case"),
        pytest.param({name: f" {text}\t" for name, text in ALL_WRITTEN.items()}, NOTHING_MISSING, id="space around"),
        pytest.param({**ALL_WRITTEN, SAMPLES: "010"}, NOTHING_MISSING, id="a leading zero"),
        pytest.param({**ALL_WRITTEN, SAMPLES: "11"}, NOTHING_MISSING, id="more than was sent"),
        pytest.param({**ALL_WRITTEN, SAMPLES: str(2**63 - 1)}, NOTHING_MISSING, id="the largest int64"),
    ],
)
def test_the_shortfall_is_what_was_sent_less_what_was_written(headers, missing):
    assert shortfall(NEW, headers) == missing


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param("-1", id="negative"),
        pytest.param("+7", id="with a sign"),
        pytest.param("many", id="a word"),
        pytest.param("", id="empty"),
        pytest.param("7.0", id="a decimal point"),
        pytest.param("7e0", id="an exponent"),
        pytest.param("0x7", id="hexadecimal"),
        pytest.param("1_0", id="an underscore, which Python would take"),
        pytest.param("7, 7", id="the header twice"),
        pytest.param("\N{ARABIC-INDIC DIGIT SEVEN}", id="another script's digit"),
        pytest.param("²", id="a superscript"),
        pytest.param("nan", id="nan"),
        pytest.param("1" * 5000, id="more digits than Python converts"),
    ],
)
def test_a_count_that_is_no_number_says_nothing(nonsense):
    assert shortfall(NEW, {**ALL_WRITTEN, SAMPLES: nonsense}) == NOTHING_MISSING
    assert shortfall(NEW, dict.fromkeys(ALL_WRITTEN, nonsense)) == NOTHING_MISSING


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (Shortfall(3, 0, 0), "3 samples"),
        (Shortfall(0, 2, 0), "2 histograms"),
        (Shortfall(10, 2, 3), "10 samples, 2 histograms, 3 exemplars"),
    ],
)
def test_a_shortfall_names_what_is_missing_with_numbers(missing, text):
    assert str(missing) == text


def test_nothing_missing_is_no_shortfall():
    assert not any(shortfall(NEW, ALL_WRITTEN))
