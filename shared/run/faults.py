"""Stopping the process dead at a named point, for tests that prove that nothing is lost then."""

from __future__ import annotations

import os
import signal

POINTS = ("relay.committed", "relay.published", "loop.received", "loop.applied", "sweep.woken")
COPY_POINTS = ("copy.recorded", "copy.published", "copy.committed")
ALL_POINTS = (*POINTS, *COPY_POINTS)


class KillAt:
    """SIGKILL to itself at the `nth` pass of `point`, in this process."""

    def __init__(self, point: str, nth: int = 1) -> None:
        if point not in ALL_POINTS:
            raise ValueError(f"no such point: {point}; there are {', '.join(ALL_POINTS)}")
        self._point = point
        self._left = nth

    @classmethod
    def parse(cls, text: str) -> KillAt:
        """From "point:n" or "point"."""
        point, _, nth = text.partition(":")
        passes = int(nth or 1)
        if passes < 1:
            raise ValueError(f"no pass {passes}")
        return cls(point, passes)

    def reach(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
