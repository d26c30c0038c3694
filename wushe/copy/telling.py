"""What a copy says while it works, and the ways in which it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.embedded.contents import Flaw
from shared.errors import WusheError
from wushe.language import say

Advance = Callable[[int], None]
Tell = Callable[[str, int], Advance]
"""Work of this name and size begins; what is returned is called as it gets on."""

SHOWN = 10


class CannotMove(WusheError):
    """Something in the source cannot be read by this version, or would not fit."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(
            say(
                "来源中有 {n} 处读不了或放不下，什么也没有写：{some}",
                "{n} thing(s) in the source cannot be read or would not fit; nothing was written: {some}",
                n=len(flaws),
                some=_some([f"{flaw.where} ({flaw.reason})" for flaw in flaws]),
            )
        )


class MovedOn(WusheError):
    """The target is not what a copy of this source left behind."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__(
            say(
                "目标里已有别的内容，或复制之后又有变化，什么也没有写：{some}。请换一个 WUSHE_STATION，或先清空目标",
                "the target holds something else, or went on after it was copied; nothing was written: {some}. "
                "Choose another WUSHE_STATION, or empty the target first",
                some=_some(found),
            )
        )


class Attended(WusheError):
    """Services run on the target."""

    def __init__(self, groups: Sequence[str]) -> None:
        super().__init__(
            say(
                "目标上有服务正在运行，请先停掉：{some}",
                "services are running on the target; stop them first: {some}",
                some=_some(groups),
            )
        )


def _some(names: Sequence[str]) -> str:
    more = f" … (+{len(names) - SHOWN})" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
