"""The thread that waits for the disk, so that the event loop does not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread

FAILURES = (sqlite3.Error, MemoryError)
"""What SQLite may end with; without memory it is no error of its own."""
Told = Callable[[Exception | None], None]


class CommitThread:
    """Commits one transaction after another. Leaner than an executor, whose bookkeeping costs more than the
    commit of a small change does on a fast disk."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        self._writer = writer
        self._asked: SimpleQueue[tuple[asyncio.AbstractEventLoop, Told] | None] = SimpleQueue()
        self._idle = Event()
        self._idle.set()
        self._thread = Thread(target=self._run, name="sqlite-commit", daemon=True)
        self._thread.start()

    def commit(self, loop: asyncio.AbstractEventLoop, told: Told) -> None:
        """Commit; then call `told` on the loop, with the error if it failed."""
        self._idle.clear()
        self._asked.put((loop, told))

    def wait(self) -> None:
        """Block until no commit is under way."""
        self._idle.wait()

    def stop(self) -> None:
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            loop, told = asked
            error: Exception | None = None
            try:
                self._writer.execute("COMMIT")
            except FAILURES as e:
                error = e
            self._idle.set()
            # The loop is gone if the program was interrupted; then nobody is left to be told.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(told, error)
