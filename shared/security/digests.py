"""Digests as ids, and what every id made here looks like."""

from __future__ import annotations

import re

_MADE_HERE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(text: str) -> bool:
    """Whether this has the text form of the ids that this system makes: a UUID, in which nobody's name can stand."""
    return _MADE_HERE.fullmatch(text) is not None


def id_of_digest(digest: str) -> str:
    """The first 128 bits of a hexadecimal digest as a UUID of version 8 (RFC 9562), in text form."""
    kept = f"{digest[:12]}8{digest[13:16]}{'89ab'[int(digest[16], 16) & 3]}{digest[17:32]}"
    return f"{kept[:8]}-{kept[8:12]}-{kept[12:16]}-{kept[16:20]}-{kept[20:]}"
