"""How long each fault lasts and how often it comes: short in `make test-cluster`, whole in `make test-cluster-faults`."""

from __future__ import annotations

import os
from typing import NamedTuple


class Lengths(NamedTuple):
    kills: int
    """Blind kills under load."""
    passes: tuple[int, ...]
    """At which passes of each named point a process dies."""
    broker_frozen: float
    broker_gone: float
    store_frozen: float
    """Seconds."""
    outages: int
    """How often the broker and the store are killed."""
    turns: int
    """How often a second instance comes and goes."""


QUICK = Lengths(
    kills=15, passes=(3,), broker_frozen=30.0, broker_gone=20.0, store_frozen=10.0, outages=1, turns=1
)
WHOLE = Lengths(
    kills=100, passes=(1, 7, 40), broker_frozen=30.0, broker_gone=120.0, store_frozen=10.0, outages=5, turns=3
)
AT_LENGTH = os.environ.get("WUSHE_AT_LENGTH") == "1"
_CHOSEN = WHOLE if AT_LENGTH else QUICK
LENGTHS = _CHOSEN._replace(kills=int(os.environ.get("KILLS") or _CHOSEN.kills))
