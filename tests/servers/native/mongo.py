"""A MongoDB-compatible server: FerretDB speaks the protocol, PostgreSQL with DocumentDB keeps the data.

PostgreSQL listens only on a socket in a private folder, FerretDB only on loopback. Run by root, both run as nobody.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.servers.native.daemon import Daemon, Failed, free_port, run
from tests.servers.native.mongo_install import POSTGRESQL, installed

LOCALE = ("--locale=C.UTF-8", "--locale-provider=builtin")
NOBODY = 65534  # PostgreSQL refuses to run as root
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{sockets}'
documentdb.localhost_connection_string = 'host={sockets}'
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
cron.use_background_workers = on            # the TTL job then needs no connection of its own
cron.log_run = off
cron.log_statement = off
documentdb.enableBackgroundWorker = off     # logs a missing role every ten seconds otherwise
documentdb_core.enableCollation = on
deadlock_timeout = '10ms'                   # inserts of one unique key may deadlock: end that soon
autovacuum_naptime = '5s'                   # look-ups after a bulk load are scans until the table is analysed
default_toast_compression = 'lz4'         # pglz, the default, costs several times the processor time
"""  # all else as PostgreSQL comes: fsync and synchronous_commit are on


class NativeMongo:
    """One server; its data, sockets and logs lie in `place`, its programs in `home`."""

    def __init__(self, home: Path, place: Path, port: int = 0) -> None:
        self.place = place.resolve()
        self._home = home.resolve()
        self._port = port
        self._sockets, self._data = self.place / "run", self.place / "data"
        self._postgres = Daemon("PostgreSQL", self.place / "postgres.pid", self.place / "postgres.log")
        self._ferretdb = Daemon("FerretDB", self.place / "ferretdb.pid", self.place / "ferretdb.log")

    @property
    def address(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Start what is not running, on the data that is there, and wait until it answers."""
        if not installed(self._home):
            raise Failed(f"no MongoDB-compatible server in {self._home}: install it first")
        self._wrap_programs()
        self._make_folders()
        if not self._postgres.pid:
            self._start_postgres()
        if not self._ferretdb.pid:
            self._start_ferretdb()

    def stop(self) -> None:
        """An orderly end."""
        self.thaw()
        self._ferretdb.end(signal.SIGINT)
        self._postgres.end(signal.SIGINT)

    def kill(self) -> None:
        """As in a crash: SIGKILL to both. `start` then begins on the same data."""
        self._ferretdb.end(signal.SIGKILL)
        self._postgres.end(signal.SIGKILL)

    def kill_inner(self) -> None:
        """Kill only what keeps the data, so that clients see odd answers rather than a broken connection."""
        self._postgres.end(signal.SIGKILL)

    def freeze(self) -> None:
        self._ferretdb.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._ferretdb.send(signal.SIGCONT)

    @property
    def _programs(self) -> Path:
        return self._home / "root/usr/lib/postgresql" / POSTGRESQL / "bin"

    @property
    def _as_nobody(self) -> dict[str, Any]:
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.place)}
        options: dict[str, Any] = {"env": environment, "cwd": self.place}
        if os.geteuid() == 0:
            options |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        return options

    def _make_folders(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)
        for folder in (self._sockets, self._data):
            folder.mkdir(mode=0o700, exist_ok=True)
            if os.geteuid() == 0:
                os.chown(folder, NOBODY, NOBODY)
        reached = subprocess.run(
            ["test", "-x", self._home / "root", "-a", "-w", self._data], **self._as_nobody
        )
        if not re.fullmatch(r"[\w./+-]{1,85}", str(self._sockets)) or reached.returncode:
            raise Failed(
                f"{self.place}: too long or odd for a socket's path, or user {NOBODY} cannot reach it"
            )

    def _wrap_programs(self) -> None:
        """Each program becomes a script that starts it with its own loader and libraries."""
        loader = next((self._home / "root/usr/lib").glob("*/ld-linux-*.so.*"))
        folders = [
            loader.parent,
            loader.parent / "blas",
            loader.parent / "lapack",
            self._programs.parent / "lib",
        ]
        for program in ("postgres", "initdb", "psql"):
            script, real = self._programs / program, self._programs / f"{program}.real"
            if not real.exists():
                script.rename(real)
            path = ":".join(map(str, folders))
            text = f'#!/bin/sh\nexec "{loader}" --library-path "{path}" --argv0 "$0" "$0.real" "$@"\n'
            if not script.exists() or script.read_text() != text:
                fresh = script.with_suffix(f".{os.getpid()}")
                fresh.write_text(text)
                fresh.chmod(0o755)
                fresh.rename(script)

    def _start_postgres(self) -> None:
        if not (self._data / "PG_VERSION").exists():
            options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", *LOCALE]
            run(self._programs / "initdb", "-D", self._data, *options, **self._as_nobody)
        for lock in (self._data / "postmaster.pid", self._sockets / ".s.PGSQL.5432.lock"):
            lock.unlink(missing_ok=True)  # a killed one may linger as a zombie
        (self._data / "postgresql.auto.conf").write_text(SETTINGS.format(sockets=self._sockets))
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        self._postgres.launch(command, lambda: self._answers("SELECT 1"), 120, **self._as_nobody)
        self._sql("SET client_min_messages = error; CREATE EXTENSION IF NOT EXISTS documentdb CASCADE")

    def _start_ferretdb(self) -> None:
        self._port = free_port(self._port)
        command = [
            f"{self._home}/bin/ferretdb", f"--listen-addr=127.0.0.1:{self._port}", "--no-auth",
            f"--postgresql-url=postgres://postgres@/postgres?host={self._sockets}", f"--state-dir={self._sockets}",
            "--debug-addr=-", "--telemetry=disable", "--log-level=WARN",
        ]  # fmt: skip
        self._ferretdb.launch(command, lambda: _open(self._port), **self._as_nobody)

    def _sql(self, text: str) -> str:
        options = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self._sockets), "-U", "postgres", "-c", text]
        return run(self._programs / "psql", *options, **self._as_nobody)

    def _answers(self, text: str) -> bool:
        with suppress(Failed):
            self._sql(text)
            return True
        return False


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
