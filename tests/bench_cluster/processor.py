"""How much processor time a family of processes has used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def used(pid: int) -> float:
    """Seconds that this process, its living children and those that have ended have used so far."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        own = sum(map(int, fields[11:15])) / TICK
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return own + sum(used(int(child)) for child in children)
    return 0.0


class Meter:
    """Milliseconds for each need, by process, between making it and reading it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._before = {name: used(pid) for name, pid in pids.items()}

    def each(self, needs: int) -> dict[str, float]:
        return {
            name: round((used(pid) - self._before[name]) * 1000 / max(1, needs), 2)
            for name, pid in self._pids.items()
        }
