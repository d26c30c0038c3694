"""`wushe serve SERVICE` as it is, which also notes when the invitations of each need were durable.

Run as `python -m tests.bench_cluster.serve SERVICE --port PORT`; the notes go where BENCH_NOTES says. With BENCH_PROFILE,
a folder, the process also writes a profile of itself there as it ends, and how often it asked the database for what.
"""

from __future__ import annotations

import cProfile
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

from pymongo import monitoring

from shared.run.settings import Settings
from tests.bench.ours import note_waves
from wushe.commands import serve


class Asked(monitoring.CommandListener):
    """Counts commands by name and collection."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.counts[f"{event.command_name} {event.command.get(event.command_name)}"] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def main(service: str, port: int) -> None:
    settings = Settings(port=port)
    folder = os.environ.get("BENCH_PROFILE")
    with Path(os.environ["BENCH_NOTES"]).open("a") as notes:
        note_waves(notes, _at_once)
        if folder is None:
            serve.serve_service(service, settings)
        else:
            _profiled(service, settings, Path(folder))


async def _at_once() -> None:
    """What this store has answered is on its disk."""


def _profiled(service: str, settings: Settings, folder: Path) -> None:
    profile, asked = cProfile.Profile(time.process_time), Asked()
    monitoring.register(asked)
    try:
        profile.runcall(serve.serve_service, service, settings)
    finally:
        profile.dump_stats(folder / f"{service}-{settings.port}.prof")
        counts = json.dumps(dict(asked.counts.most_common()), indent=1)
        (folder / f"{service}-{settings.port}.json").write_text(counts)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[3]))
