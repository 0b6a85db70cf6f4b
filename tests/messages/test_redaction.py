"""What may be shown: nothing of a secret, however a receiver has repeated it, and sentences all the same."""

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.messages.redaction import (
    Redaction,
    secrets_of_headers,
    secrets_of_query,
)

PASSWORD = "pa:ss wörd@/hunter2"
TOKEN = "tok3n-0123456789-aBcDeF"
CYRILLIC = "мой-секретный-ключ-😀"
REDACTION = Redaction([PASSWORD, TOKEN, CYRILLIC])
NOT_SHOWN = "bytes that may hold a secret, not shown)"


@given(st.binary())
def test_whatever_it_is_it_can_be_printed(data):
    line = REDACTION.words(data)
    assert line.isprintable()
    assert len(line) <= 256


def test_credentials_are_secret_also_as_they_were_before_encoding():
    assert set(secrets_of_headers({"authorization": "Basic dXNlcjpodW50ZXIy"})) == {"dXNlcjpodW50ZXIy", "hunter2"}
    assert set(secrets_of_headers({"Proxy-Authorization": "Basic dXNlcjpodW50ZXIy"})) >= {"hunter2"}
    assert set(secrets_of_headers({"Authorization": "Basic VE9LRU46"})) == {"VE9LRU46", "TOKEN"}
    assert set(secrets_of_headers({"Authorization": "Bearer abc"})) == {"abc"}
    assert set(secrets_of_headers({"Authorization": "abc"})) == {"abc"}
    assert set(secrets_of_headers({"Authorization": "Basic not base64"})) == {"not base64"}


def test_other_values_are_taken_for_secrets_when_they_are_long():
    assert list(secrets_of_headers({"X-Scope-OrgID": "5", "X-Other": "0123456789"})) == ["0123456789"]


@pytest.mark.parametrize("name", ["X-Api-Key", "api-token", "X-Auth", "X-Client-Secret", "DD-PASSWORD"])
def test_short_values_are_secrets_where_their_name_says_so(name):
    assert list(secrets_of_headers({name: "hunter2"})) == ["hunter2"]
    assert list(secrets_of_query(f"a=b&{name}=hunter2"))[1:] == ["hunter2"]
    assert list(secrets_of_headers({name: "5"})) == []


def test_the_query_is_secret_as_a_whole_and_so_are_its_longer_values():
    assert list(secrets_of_query("db=x&key=qu3ry%2Dijklmnop")) == ["db=x&key=qu3ry%2Dijklmnop", "qu3ry-ijklmnop"]


SENTENCES = [
    "out of order sample",
    '{"status":"error","errorType":"bad_data","error":"invalid labels set, label name \\"1\\" is not valid"}',
    "per-user series limit of 150000 exceeded, please contact your administrator (err-mimir-max-series-per-user)",
    "the request has been rejected because the tenant exceeded the request rate limit, set to 10 requests/s",
    "User: arn:aws:iam::555000111222:user/x is not authorized to perform: aps:RemoteWrite",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_shown(sentence):
    assert REDACTION.words(sentence.encode()) == sentence


def test_where_a_secret_stands_as_it_is_the_rest_of_the_sentence_is_shown():
    assert REDACTION.words(f"unknown token {TOKEN} in the request".encode()) == "unknown token *** in the request"


def test_of_a_page_only_the_text_is_shown():
    page = b"<html><head><style>p {color: red}</style></head><body><p>Access &amp; more denied</p></body></html>"
    assert REDACTION.words(page) == "Access & more denied"


def test_what_looks_like_a_key_is_not_shown_even_where_it_is_not_ours():
    assert REDACTION.words(b"session 9f86d081884c7d659a2feaa0c55ad015 is unknown") == "session *** is unknown"


def test_where_nothing_secret_was_sent_nothing_is_left_out():
    assert (
        Redaction([]).words(b"session 9f86d081884c7d659a2feaa0c55ad015") == "session 9f86d081884c7d659a2feaa0c55ad015"
    )


REPETITIONS = {
    "cut at its end": lambda secret: secret[: len(secret) // 2],
    "cut at its beginning": lambda secret: secret[len(secret) // 2 :],
    "its first letters": lambda secret: secret[:8] + "...",
    "its last letters": lambda secret: "..." + secret[-8:],
    "twice": lambda secret: secret * 2,
    "in upper case": str.upper,
    "in lower case": str.lower,
    "with its cases swapped": str.swapcase,
    "as JSON": json.dumps,
    "as JSON, each character": lambda secret: "".join(f"\\u{ord(c):04x}" for c in secret),
    "as JSON within JSON": lambda secret: json.dumps(json.dumps(secret)),
    "as HTML": html.escape,
    "as HTML, each character": lambda secret: "".join(f"&#{ord(c)};" for c in secret),
    "as HTML, each character in hexadecimal": lambda secret: "".join(f"&#x{ord(c):x};" for c in secret),
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "percent-encoded, each character": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "percent-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "as a repr": repr,
    "as a repr of bytes": lambda secret: repr(secret.encode()),
    "as bytes in hexadecimal escapes": lambda secret: "".join(f"\\x{byte:02x}" for byte in secret.encode()),
    "as bytes in octal escapes": lambda secret: "".join(f"\\{byte:03o}" for byte in secret.encode()),
    "letter by letter": " ".join,
    "on several lines": lambda secret: "\n".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    "with dashes": lambda secret: "-".join(secret[i : i + 3] for i in range(0, len(secret), 3)),
    "with tags": lambda secret: "<wbr>".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in base64, with a name in front": lambda secret: base64.b64encode(f"user:{secret}".encode()).decode(),
    "in hexadecimal": lambda secret: secret.encode().hex(),
    "with nothing that can be seen in between": "\u200b".join,
    "with soft hyphens": lambda secret: "\u00ad".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    "in braces, as JavaScript escapes": lambda secret: "".join(f"\\u{{{ord(c):x}}}" for c in secret),
    "as IIS escapes": lambda secret: "".join(f"%u{ord(c):04x}" for c in secret),
    "as CSS escapes": lambda secret: "".join(f"\\{ord(c):x} " for c in secret),
    "as numbers of characters": lambda secret: " ".join(f"U+{ord(c):04X}" for c in secret),
    "as Go prints bytes": lambda secret: f"[{' '.join(map(str, secret.encode()))}]",
    "as Node prints bytes": lambda secret: json.dumps({"type": "Buffer", "data": list(secret.encode())}),
    "as bytes of C": lambda secret: ", ".join(f"0x{byte:02x}" for byte in secret.encode()),
    "as JSON in upper case": lambda secret: "".join(f"\\U{ord(c):04X}" for c in secret),
    "as HTML on several lines": lambda secret: "\n".join("".join(f"& #{ord(c)} ;" for c in secret)),
    "percent-encoded, with what cannot be seen": lambda secret: "\u200b".join(
        f"%{byte:02x}" for byte in secret.encode()
    ),
    "as bits": lambda secret: " ".join(f"{byte:08b}" for byte in secret.encode()),
    "as an octal dump": lambda secret: " ".join(f"{byte:03o}" for byte in secret.encode()),
    "as a dump of the percent-encoded": lambda secret: " ".join(
        f"{byte:02x}" for byte in quote(secret, safe="").encode()
    ),
    "with accents": "\u0301".join,
    "backwards": lambda secret: secret[::-1],
    "in base64, backwards": lambda secret: base64.b64encode(secret.encode()).decode()[::-1],
    "as mojibake": lambda secret: secret.encode().decode("latin-1"),
}


@pytest.mark.parametrize("secret", ["abc", "hunt", "12345"])
@pytest.mark.parametrize(
    "form", ["as bytes in hexadecimal escapes", "in base64", "in hexadecimal", "percent-encoded, each character"]
)
def test_a_short_secret_is_not_shown_encoded_either(secret, form):
    repeated = REPETITIONS[form](secret)
    assert repeated not in Redaction([secret]).words(f"Access denied for {repeated}, try again".encode())


def pieces(secret):
    return [secret[i : i + 6].casefold() for i in range(len(secret) - 5)]


@pytest.mark.parametrize("secret", [PASSWORD, TOKEN, CYRILLIC])
@pytest.mark.parametrize("repeat", REPETITIONS.values(), ids=REPETITIONS)
def test_no_part_of_a_secret_is_shown_however_it_is_repeated(repeat, secret):
    said = f"Access denied for {repeat(secret)}, try again"
    shown = REDACTION.words(said.encode())
    assert shown.endswith(NOT_SHOWN) or "***" in shown
    assert not [piece for piece in pieces(secret) if piece in shown.casefold()]
    place = REDACTION.url(f"http://elsewhere/login/{quote(repeat(secret))}?next={quote(repeat(secret))}")
    assert not [piece for piece in pieces(secret) if piece in place.casefold()]
    assert REDACTION.value(repeat(secret)) == ""


@given(st.text(min_size=1), st.text(), st.text(), st.sampled_from([*REPETITIONS.values()]))
def test_no_secret_of_any_letters_is_shown(secret, before, after, repeat):
    alone = "".join(secret.split())
    shown = Redaction([secret]).words(f"{before} {repeat(secret)} {after}".encode("utf-8", "replace"))
    if len(alone) > 5 and alone.isprintable() and alone not in NOT_SHOWN:
        assert alone not in shown


def test_what_follows_an_escape_is_no_part_of_it():
    secret = "x&ab&cd&ef&12&ab&cd"
    assert Redaction([secret]).words(secret.replace("&", r"\u0026").encode()).endswith(NOT_SHOWN)


def test_a_secret_in_numbered_pieces_is_not_shown():
    pieces_of_it = "\n".join(f"{number}: {TOKEN[number : number + 4]}" for number in range(0, len(TOKEN), 4))
    assert REDACTION.words(pieces_of_it.encode()).endswith(NOT_SHOWN)


def test_a_location_is_shown_where_it_holds_nothing_of_ours():
    assert REDACTION.url("https://login.example/realms/x?state=1") == "https://login.example/realms/x"


def test_its_own_repr_shows_none():
    assert repr(REDACTION) == "Redaction(of 3 secrets)"
