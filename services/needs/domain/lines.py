"""The lines of a need: what makes sense to ask for, how lines get their ids, and until when it all has time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.contracts.parts import GoodsLine, PeopleLine
from shared.contracts.vocabulary import Skill
from shared.errors import Invalid

Line = PeopleLine | GoodsLine
"""A line whose `id` is empty is new."""

HORIZON = timedelta(days=90)
WITHOUT_DATE = timedelta(days=14)
LONGEST_WINDOW = timedelta(hours=24)


class Lines(NamedTuple):
    """Lines with ids, and how many numbers of each kind were ever given out: none is used again."""

    people: tuple[PeopleLine, ...]
    goods: tuple[GoodsLine, ...]
    people_numbered: int
    goods_numbered: int

    @property
    def by_id(self) -> dict[str, Line]:
        found: dict[str, Line] = {line.id: line for line in self.people}
        return found | {line.id: line for line in self.goods}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.by_id)


def minds_children(lines: Iterable[Line]) -> bool:
    """Whether somebody is asked for who minds children, whoever the service is for."""
    return any(isinstance(line, PeopleLine) and Skill.CHILD_MINDING in line.skills for line in lines)


def check(lines: Sequence[Line], now: datetime) -> None:
    """Refuse lines that cannot be posted now; the refusal points at the field of the line to blame."""
    if not lines:
        raise Invalid("/lines", zh="至少要有一项需求", en="ask for at least one thing")
    for n, line in enumerate(lines):
        if isinstance(line, PeopleLine):
            _check_people(line, f"/lines/{n}", now)
        else:
            _check_goods(line, f"/lines/{n}", now)


def _check_people(line: PeopleLine, at: str, now: datetime) -> None:
    window = line.window
    if line.seats < 1:
        raise Invalid(f"{at}/seats", zh="人数至少为 1", en="at least one person must be asked for")
    if not 0 <= line.minimum <= line.seats:
        raise Invalid(
            f"{at}/minimum", zh="最少人数须在 0 与人数之间", en="the minimum lies between 0 and the seats"
        )
    if window.end_at <= window.start_at:
        raise Invalid(
            f"{at}/window/end_at", zh="结束时间须晚于开始时间", en="the end must come after the start"
        )
    if window.end_at - window.start_at > LONGEST_WINDOW:
        raise Invalid(
            f"{at}/window/end_at", zh="一个时段最长 24 小时", en="a window is at most 24 hours long"
        )
    if window.start_at <= now:
        raise Invalid(f"{at}/window/start_at", zh="开始时间已过", en="the start already lies in the past")
    if window.start_at > now + HORIZON:
        raise Invalid(
            f"{at}/window/start_at", zh="开始时间须在 90 天以内", en="the start must lie within 90 days"
        )


def _check_goods(line: GoodsLine, at: str, now: datetime) -> None:
    if line.quantity < 1:
        raise Invalid(f"{at}/quantity", zh="数量须大于 0", en="the quantity must be above 0")
    if not 0 <= line.minimum <= line.quantity:
        raise Invalid(
            f"{at}/minimum", zh="最少数量须在 0 与数量之间", en="the minimum lies between 0 and the quantity"
        )
    if line.needed_by is None:
        return
    if line.needed_by <= now:
        raise Invalid(f"{at}/needed_by", zh="期限已过", en="this date already lies in the past")
    if line.needed_by > now + HORIZON:
        raise Invalid(f"{at}/needed_by", zh="期限须在 90 天以内", en="this date must lie within 90 days")


def number(lines: Iterable[Line], before: Lines) -> Lines:
    """The lines with ids: those that have one keep it, which must be one of before; new ones are numbered on."""
    people, goods = before.people_numbered, before.goods_numbered
    known = before.by_id
    numbered_people: list[PeopleLine] = []
    numbered_goods: list[GoodsLine] = []
    for n, line in enumerate(lines):
        if line.id:
            _check_id(line, known.pop(line.id, None), f"/lines/{n}/id")
        if isinstance(line, PeopleLine):
            people += not line.id
            numbered_people.append(line if line.id else line.model_copy(update={"id": f"p{people}"}))
        else:
            goods += not line.id
            numbered_goods.append(line if line.id else line.model_copy(update={"id": f"g{goods}"}))
    return Lines(tuple(numbered_people), tuple(numbered_goods), people, goods)


def _check_id(line: Line, known: Line | None, at: str) -> None:
    if known is None or known.kind != line.kind:
        raise Invalid(at, zh="没有这一项，或重复出现", en="there is no such line, or it stands here twice")


def deadline(lines: Iterable[Line], now: datetime) -> datetime:
    """Until when the need can be met: the earliest start of what is required, or else its earliest date, or else 14 days.
    Where all of it may stay empty, the last of these: until then some of it may still come."""
    lines = tuple(lines)
    required = tuple(line for line in lines if line.required)
    starts = [line.window.start_at for line in required or lines if isinstance(line, PeopleLine)]
    if required:
        return min(starts or _dates(required), default=now + WITHOUT_DATE)
    return max([*starts, *_dates(lines)], default=now + WITHOUT_DATE)


def _dates(lines: Iterable[Line]) -> list[datetime]:
    return [line.needed_by for line in lines if isinstance(line, GoodsLine) and line.needed_by is not None]
