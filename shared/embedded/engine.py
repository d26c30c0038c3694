"""One SQLite file, one writer: changes that come together share one fsync, and answers follow it.

SQLite before 3.51.3 has a rare race when two connections write or checkpoint, so everything that writes goes
through one connection here, and a lock on the data directory keeps a second process out.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from shared.embedded.commits import FAILURES, CommitThread
from shared.errors import Outage, WusheError

T = TypeVar("T")

MEMORY = ":memory:"
BATCH = 128
CHECKPOINT_PAGES = 8000

_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip


class InUse(WusheError):
    """Another process is running on this data directory."""

    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(f"{directory} is in use by another process{f' (pid {holder})' if holder else ''}")
        self.directory = directory
        self.holder = holder


class _Job(Generic[T]):
    """One change somebody waits for: what to run inside the transaction, and what to do once it is durable.

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

    def settle(self) -> None:
        """The batch is durable: tell the one who asked."""
        if self.error is None and self.after is not None:
            with self:
                self.after(self.result)
        if self.answer.done():
            return
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.result)


class SqliteEngine:
    """The only way to the file: `write` for jobs that share a commit, `read` for what was last committed.

    Jobs run on the event loop, one after another, so that later ones see what earlier ones did; only the
    commit waits for the disk, in a thread of its own, while the next jobs gather. With `inline` the commit
    runs on the loop too and there is no thread: everything is deterministic. A database in memory is always
    inline.
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
        self._undone: list[Callable[[], None]] = []
        self._fresh = False
        self._syncs = True
        self._thread: CommitThread | None = None
        if isinstance(self.path, Path) and not read_only:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = lock(self.path.parent)
        try:
            self._writer = None if read_only else _open_writer(self.path)
            self._reader = _open_reader(self.path) if self._writer is None or path != MEMORY else self._writer
        except Outage:
            self._unlock()
            raise
        if self._writer is not None and not inline and path != MEMORY:
            self._thread = CommitThread(self._writer)

    async def write(
        self,
        run: Callable[[sqlite3.Connection], T],
        after: Callable[[T], None] | None = None,
        *,
        sync: bool = True,
    ) -> T:
        """Run this job in the next batch; its result once the batch is durable.

        Without `sync` the disk is not waited for: a loss of power may undo it, but never without everything that was
        written after it. That is enough for what can be done again from what the file then says.

        `run` takes the connection, must not wait, and may be run again if another job of its batch breaks off
        half way; what it raises is raised here and undoes only what it did. `after` is called with the result
        when it is durable, even if the one who waits here has gone. Raises Outage if the batch could not be
        saved: then nobody knows whether it was.
        """
        if self._closed or self._writer is None:
            raise Outage(
                "the database is closed" if self._closed else "the database was opened for reading only"
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._queue.append(_Job(run, after, answer, sync))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._flush, loop)
        return await answer

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows as last committed. Short reads only: they run on the event loop."""
        self.must_be_open()
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except FAILURES as e:
            # A file opened for reading only cannot be given what it lacks, so that is no fault of the code.
            raise (Outage(str(e)) if self.read_only or _is_outage(e) else e) from e

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
            self._wait_for_the_disk(self._writer, True)
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
            raise (Outage(str(e)) if _is_outage(e) else e) from e

    def when_undone(self, forget: Callable[[], None]) -> None:
        """`forget` is called whenever a batch was rolled back: what was remembered of it is not true."""
        self._undone.append(forget)

    async def ping(self) -> None:
        """Raises Outage if a write would fail: tries a small one, unless there was one since last time."""
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
        if self._busy:
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
            waiting = self._thread if wrote and self._syncs else None
            if waiting is None:
                self._writer.execute("COMMIT")
        except FAILURES as e:
            return self._fail(loop, batch, e)
        if waiting is None:
            return self._settle(loop, batch, wrote)
        waiting.commit(loop, partial(self._committed, loop, batch))
        return None

    def _run(self, writer: sqlite3.Connection, batch: Sequence[_Job[Any]]) -> bool:
        """Run all jobs in one transaction, left open; True if they wrote anything.

        A job that fails after it has written spoils the transaction, so the others begin again without it.
        That is rare, since decisions are made before anything is written, and cheaper than a savepoint each.
        """
        torn: list[_Job[Any]] = []
        if writer.in_transaction:
            self._undo(writer)
        self._wait_for_the_disk(writer, any(job.sync for job in batch))
        while True:
            self._begin(writer)
            start = writer.total_changes
            broken = next((job for job in batch if job not in torn and not _attempt(writer, job)), None)
            if broken is None:
                return writer.total_changes != start
            torn.append(broken)
            self._undo(writer)

    def _wait_for_the_disk(self, writer: sqlite3.Connection, wait: bool) -> None:
        """Whether the next commits do. In a write-ahead log one that does makes all before it durable, too. Those that
        do not are made on the loop, and leave checkpoints to the others."""
        if wait != self._syncs and not writer.in_transaction:
            writer.execute(f"PRAGMA synchronous = {'FULL' if wait else 'NORMAL'}")
            writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if wait else 0}")
            self._syncs = wait

    def _begin(self, writer: sqlite3.Connection) -> None:
        if writer.in_transaction:
            self._undo(writer)
        writer.execute("BEGIN IMMEDIATE")

    def _undo(self, writer: sqlite3.Connection) -> None:
        for forget in self._undone:
            forget()
        if writer.in_transaction:
            writer.execute("ROLLBACK")

    def _committed(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Job[Any]], error: Exception | None
    ) -> None:
        if self._abandoned:
            return
        if error is None:
            self._settle(loop, batch, True)
        else:
            self._fail(loop, batch, error)

    def _settle(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Job[Any]], wrote: bool) -> None:
        self._fresh = self._fresh or wrote
        for job in batch:
            job.settle()
        self._next(loop)

    def _fail(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Job[Any]], error: Exception) -> None:
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
        if self._queue:
            loop.call_soon(self._flush, loop)
            return
        self._busy = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)


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
    if isinstance(job.error, FAILURES) and _is_outage(job.error):
        raise job.error
    return writer.in_transaction and writer.total_changes == before


def _beat(writer: sqlite3.Connection) -> None:
    writer.execute("INSERT INTO pulse (one, beats) VALUES (1, 1) ON CONFLICT DO UPDATE SET beats = beats + 1")


def _is_outage(error: Exception) -> bool:
    """Whether the file, disk or memory is to blame, rather than our code. The low byte is the primary code."""
    return isinstance(error, MemoryError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUTAGES


def _open_writer(path: Path | str) -> sqlite3.Connection:
    try:
        writer = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=1024, timeout=1.0
        )
        for pragma in (
            "journal_mode = WAL", "synchronous = FULL", "mmap_size = 0", "cache_size = -32768",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}", "journal_size_limit = 67108864",
        ):  # fmt: skip
            writer.execute(f"PRAGMA {pragma}")
        writer.execute("CREATE TABLE IF NOT EXISTS pulse (one INTEGER PRIMARY KEY, beats INTEGER NOT NULL)")
    except sqlite3.Error as e:
        raise Outage(f"{path}: {e}") from e
    return writer


def _open_reader(path: Path | str) -> sqlite3.Connection:
    try:
        uri = f"{Path(path).resolve().as_uri()}?mode=ro"
        reader = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=1024, timeout=1.0)
        for pragma in ("query_only = 1", "mmap_size = 0", "cache_size = -32768"):
            reader.execute(f"PRAGMA {pragma}")
        reader.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.Error as e:
        raise Outage(f"{path}: {e}") from e
    return reader


def lock(directory: Path) -> int:
    """Hold the directory for this process, until the file is closed or the process ends. Raises InUse."""
    file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        holder = os.read(file, 32).decode(errors="replace").strip()
        os.close(file)
        raise InUse(directory, holder) from e
    os.truncate(file, 0)
    os.write(file, str(os.getpid()).encode())
    return file
