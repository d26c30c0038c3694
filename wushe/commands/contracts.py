"""`wushe contracts`: the events on paper, written anew or compared with the code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.contracts import Event
from shared.security.passwords import Hasher
from wushe.contracts import drift, write
from wushe.contracts.write import Incompatible
from wushe.embedded import embedded
from wushe.language import say
from wushe.system import hears
from wushe.terminal import FOUND, console, give_up


def write_contracts() -> int:
    """Write what differs, and name it."""
    try:
        changed = write(_hears())
    except Incompatible as e:
        give_up(str(e), FOUND)
    for path in changed:
        console.print(say("已写入 {path}", "wrote {path}", path=path), markup=False)
    console.print(say("事件契约已与代码一致", "The contracts are as the code has them"))
    return 0


def check_contracts() -> int:
    """Name what differs; 1 if anything does."""
    found = drift(_hears())
    for line in found:
        console.print(line, markup=False)
    if found:
        console.print(say("请执行 make contracts", "run: make contracts"))
    return FOUND if found else 0


def _hears() -> Mapping[str, Sequence[type[Event]]]:
    """Which service hears what, asked of a system that is built and never started."""

    async def built() -> Mapping[str, Sequence[type[Event]]]:
        with TemporaryDirectory() as empty:
            async with embedded(Path(empty), hasher=Hasher.cheap()) as system:
                return hears(system)

    return asyncio.run(built())
