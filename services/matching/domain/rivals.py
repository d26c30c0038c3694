"""Lines of one need that want the same people or the same goods: which of them is planned first in a wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from services.matching.domain.planning import is_too_late
from services.matching.domain.wave import GoodsPlan
from shared.contracts.parts import GoodsLine, PeopleLine

Line = TypeVar("Line", PeopleLine, GoodsLine)


def rivals_for_people(due: Sequence[PeopleLine], now: datetime) -> list[PeopleLine]:
    """The lines that are at the same time as another: nobody can be asked for both."""
    ahead = [line for line in due if not is_too_late(line, now)]
    return [x for x in ahead if any(x.id != y.id and x.window.overlaps(y.window) for y in ahead)]


def rivals_for_goods(due: Sequence[GoodsLine]) -> list[GoodsLine]:
    """The lines that ask for the same kind of goods as another: what one takes the other cannot have."""
    kinds = [(line.category, line.unit) for line in due]
    return [line for line, kind in zip(due, kinds, strict=True) if kinds.count(kind) > 1]


def scarcest_first(due: Sequence[Line], short: Mapping[str, int], there: Mapping[str, int]) -> list[Line]:
    """The lines in the order in which they are planned: first those for which the least is left over, so that who or
    what only one of them can use is not spent on another.

    Of each rival `short` is what it is short of, and `there` what there is for it. A line that may stay empty comes before
    one that is required only if that has enough whatever the other takes. Equals stay in the order of the need.
    """

    def place(line: Line) -> tuple[int, bool]:
        if line.id not in there:
            return 0, False
        spare = there[line.id] - short[line.id]
        return (spare, False) if line.required else (max(spare, short[line.id] - 1), True)

    return sorted(due, key=place)


def going_to(plans: Sequence[GoodsPlan]) -> dict[str, int]:
    """How much of which lots these plans take."""
    taken: dict[str, int] = {}
    for choice in (choice for plan in plans for choice in plan.choices):
        taken[choice.lot_id] = taken.get(choice.lot_id, 0) + choice.quantity
    return taken
