"""Counts and check sums: the same for the same contents, in whatever order they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIGEST_BYTES = 16
WRITTEN_BY = ("rev", "writes")
"""What a document says about its own writing, rather than about the record."""


@dataclass
class Sum:
    """How many, and the sum of their digests."""

    count: int = 0
    total: int = 0

    def add(self, digest: bytes) -> None:
        self.count += 1
        self.total = (self.total + int.from_bytes(digest)) % (1 << 8 * DIGEST_BYTES)

    def __str__(self) -> str:
        return f"{self.total:0{2 * DIGEST_BYTES}x}"


def canonical(document: Mapping[str, Any]) -> bytes:
    """A document in the one way to write it."""
    said = {name: value for name, value in document.items() if name not in WRITTEN_BY}
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(*parts: bytes) -> bytes:
    """A digest that keeps the parts apart."""
    found = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.digest()
