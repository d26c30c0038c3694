"""When a process counts as gone."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

from tests.servers.native.daemon import Daemon, free_port

HALF_DEAD = """
import ctypes, os, socket, sys, threading, time
held = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=time.sleep, args=(600,)).start()
ctypes.CDLL(None).syscall({"aarch64": 93}.get(os.uname().machine, 60), 0)  # exit of this thread alone
"""


def test_a_process_is_there_as_long_as_one_of_its_threads_holds_a_port(tmp_path: Path) -> None:
    """A killed JVM takes a moment to let go of its sockets, though its first thread is gone at once."""
    port = free_port()
    daemon = Daemon("half dead", tmp_path / "pid", tmp_path / "log")
    daemon.launch([sys.executable, "-c", HALF_DEAD, str(port)], lambda: first_thread_is_gone(daemon))
    try:
        assert daemon.pid is not None
    finally:
        daemon.end(signal.SIGKILL)
    socket.create_server(("127.0.0.1", port)).close()


def first_thread_is_gone(daemon: Daemon) -> bool:
    stat = Path(f"/proc/{daemon.pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
