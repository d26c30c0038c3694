"""Made-up personal data, each value only in one place, and a look for them where none may be."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote


@dataclass
class Canaries:
    """Values by what they are; `owner` is the service that they may be stored in."""

    owners: dict[str, str] = field(default_factory=dict)

    def text(self, owner: str, what: str) -> str:
        """A name or a sentence that is like no other."""
        return self._planted(owner, f"雀{what}{len(self.owners):03}·ར🐤")

    def phone(self, owner: str) -> str:
        return self._planted(owner, f"1388545{len(self.owners):04}")

    def _planted(self, owner: str, value: str) -> str:
        self.owners[value] = owner
        return value

    def found_in(self, text: str | bytes, but_of: str | None = None) -> Iterator[str]:
        """The canaries in this text, however it is written; those of the service `but_of` may be there."""
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        for form in (raw, *_unpacked(raw)):
            for value, owner in self.owners.items():
                if owner != but_of and any(way in form for way in _ways(value)):
                    yield value


def _ways(value: str) -> Iterable[bytes]:
    """A value as it is, as JSON escapes it, as an address escapes it."""
    return value.encode(), json.dumps(value)[1:-1].encode(), quote(value).encode()


def _unpacked(raw: bytes) -> Iterator[bytes]:
    """What stands in it in base64: cursors of pages, messages in dead letters."""
    for word in raw.replace(b'"', b" ").replace(b"=", b"").split():
        if len(word) > 15:
            try:
                yield base64.urlsafe_b64decode(
                    word.replace(b"+", b"-").replace(b"/", b"_") + b"=" * (-len(word) % 4)
                )
            except binascii.Error:
                continue


@dataclass
class Ears:
    """Everything that went out over HTTP, and by which address it was asked for."""

    heard: list[tuple[str, str, int, dict[str, str], Any]] = field(default_factory=list)

    def addresses(self) -> Iterator[str]:
        """What stands in an address bar, a proxy's log, a bookmark: paths, cursors, locations."""
        for _, path, _, headers, body in self.heard:
            yield path
            yield headers.get("location", "")
            yield str(body.get("next_cursor") or "") if isinstance(body, dict) else ""

    def headers(self) -> Iterator[str]:
        for *_, headers, _ in self.heard:
            yield json.dumps(headers, ensure_ascii=False)

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Every problem, with the path it answered."""
        for method, path, status, _, body in self.heard:
            if status >= 400:
                yield f"{method} {path}", json.dumps(body, ensure_ascii=False)
