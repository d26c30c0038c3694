"""One process that outlives whoever started it: known by its id and its birth, ended by nothing else."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

PATIENCE = 90.0
PORTS = range(20_000, 32_000)


class Failed(Exception):
    """A server could not be installed, started or stopped; the message is for a person."""


def run(*command: str | Path, **options: Any) -> str:
    """The output of a command that must succeed."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(part) for part in command], text=True, capture_output=True, **options
    )
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))[:150]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def free_port(wanted: int = 0) -> int:
    """This port of the loopback interface, or any free one for 0.

    It is never one that the system gives to outgoing connections: while a killed server is away, a client that
    knocks at such a port can be given that very port, and then talks to itself and keeps the server out.
    """
    for port in [wanted] if wanted else random.sample(PORTS, 200):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError as error:
            reason = error.strerror
    raise Failed(f"port {wanted or 'after port'} is not free: {reason}")


def until(done: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Daemon:
    """What `file` remembers of a process: its id, and when it was born, since ids are used again."""

    def __init__(self, name: str, file: Path, log: Path) -> None:
        self.name = name
        self.log = log
        self._file = file

    @property
    def pid(self) -> int | None:
        with suppress(OSError, ValueError):
            pid, born = self._file.read_text().split()
            return int(pid) if _birth(int(pid)) == born else None
        return None

    def launch(
        self,
        command: Sequence[str | Path],
        ready: Callable[[], bool],
        seconds: float = PATIENCE,
        **options: Any,
    ) -> None:
        """Start it, and return when it is ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options,
            )  # fmt: skip
        self._file.write_text(f"{process.pid} {_birth(process.pid)}")
        if not until(lambda: self.pid is None or ready(), seconds) or self.pid is None:
            self.end(signal.SIGKILL)
            raise Failed(f"{self.name} did not become ready:\n{self._last_words()}")

    def send(self, what: signal.Signals) -> None:
        """Send a signal, if it is still the process that was started."""
        if pid := self.pid:
            os.kill(pid, what)

    def end(self, first: signal.Signals = signal.SIGTERM, seconds: float = PATIENCE) -> None:
        """End it and its children: by this signal, and by SIGKILL if that does not do."""
        for how in (first, signal.SIGKILL):
            pid = self.pid
            if pid is None:
                break
            family = [pid]
            if how == signal.SIGKILL:
                family += _children(pid)
            for member in family:
                with suppress(ProcessLookupError):
                    os.kill(member, how)
            if until(partial(_gone, family), seconds):
                break
        self._file.unlink(missing_ok=True)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if not line.startswith("\tat ")][-20:])


def _gone(family: Sequence[int]) -> bool:
    return not any(map(_birth, family))


def _birth(pid: int) -> str | None:
    """When a process started, or None if it is gone. One of whose threads any is left still holds its ports."""
    with suppress(OSError):
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        return None if state in "ZX" and threads <= 1 else rest[18]
    return None


def _children(pid: int) -> list[int]:
    """The children of a process, which is stopped first so that it makes no new ones."""
    with suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
