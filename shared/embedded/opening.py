"""Opening the one SQLite file, and keeping a second process from it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared.errors import Outage, WusheError

_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip


FORMAT = 1
"""Of what is stored. Whoever adds to a record what an earlier program must not drop raises it: that one then refuses the file."""


class NewerData(WusheError):
    """A newer program has written to this file: this one would drop, without a word, what it does not know."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} was written to by a newer version of this program")
        self.path = path


class InUse(WusheError):
    """Another process is running on this data directory."""

    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(f"{directory} is in use by another process{f' (pid {holder})' if holder else ''}")
        self.directory = directory
        self.holder = holder


def is_outage(error: Exception) -> bool:
    """Whether the file, disk or memory is to blame, rather than our code. The low byte is the primary code."""
    return isinstance(error, MemoryError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUTAGES


def is_garbled(error: Exception) -> bool:
    """Whether what was read is text that is none. The error quotes it, so nobody must be told of it."""
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith("Could not decode to UTF-8")


def read_garbled(reader: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What such a statement reads: whoever decodes what is no text will fail, but the other rows are there."""
    reader.text_factory = lambda stored: stored.decode(errors="surrogateescape")
    try:
        return reader.execute(sql, parameters).fetchall()
    finally:
        reader.text_factory = str


def open_writer(path: Path | str) -> sqlite3.Connection:
    try:
        writer = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=1024, timeout=1.0
        )
        _require_known(writer, path)
        _break_seal(writer)
        for pragma in (
            "journal_mode = WAL", "synchronous = NORMAL", "mmap_size = 0", "cache_size = -32768",
            "wal_autocheckpoint = 0", "journal_size_limit = 67108864",
        ):  # fmt: skip
            writer.execute(f"PRAGMA {pragma}")
        writer.execute("CREATE TABLE IF NOT EXISTS pulse (one INTEGER PRIMARY KEY, beats INTEGER NOT NULL)")
        writer.execute("CREATE TABLE IF NOT EXISTS format (one INTEGER PRIMARY KEY, number INTEGER NOT NULL)")
        writer.execute(
            "INSERT INTO format (one, number) VALUES (1, ?) "
            "ON CONFLICT DO UPDATE SET number = excluded.number WHERE number < excluded.number",
            (FORMAT,),
        )
    except sqlite3.Error as e:
        raise Outage(f"{path}: {e}") from e
    return writer


def _require_known(connection: sqlite3.Connection, path: Path | str) -> None:
    """Raises NewerData, and closes the connection. A file of an earlier version has no number."""
    table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'format'"
    if connection.execute(table).fetchone() is None:
        return
    number = connection.execute("SELECT number FROM format").fetchone()
    if number is not None and number[0] > FORMAT:
        connection.close()
        raise NewerData(Path(path))


def _break_seal(writer: sqlite3.Connection) -> None:
    """A backup that was put in place by hand still has its seal (`backup`), which no longer holds once it is written to. Out
    with it before the log begins, so that the file itself says so."""
    if any(writer.execute(f"PRAGMA {number}").fetchone()[0] for number in ("user_version", "application_id")):
        writer.executescript("BEGIN; PRAGMA user_version = 0; PRAGMA application_id = 0; COMMIT")


def to_read(path: Path) -> str:
    """The address of this database for reading only. SQLite would make an index of its log beside it; where that cannot
    be and there is no log, as there always is while somebody has it open, nothing changes, and none is needed."""
    address, log = f"{path.resolve().as_uri()}?mode=ro", path.with_name(f"{path.name}-wal")
    return address if log.exists() or os.access(path.parent, os.W_OK) else f"{address}&immutable=1"


def open_reader(path: Path | str) -> sqlite3.Connection:
    try:
        reader = sqlite3.connect(
            to_read(Path(path)), uri=True, isolation_level=None, cached_statements=1024, timeout=1.0
        )
        for pragma in ("query_only = 1", "mmap_size = 0", "cache_size = -32768"):
            reader.execute(f"PRAGMA {pragma}")
        reader.execute("SELECT 1 FROM sqlite_master").fetchall()
        _require_known(reader, path)
    except sqlite3.Error as e:
        raise Outage(f"{path}: {e}") from e
    return reader


def keep_to_oneself(path: Path) -> None:
    """No other account of this machine reads it: it holds names, telephone numbers and the digests of passwords. If
    that cannot be, because the file cannot be made or is somebody else's, SQLite says what is wrong."""
    with suppress(OSError):
        path.touch(0o600)
        for each in path.parent.glob(f"{path.name}*"):
            each.chmod(0o600)


STILL = "still"


def lock(directory: Path, *, still: bool = False) -> int:
    """Hold the directory for this process, until the file is closed or the process ends; `still` says to others that
    nothing moves in it meanwhile. Raises InUse."""
    file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        holder = os.read(file, 32).decode(errors="replace").split()
        os.close(file)
        raise InUse(directory, holder[0] if holder else "") from e
    os.truncate(file, 0)
    os.write(file, f"{os.getpid()} {STILL if still else ''}".strip().encode())
    return file


def is_live(directory: Path) -> bool:
    """Whether a system runs on this data directory."""
    with suppress(FileNotFoundError), (directory / "lock").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return not file.read(32).decode(errors="replace").endswith(STILL)
    return False
