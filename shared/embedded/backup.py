"""One file that holds a whole station as it was at one moment, taken while it runs; and the way back."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from shared.embedded.opening import lock, to_read
from shared.errors import Outage, WusheError

_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SEAL = (60, 68)
"""Where in the head of a database SQLite keeps two numbers of four bytes for whoever uses it (`user_version`,
`application_id`): in a backup the beginning of a digest of all the rest, since SQLite sees no flipped bit in what is stored.
Whoever opens the file to write takes them out (`opening`)."""
_UNSEALED = bytes(8)
_HEAD = b"SQLite format 3\0"


class InTheWay(WusheError):
    """There is something already where a file was to be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already")
        self.path = path


class Damaged(WusheError):
    """A file is no database of a station, or not a whole one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is no whole database of a station")
        self.path = path


class Altered(Damaged):
    """A backup is not as it was written. SQLite may read it without noticing."""


def back_up(database: Path, to: Path) -> int:
    """Copy what is committed now into a new file, and look through it; its size in bytes. Reads only, so a running
    system goes on as before. Raises InTheWay, Damaged, Outage, OSError."""
    for there in (to, *_beside(to)):
        if there.exists():
            raise InTheWay(there)
    _copy(database, to, seal=True)
    return to.stat().st_size


def require_room_for(to: Path) -> None:
    """Raises OSError where no file can be made: the database would blame the data. Touches nothing of that name, which
    another backup may be given in this very moment."""
    trial = to.with_name(f"{to.name}.{token_hex(4)}.part")
    try:
        trial.touch(0o600, exist_ok=False)
    except OSError as no:
        raise OSError(no.errno, no.strerror, str(to)) from no
    trial.unlink()


def restore(backup: Path, database: Path) -> None:
    """Put a backup where no database is. Raises InTheWay, InUse, Damaged, Altered, Outage, OSError."""
    database.parent.mkdir(parents=True, exist_ok=True)
    held = lock(database.parent, still=True)
    try:
        for there in (database, *_beside(database)):
            if there.exists():  # also a journal left behind, which would be played into the database
                raise InTheWay(there)
        _require_as_written(backup)
        _copy(backup, database, seal=False)
    finally:
        os.close(held)


def _copy(source: Path, to: Path, *, seal: bool) -> None:
    """All or nothing: under its own name the new file is whole, looked through and on the disk."""
    part = to.with_name(f"{to.name}.{token_hex(4)}.part")  # nobody else's: two may write to one name at once
    _drop(part)
    try:
        _copy_pages(source, part)
        _put_seal(part, _seal_of(part) if seal else _UNSEALED)
        _sync(part)
        if to.exists():
            raise InTheWay(to)
        part.rename(to)
        _sync(to.parent)
    except sqlite3.Error as e:
        kind = e.sqlite_errorcode & 0xFF
        if kind == sqlite3.SQLITE_FULL:  # it is only ever the new file that grows
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to)) from e
        raise (Damaged(source) if kind in _BROKEN else Outage(f"{source}: {e}")) from e
    finally:
        _drop(part)


def _copy_pages(source: Path, part: Path) -> None:
    with (
        closing(sqlite3.connect(to_read(source), uri=True, timeout=10.0)) as old,
        closing(sqlite3.connect(part, isolation_level=None)) as new,
    ):
        part.chmod(0o600)  # it holds names, telephone numbers and the digests of passwords
        old.backup(new)
        if new.execute("PRAGMA quick_check").fetchall() != [("ok",)] or not _is_ours(new):
            raise Damaged(source)
        new.execute("PRAGMA journal_mode = DELETE")  # so that it is one file; a start makes it WAL again


def _require_as_written(backup: Path) -> None:
    """Raises Altered for a sealed backup that is not as it was written, Damaged for what is no backup. One of an earlier
    version has no seal, nor has a database that a station has opened since."""
    with backup.open("rb") as file:
        head = file.read(100)
    if not head.startswith(_HEAD):
        raise Damaged(backup)
    seal = b"".join(head[at : at + 4] for at in _SEAL)
    if seal not in (b"", _UNSEALED) and seal != _seal_of(backup):
        raise Damaged(backup) if _is_foreign(backup) else Altered(backup)


def _is_foreign(backup: Path) -> bool:
    """Whether this is surely a database of something else, which may use these numbers as it likes."""
    with closing(sqlite3.connect(to_read(backup), uri=True)) as database, suppress(sqlite3.Error):
        return not _is_ours(database)
    return False


def _seal_of(path: Path) -> bytes:
    digest = sha256()
    with path.open("rb") as file:
        head = bytearray(file.read(100))
        for at in _SEAL:
            head[at : at + 4] = bytes(4)
        digest.update(head)
        while some := file.read(1 << 20):
            digest.update(some)
    return digest.digest()[:8]


def _put_seal(path: Path, seal: bytes) -> None:
    with path.open("r+b") as file:
        for number, at in enumerate(_SEAL):
            file.seek(at)
            file.write(seal[4 * number : 4 * number + 4])


def _is_ours(database: sqlite3.Connection) -> bool:
    sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('pulse', 'log offsets')"
    return bool(database.execute(sql).fetchone() == (2,))


def _beside(database: Path) -> list[Path]:
    return [database.with_name(database.name + ending) for ending in ("-wal", "-shm", "-journal")]


def _drop(path: Path) -> None:
    for each in (path, *_beside(path)):
        each.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
