"""Times that follow from the lines of a need, on which needs and matching must not differ."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared.contracts.parts import GoodsLine, PeopleLine


def over_at(lines: Iterable[PeopleLine | GoodsLine], deadline_at: datetime) -> datetime:
    """When nothing more can come of the lines: the last window has ended and the last date has passed."""
    ends = (line.window.end_at if isinstance(line, PeopleLine) else line.needed_by for line in lines)
    return max([deadline_at, *(end for end in ends if end is not None)])
