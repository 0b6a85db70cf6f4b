"""Values that no log, ``repr`` or traceback with local variables shows.

Tools that print local variables (rich, error trackers) look into dictionaries, named tuples and data classes, but use
the ``repr`` of any other object. So a secret stays wrapped in an object until the bytes of a request are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Secret:
    """A text that only :meth:`reveal` returns. It is false when empty, and equal to the same text.

    Args:
        text: The secret.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the code that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == (other._text if isinstance(other, Secret) else other)

    def __hash__(self) -> int:
        return hash(self._text)


NO_SECRET = Secret("")


class SecretMapping(Mapping[str, str]):
    """A mapping whose ``repr`` shows only names: headers, proxy URLs.

    Args:
        items: What it holds; copied.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str]) -> None:
        self._items = dict(items)

    def __getitem__(self, name: str) -> str:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: ***' for name in self._items)}}}"

    def copy(self) -> dict[str, str]:
        """Return a mutable copy, which ``http.client`` makes of a proxy's headers from Python 3.12 on."""
        return dict(self._items)
