"""The system under measurement: `wushe run` as it is, which also notes when the invitations of each need were durable.

The note is taken when all calendars of a wave have been changed and are on the disk: not even a loss of power takes an
invitation of it away then. Run as
`python -m tests.bench.ours DIR PORT NOTES`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from services.volunteers.service import invitations
from shared import many
from shared.contracts import Message
from shared.contracts.matching import SeatsOffered
from shared.ports import Store
from wushe.embedded import embedded
from wushe.serving import listen, run, serve


def note_waves(notes: TextIO, settled: Callable[[], Awaitable[None]]) -> None:
    """Write "need time offers" for each wave once its calendars are durable; time is the machine's monotonic clock."""
    change_many = many.change_many
    noting: set[asyncio.Task[None]] = set()

    async def note(need: str, offers: int) -> None:
        await settled()
        notes.write(f"{need} {time.monotonic():.6f} {offers}\n")
        notes.flush()

    async def noted(store: Store, kind: Any, wanted: Sequence[Any], *, cause: Message | None = None) -> Any:
        done = await change_many(store, kind, wanted, cause=cause)
        if cause is not None and isinstance(cause.data, SeatsOffered):
            task = asyncio.create_task(note(cause.subject, len(wanted)))
            noting.add(task)
            task.add_done_callback(noting.discard)
        return done

    setattr(invitations, "change_many", noted)  # noqa: B010 - a name that the module only imports


async def main(directory: Path, port: int, notes: Path) -> None:
    listening = listen("127.0.0.1", port)
    with notes.open("a") as out:
        async with embedded(directory) as system:
            assert system.settled is not None
            note_waves(out, system.settled)
            await serve(system, listening, _nothing_more)


async def _nothing_more() -> None:
    return None


if __name__ == "__main__":
    run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
