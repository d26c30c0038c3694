"""`wushe demo`: the story in a town of its own, or in a running system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Protocol

import structlog

from shared.errors import WusheError
from shared.security.passwords import Hasher
from wushe.check.recount import Report
from wushe.client import Api
from wushe.commands.check import counted
from wushe.commands.check import tell as tell_report
from wushe.demo.ending import look_back
from wushe.demo.facts import Facts
from wushe.demo.narrator import Narrator
from wushe.demo.stage import Stage
from wushe.demo.story import Story
from wushe.demo.tail import Tail
from wushe.demo.watch import Watch
from wushe.embedded import DATABASE, embedded
from wushe.first import ensure_administrator
from wushe.language import LANGUAGE, say
from wushe.sample.loading import MARKER, begin, stands
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.sample.town import Town
from wushe.serving import moving, run
from wushe.terminal import FOUND, console, plainly


class NotForTheDemo(WusheError):
    """People with a published password would be let into a station that is somebody's own."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            say(
                "{data} 中已有一个没有样例的站点，不会在其中演示：请用 --data 指定别的目录，或不加 --data",
                "{data} holds a station without the sample, and no story is told in it: choose another directory with "
                "--data, or leave it out",
                data=data,
            )
        )


class Listener(Protocol):
    """Whoever hears what happens to the followed needs, and has the narrator tell it."""

    def follow(self, id: str) -> None: ...

    async def caught_up(self) -> None: ...

    async def run(self) -> None: ...


@plainly
def tell(url: str | None, data: Path | None) -> int:
    """Tell the story; 0 only if everything is as it should be at the end."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    return run(_in_a_running_system(url, data) if url else _in_its_own_town(data))


async def _in_its_own_town(data: Path | None) -> int:
    with TemporaryDirectory(prefix="wushe-demo-") as temporary:
        place = data or Path(temporary)
        is_new = not (place / DATABASE).exists()
        if not is_new and not (place / MARKER).exists():
            raise NotForTheDemo(place)
        if is_new:
            begin(place)
        async with (
            embedded(place, hasher=Hasher.cheap()) as system,
            moving(system),
            _inside(system.api) as api,
        ):
            with console.status(say("正在布置小镇……", "Setting up the town …")):
                await ensure_administrator(system, place, ADMINISTRATOR, "系统管理员", PASSWORD)
                await Town(api, datetime.now(UTC)).load()
                if is_new:
                    stands(place)  # a later start adds nothing to it
                stage = Stage(api, LANGUAGE)
                await stage.build()
            narrator = _narrator(stage)
            bus = next(iter(system.units.values())).adapters.bus
            return await _play(stage, narrator, Tail(bus, narrator), place)


async def _in_a_running_system(url: str, data: Path | None) -> int:
    api = Api.at(url)
    try:
        stage = Stage(api, LANGUAGE)
        await stage.build()
        narrator = _narrator(stage)
        return await _play(stage, narrator, Watch(stage.staff, narrator), data)
    finally:
        await api.close()


async def _play(stage: Stage, narrator: Narrator, listener: Listener, data: Path | None) -> int:
    async with AsyncExitStack() as stack:
        telling = asyncio.create_task(listener.run())
        stack.callback(telling.cancel)
        story = Story(stage, _head, _act, listener.follow, listener.caught_up)
        await story.tell()
        await listener.caught_up()
    facts = Facts(LANGUAGE, _fact)
    _head(say("结局：逐条核对", "The ending, fact by fact"))
    await look_back(story, facts)
    await story.stage.clear()
    clean = await _recount(data)
    console.print()
    if facts.failed or not clean:
        console.print(
            say("结果不符：{n}条不成立", "The ending is wrong: {n} fact(s) do not hold", n=len(facts.failed)),
            style="bold red",
        )
        return FOUND
    console.print(
        say(
            "讲完了：{t}条消息，{n}条事实全部成立",
            "The end: {t} messages told, all {n} facts hold",
            t=narrator.told,
            n=facts.held,
        ),
        style="bold green",
    )
    return 0


async def _recount(data: Path | None) -> bool:
    """Whether every rule holds; told when it cannot be looked at from here."""
    if data is None:
        console.print(
            say(
                "（规则要在数据所在处核对：wushe check --data …）",
                "(the rules are recounted where the data is: wushe check --data …)",
            ),
            style="dim",
        )
        return True
    report: Report = await counted(data)
    return tell_report(report, where=f"--data {quote(str(data))}") == 0


def _narrator(stage: Stage) -> Narrator:
    narrator = Narrator(LANGUAGE, _line)
    narrator.names = stage.names
    return narrator


def _head(sentence: str) -> None:
    console.print()
    console.print(sentence, style="bold cyan", markup=False)


def _act(sentence: str) -> None:
    console.print(f"▶ {sentence}", style="bold", markup=False)


def _line(who: str, sentence: str) -> None:
    console.print(f"   {who:　<4}{sentence}" if LANGUAGE == "zh" else f"   {who:<11}{sentence}", markup=False)


def _fact(holds: bool, sentence: str) -> None:
    console.print(f" {'✓' if holds else '✗'} {sentence}", style="green" if holds else "red", markup=False)


@asynccontextmanager
async def _inside(app: object) -> AsyncIterator[Api]:
    api = Api.inside(app)
    try:
        yield api
    finally:
        await api.close()
