"""The system under measurement: `wushe run` as it is, which also notes when the invitations of each need were durable.

The note is taken when the volunteers service has handled a wave: every change of it has been committed then. Run as
`python -m tests.bench.ours DIR PORT NOTES`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, TextIO

from shared.contracts import Message
from shared.contracts.matching import SeatsOffered
from shared.run.dispatch import Dispatcher
from shared.run.kit import Handler
from wushe.embedded import embedded
from wushe.serving import listen, run, serve
from wushe.system import System


def note_waves(system: System, notes: TextIO) -> None:
    """Write "need time offers" for each wave once it is handled; time is the machine's monotonic clock."""
    dispatch: Dispatcher = system.units["volunteers"].dispatch
    rows = dispatch._rows[f"cn.wushe.{SeatsOffered.name}"]

    def noted(row: Handler[Any]) -> Handler[Any]:
        async def method(event: SeatsOffered, message: Message) -> None:
            await row.method(event, message)
            notes.write(f"{message.subject} {time.monotonic():.6f} {len(event.offers)}\n")
            notes.flush()

        return Handler(row.event, method)

    rows[:] = [noted(row) for row in rows]


async def main(directory: Path, port: int, notes: Path) -> None:
    listening = listen("127.0.0.1", port)
    with notes.open("a") as out:
        async with embedded(directory) as system:
            note_waves(system, out)
            await serve(system, listening, _nothing_more)


async def _nothing_more() -> None:
    return None


if __name__ == "__main__":
    run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
