"""`wushe run` on a disk that says what it has kept, so that a test can take away all that a loss of power would.

Run as `python -m tests.live.powered run …`. Beside the database lies a note: how much of the write-ahead log the
last wait for the disk was about. The log is never carried over here, so the file itself stays as it was.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from random import Random

from shared.embedded import engine
from tests.live.server import Server
from wushe.cli import app as wushe
from wushe.embedded import DATABASE

SECTOR = 512
SLOW_SECONDS = 0.02
"""So long a wait for the disk takes at least: on a fast one there would be little to take away."""


class Powered(Server):
    """A server whose machine loses power instead of being killed: what no wait for the disk was about is gone, or torn."""

    module = "tests.live.powered"
    _chance = Random(20)

    def kill(self) -> None:
        super().kill()
        log, note = (self.directory / f"{DATABASE}{end}" for end in ("-wal", "-kept"))
        if not log.exists() or not note.exists():
            return
        kept = int(note.read_text())
        written = log.read_bytes()
        assert kept <= len(written)
        log.write_bytes(written[:kept] + self._torn(written[kept:]))
        (self.directory / f"{DATABASE}-shm").unlink(missing_ok=True)

    def _torn(self, tail: bytes) -> bytes:
        """What may be left of it: nothing, or a part in which a sector never arrived."""
        left = bytearray(tail[: self._chance.randint(0, len(tail))])
        if len(left) < SECTOR or self._chance.random() < 0.5:
            return b""
        hole = self._chance.randrange(0, len(left) - SECTOR + 1, SECTOR)
        left[hole : hole + SECTOR] = bytes(SECTOR)
        return bytes(left)


def _say_what_is_kept(directory: Path) -> None:
    fdatasync, log = os.fdatasync, directory / f"{DATABASE}-wal"
    note = os.open(directory / f"{DATABASE}-kept", os.O_WRONLY | os.O_CREAT)

    def say(size: int) -> None:
        os.pwrite(note, f"{size:<20}".encode(), 0)

    def noted(file: int) -> None:
        size = os.fstat(file).st_size
        time.sleep(SLOW_SECONDS)
        fdatasync(file)
        say(size)

    say(log.stat().st_size if log.exists() else 0)
    for place, name, value in ((os, "fdatasync", noted), (engine, "CHECKPOINT_ROWS", sys.maxsize)):
        setattr(place, name, value)


if __name__ == "__main__":
    _say_what_is_kept(Path(sys.argv[sys.argv.index("--data") + 1]))
    wushe()
