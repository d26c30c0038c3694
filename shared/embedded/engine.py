"""One SQLite file, one writer: changes that come together share one wait for the disk, and answers follow it.

SQLite before 3.51.3 has a rare race when two connections write or checkpoint, so everything that writes goes
through one connection here, and a lock on the data directory keeps a second process out.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from shared.embedded.disk import FAILURES, Disk, DiskThread
from shared.embedded.opening import (
    NewerData,
    is_garbled,
    is_outage,
    keep_to_oneself,
    lock,
    open_reader,
    open_writer,
    read_garbled,
)
from shared.errors import Outage

T = TypeVar("T")

MEMORY = ":memory:"
BATCH = 128
GATHER_SECONDS = 0.001
CHECKPOINT_ROWS = 6000
"""After so many changed rows the log is carried over into the file. A row is about a page."""


class _Job(Generic[T]):
    """One change somebody waits for: what to run inside the transaction, and what to do once it is committed.

    Entering it starts a try. Whatever is raised inside is for the one who asked, and for nobody else in the
    batch: leaving it keeps the error for them, unjudged.
    """

    __slots__ = ("after", "answer", "error", "result", "run", "sync")

    def __init__(
        self,
        run: Callable[[sqlite3.Connection], T],
        after: Callable[[T], None] | None,
        answer: asyncio.Future[T],
        sync: bool,
    ) -> None:
        self.run = run
        self.after = after
        self.answer = answer
        self.sync = sync
        self.result: T
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        self.error = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self.error = error
        return isinstance(error, Exception)

    def announce(self) -> None:
        """The batch is committed: whoever reads may know."""
        if self.error is None and self.after is not None:
            with self:
                self.after(self.result)

    def tell(self, lost: Exception | None = None) -> None:
        """Answer the one who asked."""
        if self.answer.done():
            return
        if lost is not None:
            self.answer.set_exception(Outage(str(lost)))
        elif self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.result)


class SqliteEngine:
    """The only way to the file: `write` for jobs that share a commit, `read` for what was last committed.

    Jobs run on the event loop, one after another, so that later ones see what earlier ones did, and are committed there
    to the write-ahead log, which the operating system keeps. Whoever must know that it is on the disk waits for
    that, all together, while the next jobs are run: a thread does the waiting. With `inline` there is no thread: everything
    is deterministic. A database in memory is always inline.
    """

    def __init__(self, path: Path | str, *, inline: bool = False, read_only: bool = False) -> None:
        self.path = path if path == MEMORY else Path(path)
        self.read_only = read_only
        self._lock: int | None = None
        self._queue: deque[_Job[Any]] = deque()
        self._busy = False
        self._closed = False
        self._abandoned = False
        self._drained: asyncio.Future[None] | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._undone: list[Callable[[], None]] = []
        self._fresh = False
        self._thread: DiskThread | None = None
        if isinstance(self.path, Path) and not read_only:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = lock(self.path.parent)
            keep_to_oneself(self.path)
        try:
            self._writer = None if read_only else open_writer(self.path)
            self._reader = open_reader(self.path) if self._writer is None or path != MEMORY else self._writer
        except (Outage, NewerData):
            self._unlock()
            raise
        on_disk = self.path if isinstance(self.path, Path) and self._writer is not None else None
        if on_disk is not None and not inline:
            self._thread = DiskThread()
        self._disk = Disk(on_disk, self._thread, self._synced)
        self._carried_over = self._writer.total_changes if self._writer is not None else 0

    async def write(
        self,
        run: Callable[[sqlite3.Connection], T],
        after: Callable[[T], None] | None = None,
        *,
        sync: bool = True,
    ) -> T:
        """Run this job in the next batch; its result once the batch is committed and on the disk.

        Without `sync` the disk is not waited for: a loss of power may undo it, but never without everything that was
        written after it, and nobody outside has seen it (`settled`). That is enough for what can be done again from what
        the file then says.

        `run` takes the connection, must not wait, and may be run again if another job of its batch breaks off
        half way; what it raises is raised here and undoes only what it did. `after` is called with the result
        when it is committed, even if the one who waits here has gone. Raises Outage if the batch could not be
        saved: then nobody knows whether it was.
        """
        if self._closed or self._writer is None:
            raise Outage(
                "the database is closed" if self._closed else "the database was opened for reading only"
            )
        self._must_be_kept()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._queue.append(_Job(run, after, answer, sync))
        if not self._busy:
            self._busy = True
            self._flush_soon(loop)
        return await answer

    async def settled(self) -> None:
        """Wait until all that can be read now is on the disk: what is answered to anybody outside may be no more than that.
        Raises Outage if the disk did not keep it."""
        if not self._disk.behind and self._disk.failed is None:
            return
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        self._disk.tell(loop, lambda error: None if answer.done() else answer.set_result(None))
        await answer
        self._must_be_kept()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows as last committed. Short reads only: they run on the event loop."""
        self.must_be_open()
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except FAILURES as e:
            if is_garbled(e):
                return read_garbled(self._reader, sql, parameters)
            # A file opened for reading only cannot be given what it lacks, so that is no fault of the code.
            raise (Outage(str(e)) if self.read_only or is_outage(e) else e) from e

    def must_be_open(self) -> None:
        if self._closed:
            raise Outage("the database is closed")

    def has_table(self, name: str) -> bool:
        return bool(self.read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def prepare(self, *steps: str | Callable[[sqlite3.Connection], None]) -> None:
        """Create what a store or bus needs, at its start, at once. Does nothing on a read-only engine."""
        if self._writer is None:
            return
        if self._thread is not None:
            self._thread.wait()
        try:
            self._begin(self._writer)
            for step in steps:
                if callable(step):
                    step(self._writer)
                else:
                    self._writer.execute(step)
            self._writer.execute("COMMIT")
        except sqlite3.Error as e:
            with suppress(sqlite3.Error):
                self._undo(self._writer)
            raise (Outage(str(e)) if is_outage(e) else e) from e

    def when_undone(self, forget: Callable[[], None]) -> None:
        """`forget` is called whenever a batch was rolled back: what was remembered of it is not true."""
        self._undone.append(forget)

    async def ping(self) -> None:
        """Raises Outage if a write would fail: tries a small one, unless there was one since last time."""
        self._must_be_kept()
        if self._fresh and not self._closed:
            self._fresh = False
            return
        await self.write(_beat)
        self._fresh = False

    async def close(self) -> None:
        """Finish what is queued, then close: readers first, so that the writer has the last word."""
        if self._closed:
            return
        self._closed = True
        if self._busy or self._disk.busy:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained
        self._shut()

    def abandon(self) -> None:
        """Stop as if the process had died: what is not committed is lost, and nobody is told."""
        self._closed = self._abandoned = True
        self._shut()

    def _shut(self) -> None:
        if self._thread is not None:
            self._thread.stop()
        self._disk.close()
        self._reader.close()
        if self._writer is not None:
            self._writer.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the jobs that have gathered, then commit them together."""
        if self._writer is None or self._abandoned:
            return None
        queue = self._queue
        taken = (queue.popleft() for _ in range(min(BATCH, len(queue))))
        batch = [job for job in taken if not job.answer.done()]
        try:
            wrote = self._run(self._writer, batch)
            self._writer.execute("COMMIT")
        except FAILURES as e:
            return self._fail(batch, e, loop)
        if wrote:
            self._fresh = True
            self._disk.wrote(loop)
        for job in batch:
            job.announce()
        waiting = [job for job in batch if job.sync]
        for job in batch:
            if not job.sync:
                job.tell()
        if waiting:
            self._disk.tell(loop, partial(self._kept, waiting))
        return self._next(loop)

    def _kept(self, jobs: Sequence[_Job[Any]], error: Exception | None) -> None:
        if self._abandoned:
            return
        for job in jobs:
            job.tell(error)

    def _run(self, writer: sqlite3.Connection, batch: Sequence[_Job[Any]]) -> bool:
        """Run all jobs in one transaction, left open; True if they wrote anything.

        A job that fails after it has written spoils the transaction, so the others begin again without it.
        That is rare, since decisions are made before anything is written, and cheaper than a savepoint each.
        """
        torn: list[_Job[Any]] = []
        if writer.in_transaction:
            self._undo(writer)
        while True:
            self._begin(writer)
            start = writer.total_changes
            broken = next((job for job in batch if job not in torn and not _attempt(writer, job)), None)
            if broken is None:
                return writer.total_changes != start
            torn.append(broken)
            self._undo(writer)

    def _begin(self, writer: sqlite3.Connection) -> None:
        if writer.in_transaction:
            self._undo(writer)
        writer.execute("BEGIN IMMEDIATE")

    def _undo(self, writer: sqlite3.Connection) -> None:
        for forget in self._undone:
            forget()
        if writer.in_transaction:
            writer.execute("ROLLBACK")

    def _fail(self, batch: Sequence[_Job[Any]], error: Exception, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing of this batch is known to be saved; everybody who waits for it is told so, and those queued behind it,
        too: what they ask for may only be saved after what was in it."""
        assert self._writer is not None
        with suppress(*FAILURES):
            self._undo(self._writer)
        behind = list(self._queue)
        self._queue.clear()
        for job in (*batch, *behind):
            if not job.answer.done():
                job.answer.set_exception(Outage(str(error) or "out of memory"))
        self._next(loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._writer is not None
        if self._writer.total_changes - self._carried_over >= CHECKPOINT_ROWS:
            return self._carry_over(self._writer, loop)
        if self._queue:
            return self._flush_soon(loop)
        self._busy = False
        return self._rest()

    def _carry_over(self, writer: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Bring the log over into the file, while the next jobs gather. A failure costs nothing but the room: the log stays."""
        self._carried_over = writer.total_changes
        if self._thread is None:
            with suppress(*FAILURES):
                _checkpoint(writer)
            return self._next(loop)
        return self._thread.do(loop, partial(_checkpoint, writer), lambda _: self._go_on(loop))

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._abandoned:
            self._next(loop)

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """While the disk is waited for, more jobs may come and share a commit; but none is kept waiting by a slow disk."""
        if self._disk.syncing:
            self._gathering = loop.call_later(GATHER_SECONDS, self._gathered, loop)
        else:
            loop.call_soon(self._flush, loop)

    def _gathered(self, loop: asyncio.AbstractEventLoop) -> None:
        self._gathering = None
        self._flush(loop)

    def _synced(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathered(loop)
        self._rest()

    def _rest(self) -> None:
        if self._drained is not None and not self._drained.done() and not self._busy and not self._disk.busy:
            self._drained.set_result(None)

    def _must_be_kept(self) -> None:
        if self._disk.failed is not None:
            raise Outage(f"the disk did not keep what was written, begin anew: {self._disk.failed}")


def open_read_only(path: Path | str) -> SqliteEngine:
    """An engine for looking only, also while a live system runs on the file: for `check` and its like."""
    return SqliteEngine(path, read_only=True)


def _attempt(writer: sqlite3.Connection, job: _Job[Any]) -> bool:
    """Run one job; False if it failed half way, so that the transaction is spoiled."""
    before = writer.total_changes
    with job:
        job.result = job.run(writer)
    if job.error is None:
        return True
    if isinstance(job.error, FAILURES) and is_outage(job.error):
        raise job.error
    return writer.in_transaction and writer.total_changes == before


def _checkpoint(writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _beat(writer: sqlite3.Connection) -> None:
    writer.execute("INSERT INTO pulse (one, beats) VALUES (1, 1) ON CONFLICT DO UPDATE SET beats = beats + 1")
