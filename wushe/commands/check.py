"""`wushe check`: every rule recounted from the stored records, on a live or a stopped system."""

from __future__ import annotations

import asyncio
from pathlib import Path
from shlex import quote

from rich.table import Table

from shared.embedded.clock import SystemClock
from shared.embedded.opening import is_live
from shared.run.settings import Settings
from wushe.check import Report, recount
from wushe.check.embedded import evidence_in
from wushe.commands.reaching import require_data
from wushe.language import LANGUAGE, say
from wushe.terminal import CANNOT, FOUND, console, errors, plainly, program

COUNTED = {
    "needs": "需求",
    "leads": "排困线索",
    "matches": "匹配",
    "calendars": "日程",
    "volunteers": "志愿者",
    "service records": "服务记录",
    "lots": "捐赠批次",
    "ledger entries": "批次流水",
    "messages": "消息",
}
"""In Chinese, what a recount goes through."""


@plainly
def recount_here(data: Path | None) -> int:
    """Recount, print what was found; 1 if any rule is broken, 2 if nobody can tell yet."""
    report = asyncio.run(counted(data or Path("data")))
    console.print(table(report))
    return tell(report, where=f"--data {quote(str(data))}" if data else "")


@plainly
def recount_there(settings: Settings) -> int:
    """The same on the servers of a cluster."""
    report = asyncio.run(counted_there(settings))
    console.print(table(report))
    return tell(report, where=say("--url 入口地址", "--url ADDRESS-OF-THE-EDGE"))


async def counted_there(settings: Settings) -> Report:
    """The recount of a cluster. Raises Outage."""
    from wushe.check.cluster import evidence_on  # its drivers need not be there for one machine

    with errors.status(say("正在重新核算……", "Recounting …")):
        async with evidence_on(settings) as evidence:
            return await recount(evidence, SystemClock())


async def counted(data: Path) -> Report:
    """The recount of this data directory. Raises NoData."""
    require_data(data)
    with errors.status(say("正在重新核算……", "Recounting …")):
        async with evidence_in(data, live=is_live(data)) as evidence:
            return await recount(evidence, SystemClock())


def tell(report: Report, where: str = "") -> int:
    """The verdict in words, each violation on its line. `where` tells other commands of the same system."""
    for found in report.violations:
        sentence = found.zh if LANGUAGE == "zh" else found.en
        console.print(
            say(
                "规则{n}  {record}：{what}",
                "rule {n}  {record}: {what}",
                n=found.rule,
                record=found.record,
                what=sentence,
            ),
            markup=False,
        )
    if report.dead_letters:
        console.print(
            say(
                "有{n}封死信待处理：{w}",
                "{n} dead letter(s) wait: {w}",
                n=report.dead_letters,
                w=f"{program()} dead-letters list {where}".strip(),
            ),
            markup=False,
        )
    if report.unsettled:
        console.print(
            say(
                "还有消息在途，服务之间有出入，目前无法判断：请让系统再运行一会儿，然后重新核对",
                "Messages are still under way and services differ, so nobody can tell yet: run the system a little and "
                "check again",
            )
        )
    if report.clean and report.unsettled:
        return CANNOT
    if report.clean:
        console.print(say("核对完毕：八条规则全部成立", "Recounted: all eight rules hold"))
        return 0
    console.print(say("共{n}处违例", "{n} violation(s)", n=len(report.violations)))
    return FOUND


def table(report: Report) -> Table:
    """What was counted."""
    shown = Table(show_header=False)
    for what, count in report.counted.items():
        shown.add_row(say(COUNTED.get(what, what), what), f"{count:,}")
    return shown
