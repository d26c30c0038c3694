"""The system under measurement: `wushe run` as it is, which also notes when the invitations of each need were durable.

The note is taken when all calendars of a wave have been changed: every invitation of it has been committed then. Run as
`python -m tests.bench.ours DIR PORT NOTES`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from services.volunteers.service import invitations
from shared import many
from shared.contracts import Message
from shared.contracts.matching import SeatsOffered
from shared.ports import Store
from wushe.embedded import embedded
from wushe.serving import listen, run, serve


def note_waves(notes: TextIO) -> None:
    """Write "need time offers" for each wave once its calendars are durable; time is the machine's monotonic clock."""
    change_many = many.change_many

    async def noted(store: Store, kind: Any, wanted: Sequence[Any], *, cause: Message | None = None) -> Any:
        done = await change_many(store, kind, wanted, cause=cause)
        if cause is not None and isinstance(cause.data, SeatsOffered):
            notes.write(f"{cause.subject} {time.monotonic():.6f} {len(wanted)}\n")
            notes.flush()
        return done

    setattr(invitations, "change_many", noted)  # noqa: B010 - a name that the module only imports


async def main(directory: Path, port: int, notes: Path) -> None:
    listening = listen("127.0.0.1", port)
    with notes.open("a") as out:
        async with embedded(directory) as system:
            note_waves(out)
            await serve(system, listening, _nothing_more)


async def _nothing_more() -> None:
    return None


if __name__ == "__main__":
    run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
