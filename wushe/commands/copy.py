"""`wushe copy`: a station moves from its data directory to the servers of a cluster."""

from __future__ import annotations

from pathlib import Path

import structlog
from rich.box import SIMPLE_HEAD
from rich.progress import Progress
from rich.table import Table

from shared.run.settings import Settings
from wushe.commands.reaching import require_data
from wushe.copy.moving import Copied, copy_station
from wushe.copy.sums import Sum
from wushe.copy.telling import Advance, Tell
from wushe.language import say
from wushe.serving import run
from wushe.terminal import FOUND, console, plainly, progress

SHOWN_DIGITS = 8


@plainly
def copy(data: Path, settings: Settings) -> int:
    """Copy, and show what was counted on both sides; 1 if it is not the same."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    require_data(data)
    with progress() as bar:
        copied = run(copy_station(data, settings, lambda title: _in_one_bar(bar, title)))
    console.print(table(copied))
    return tell(copied)


def tell(copied: Copied) -> int:
    """The verdict in words."""
    if copied.records or copied.messages:
        written = ("写入 {r} 条记录、{m} 条消息", "{r} record(s) and {m} message(s) were written")
    else:
        written = ("目标早已齐全，没有写入任何内容", "all of it was there already; nothing was written")
    console.print(say(*written, r=f"{copied.records:,}", m=f"{copied.messages:,}"))
    if copied.complete:
        console.print(
            say(
                "两边一致：可以在目标上启动服务了",
                "Both sides are the same: services may start on the target",
            )
        )
        return 0
    if not copied.groups_agree:
        console.print(say("各服务的读取位置不一致", "the places where services read on differ"), style="red")
    console.print(
        say("两边不一致：请不要启动服务，再复制一次", "The sides differ: start nothing, and copy again"),
        style="red",
    )
    return FOUND


def table(copied: Copied) -> Table:
    """Count and check sum of each kind, source and target; kinds that hold nothing on either side are left out."""
    shown = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown.add_column(say("记录／消息", "records, messages"), no_wrap=True)
    for side in (say("来源", "source"), say("目标", "target")):
        shown.add_column(side, justify="right", no_wrap=True)
        shown.add_column(say("校验和", "check sum"), no_wrap=True)
    shown.add_column("")
    for row in copied.rows:
        if row.source.count or row.target.count:
            same = row.source == row.target
            verdict = "=" if same else say("不一致", "differs")
            sides = (*_side(row.source), *_side(row.target))
            shown.add_row(row.name, *sides, verdict, style=None if same else "red")
    return shown


def _side(found: Sum) -> tuple[str, str]:
    return f"{found.count:,}", str(found)[:SHOWN_DIGITS]


def _in_one_bar(bar: Progress, title: str) -> Tell:
    """One bar for a whole phase, that grows with each kind."""
    task = bar.add_task(title, total=0)
    size = 0

    def begin(name: str, total: int) -> Advance:
        nonlocal size
        size += total
        bar.update(task, total=size)
        return lambda done: bar.advance(task, done)

    return begin
