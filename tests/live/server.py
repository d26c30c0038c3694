"""`wushe run` as a process of its own, on a data directory and a loopback port of the test's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Server:
    """One run after another of the same system: `start`, `kill`, `start` again on what was left."""

    module = "wushe"

    def __init__(self, directory: Path, *, sample: bool = False) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._sample = sample
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory.parent / f"{directory.name}.log"

    def start(self, fault: str = "", *, wait: bool = True) -> None:
        """Start it; with `fault` it kills itself at that named point (`POINT:N`)."""
        command = [
            sys.executable,
            "-m",
            self.module,
            "run",
            "--port",
            str(self.port),
            "--data",
            str(self.directory),
        ]
        if not self._sample:
            command.append("--no-sample")
        environment = {**os.environ, "WUSHE_FAULT": fault, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Until `/readyz` says so, or the process has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.ended:
                raise AssertionError(f"the server ended while starting:\n{self.output()[-3000:]}")
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=2.0).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready after {PATIENCE} s:\n{self.output()[-3000:]}")

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def wait_ended(self, seconds: float) -> bool:
        """Whether it ended by itself within this time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ended:
                return True
            time.sleep(0.02)
        return self.ended

    def kill(self) -> None:
        """SIGKILL, by the id it was started with."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, seconds: float = 10.0) -> int:
        """Ctrl-C; gives the exit code. Raises subprocess.TimeoutExpired if it does not end in time."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(seconds)

    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def check(self) -> subprocess.CompletedProcess[str]:
        """`wushe check` on its data."""
        return subprocess.run(
            [sys.executable, "-m", "wushe", "check", "--data", str(self.directory)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            env={**os.environ, "LANG": "C.UTF-8", "WUSHE_LANGUAGE": "en"},
        )
