"""A cluster on this machine: every service as processes of its own, the edge before them, on loopback only.

What runs is known by the process ids noted in its folder, so that another command can end exactly these.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from tests.servers.native.daemon import Daemon, Failed, free_port
from wushe.routing import services

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 180.0


class Instance:
    """One `wushe` process that serves: known by name, port and noted id."""

    def __init__(self, name: str, port: int, place: Path, command: list[str]) -> None:
        self.name = name
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.wanted = False
        """Whether it was started to stay, and nobody has ended it since."""
        self._command = command
        self._daemon = Daemon(name, place / f"{name}.pid", place / f"{name}.log")

    @property
    def pid(self) -> int | None:
        return self._daemon.pid

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it, and return when it answers at all."""
        command = [sys.executable, "-m", "wushe", *self._command, "--port", str(self.port)]
        self._daemon.launch(
            command, self._is_alive, READY_SECONDS, cwd=ROOT, env={**os.environ, **environment}
        )
        self.wanted = not environment.get("WUSHE_FAULT")

    def stop(self, seconds: float = 15.0) -> float:
        """SIGTERM; gives the seconds it took."""
        began, self.wanted = time.monotonic(), False
        self._daemon.end(signal.SIGTERM, seconds)
        return time.monotonic() - began

    def kill(self) -> None:
        self.wanted = False
        self._daemon.end(signal.SIGKILL)

    def freeze(self) -> None:
        self._daemon.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._daemon.send(signal.SIGCONT)

    def missing(self) -> str | None:
        """What it says it lacks; None when it is ready."""
        try:
            answer = httpx2.get(f"{self.url}/readyz", timeout=15.0, trust_env=False)
        except httpx2.TransportError as e:
            return type(e).__name__
        return None if answer.status_code == 200 else answer.text

    def said(self) -> str:
        return self._daemon.log.read_text(encoding="utf-8", errors="replace")

    def _is_alive(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz", timeout=1.0, trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False


class Cluster:
    """All services, some instances of each, and the edge. `noted` finds one that runs already."""

    def __init__(self, place: Path, environment: Mapping[str, str], ports: Mapping[str, int]) -> None:
        self.place = place
        self.environment = environment
        self.instances = {n: Instance(n, p, place, _command(n)) for n, p in ports.items() if n != "edge"}
        addresses = [f"{_service(i.name)}={i.url}" for i in self.instances.values()]
        self.edge = Instance("edge", ports["edge"], place, ["edge", *addresses])

    @classmethod
    def new(
        cls,
        place: Path,
        kafka: str,
        mongo: str,
        each: int = 1,
        port: int = 0,
        *,
        twice: tuple[str, ...] = (),
        **more: str,
    ) -> Cluster:
        """Choose the ports and note them; nothing runs yet. `twice` are services with two instances at least."""
        place.mkdir(parents=True, exist_ok=True)
        counts = {name: max(each, 2 if name in twice else 1) for name in services()}
        names = [f"{name}-{n + 1}" for name, count in counts.items() for n in range(count)]
        ports = dict(zip((*names, "edge"), _different_ports(len(names) + 1), strict=True))
        if port:
            ports["edge"] = free_port(port)
        environment = {
            "WUSHE_KAFKA": kafka,
            "WUSHE_MONGO": mongo,
            "WUSHE_DATA": str(place),
            "WUSHE_LOG": "info",
            "PYTHONUNBUFFERED": "1",
            **more,
        }
        note = {"environment": environment, "ports": ports}
        (place / "cluster.json").write_text(json.dumps(note, indent=2), encoding="utf-8")
        return cls(place, environment, ports)

    @classmethod
    def noted(cls, place: Path) -> Cluster | None:
        if not (place / "cluster.json").exists():
            return None
        note = json.loads((place / "cluster.json").read_text(encoding="utf-8"))
        return cls(place, note["environment"], note["ports"])

    @property
    def url(self) -> str:
        return self.edge.url

    def start(self) -> None:
        """Start what does not run, and return when everything is ready."""
        idle = [i for i in (*self.instances.values(), self.edge) if i.pid is None]
        with ThreadPoolExecutor(len(idle) or 1) as starters:
            list(starters.map(lambda instance: instance.start(self.environment), idle))
        self.wait_ready()

    def start_one(self, name: str, fault: str = "") -> None:
        """Start one instance; with `fault` it kills itself at that named point (`POINT:N`)."""
        self.instances[name].start({**self.environment, "WUSHE_FAULT": fault})

    def wait_ready(self, seconds: float = READY_SECONDS, names: Collection[str] | None = None) -> None:
        """Until all of them say so, or these."""
        end = time.monotonic() + seconds
        for instance in (self.instances[name] for name in (names or self.instances)):
            while (missing := instance.missing()) is not None:
                if time.monotonic() > end or instance.pid is None:
                    raise Failed(f"{instance.name} is not ready: {missing}\n{instance.said()[-3000:]}")
                time.sleep(0.1)

    def all_live(self) -> None:
        """Raises Failed with the last words of those that have ended though nobody ended them."""
        fallen = [i for i in (*self.instances.values(), self.edge) if i.wanted and i.pid is None]
        if fallen:
            raise Failed("\n".join(f"{i.name} has ended by itself:\n{i.said()[-6000:]}" for i in fallen))

    def stop(self) -> dict[str, float]:
        """End everything; the seconds that each took."""
        running = [i for i in (self.edge, *self.instances.values()) if i.pid is not None]
        with ThreadPoolExecutor(len(running) or 1) as enders:
            took = dict(zip((i.name for i in running), enders.map(Instance.stop, running), strict=True))
        (self.place / "cluster.json").unlink(missing_ok=True)
        return took


def _different_ports(count: int) -> list[int]:
    """Each is free now, but none is taken before all are chosen."""
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.add(free_port())
    return list(chosen)


def _service(instance: str) -> str:
    return instance.rpartition("-")[0]


def _command(instance: str) -> list[str]:
    return ["serve", _service(instance)]
