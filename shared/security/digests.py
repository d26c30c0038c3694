"""Digests as ids."""

from __future__ import annotations


def id_of_digest(digest: str) -> str:
    """The first 128 bits of a hexadecimal digest as a UUID of version 8 (RFC 9562), in text form."""
    kept = f"{digest[:12]}8{digest[13:16]}{'89ab'[int(digest[16], 16) & 3]}{digest[17:32]}"
    return f"{kept[:8]}-{kept[8:12]}-{kept[12:16]}-{kept[16:20]}-{kept[20:]}"
