"""What a recount found wrong."""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """A broken rule of `docs/domain.md` (1 to 8; 0 for the bookkeeping that they rest on).

    `passing` is True where records of two services were compared: on a live system they may differ while messages
    are under way, so it counts only if it outlasts them. `record` is an id; nothing personal is ever quoted.
    """

    rule: int
    record: str
    en: str
    zh: str
    passing: bool = False
