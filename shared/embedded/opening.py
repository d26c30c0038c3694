"""Opening the one SQLite file, and keeping a second process from it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from shared.errors import Outage, WusheError

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


def is_outage(error: Exception) -> bool:
    """Whether the file, disk or memory is to blame, rather than our code. The low byte is the primary code."""
    return isinstance(error, MemoryError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUTAGES


def open_writer(path: Path | str) -> sqlite3.Connection:
    try:
        writer = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=1024, timeout=1.0
        )
        for pragma in (
            "journal_mode = WAL", "synchronous = NORMAL", "mmap_size = 0", "cache_size = -32768",
            "wal_autocheckpoint = 0", "journal_size_limit = 67108864",
        ):  # fmt: skip
            writer.execute(f"PRAGMA {pragma}")
        writer.execute("CREATE TABLE IF NOT EXISTS pulse (one INTEGER PRIMARY KEY, beats INTEGER NOT NULL)")
    except sqlite3.Error as e:
        raise Outage(f"{path}: {e}") from e
    return writer


def open_reader(path: Path | str) -> sqlite3.Connection:
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
