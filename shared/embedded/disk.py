"""How far the write-ahead log has reached the disk, and the thread that waits for it, so that the event loop does not."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

FAILURES = (sqlite3.Error, MemoryError)
"""What writing may end with; without memory it is no error of SQLite's own."""
UNSEEN_SECONDS = 0.25
"""So long what nobody waits for may stay in memory only."""
Told = Callable[[Exception | None], None]


class DiskThread:
    """Does one thing after another that waits for the disk. Leaner than an executor, whose bookkeeping costs more than
    a wait does on a fast disk."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[tuple[asyncio.AbstractEventLoop, Callable[[], object], Told] | None] = (
            SimpleQueue()
        )
        self._idle = Event()
        self._idle.set()
        self._thread = Thread(target=self._run, name="sqlite-disk", daemon=True)
        self._thread.start()

    def do(self, loop: asyncio.AbstractEventLoop, work: Callable[[], object], told: Told) -> None:
        """Do this; then call `told` on the loop, with the error if it failed."""
        self._idle.clear()
        self._asked.put((loop, work, told))

    def wait(self) -> None:
        """Block until nothing is under way."""
        self._idle.wait()

    def stop(self) -> None:
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            loop, work, told = asked
            error: Exception | None = None
            try:
                work()
            except (*FAILURES, OSError) as e:
                error = e
            if self._asked.empty():
                self._idle.set()
            # The loop is gone if the program was interrupted; then nobody is left to be told.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(told, error)


class Disk:
    """Who waits until what was committed before is on the disk. One wait covers all commits before it, because the log
    is read back in their order.

    Without a database (in memory) everything counts as on the disk; without a thread waiting is done on the spot.
    After a wait that failed nobody knows what the disk has, and asking again would be answered with a yes that means
    nothing: from then on everybody is told of the failure, until the process begins anew from what is there. `synced` is
    called after each wait.
    """

    def __init__(
        self,
        database: Path | None,
        thread: DiskThread | None,
        synced: Callable[[asyncio.AbstractEventLoop], None],
    ) -> None:
        self.failed: Exception | None = None
        self._path = database and database.with_name(f"{database.name}-wal")
        self._thread = thread
        self._synced_once = synced
        self._log: int | None = None
        self._written = 0
        self._durable = 0
        self._waiting: deque[tuple[int, Told]] = deque()
        self.syncing = False
        self._later: asyncio.TimerHandle | None = None

    @property
    def behind(self) -> bool:
        """Whether something was committed that may not be on the disk."""
        return self._durable < self._written

    @property
    def busy(self) -> bool:
        return self.syncing or bool(self._waiting)

    def wrote(self, loop: asyncio.AbstractEventLoop) -> None:
        """Something was committed; if nobody waits for it, the disk is asked in a while."""
        if self._path is None:
            return
        self._written += 1
        if self._thread is not None and self._later is None:
            self._later = loop.call_later(UNSEEN_SECONDS, self._in_a_while, loop)

    def tell(self, loop: asyncio.AbstractEventLoop, told: Told) -> None:
        """Call `told` once all that was committed until now is on the disk, or with the error."""
        if self.failed is not None or not self.behind:
            return told(self.failed)
        self._waiting.append((self._written, told))
        self._ask(loop)
        return None

    def close(self) -> None:
        if self._later is not None:
            self._later.cancel()
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def sync(self) -> None:
        """Wait for the disk, here and now. Raises OSError."""
        assert self._path is not None
        if self._log is None:
            self._log = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        os.fdatasync(self._log)

    def _in_a_while(self, loop: asyncio.AbstractEventLoop) -> None:
        self._later = None
        if self.syncing:  # what was written since it began is not in it
            self._later = loop.call_later(UNSEEN_SECONDS, self._in_a_while, loop)
        elif self.behind and self.failed is None:
            self._ask(loop)

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.syncing:
            return None
        self.syncing = True
        synced = partial(self._synced, loop, self._written)
        if self._thread is not None:
            return self._thread.do(loop, self.sync, synced)
        error: Exception | None = None
        try:
            self.sync()
        except OSError as e:
            error = e
        return synced(error)

    def _synced(self, loop: asyncio.AbstractEventLoop, until: int, error: Exception | None) -> None:
        self.syncing = False
        if error is not None:
            self.failed = error
        else:
            self._durable = max(self._durable, until)
        while self._waiting and (error is not None or self._waiting[0][0] <= until):
            self._waiting.popleft()[1](error)
        self._synced_once(loop)
        if self._waiting:
            self._ask(loop)
