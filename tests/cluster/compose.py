"""The system in containers, proved by one command wherever a Docker engine answers: `make compose-check`.

Built, up, the story, the recount; no container may do more than it must; two instances; the broker and the store
killed; an orderly end; and up once more on the data that was kept. It is a project of its own beside any that runs,
on a loopback port of its own, and nothing but the image stays of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.cluster.processes import ROOT
from tests.servers.native.daemon import Failed, free_port
from wushe.routing import services

PROJECT = "wushe-check"
SERVERS = ("kafka", "mongo")
STOP_SECONDS = 15.0
CONFINED = """
import errno, os
status = open("/proc/self/status").read()
assert os.getuid() == 10001 and os.getgid() == 10001, "runs as root"
assert "CapEff:\\t0000000000000000" in status and "CapBnd:\\t0000000000000000" in status, "has capabilities"
assert "NoNewPrivs:\\t1" in status, "may gain privileges"
for place in ("/", "/opt/wushe", "/home"):
    try:
        open(os.path.join(place, "probe"), "w")
    except OSError as refused:
        assert refused.errno == errno.EROFS, refused
    else:
        raise AssertionError(f"{place} can be written")
"""
"""Run inside a container: who it is, and that it can write nowhere on its root."""


class Project:
    """The compose file of this repository as a project of its own."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {**os.environ, "WUSHE_PORT": f"127.0.0.1:{port}", "WUSHE_LANGUAGE": "en"}

    def compose(self, *command: str, seconds: float = 600) -> str:
        """What it printed. Raises Failed with the last of it, and of what the containers said."""
        try:
            return self._run("docker", "compose", "--project-name", PROJECT, *command, seconds=seconds)
        except Failed as failed:
            said = self._run(
                "docker", "compose", "--project-name", PROJECT, "logs", "--tail", "15", seconds=60
            )
            raise Failed(f"{failed}\n{said[-6000:]}") from failed

    def build(self) -> None:
        self.compose("config", "--quiet")
        self.compose("build", "directory", seconds=1200)

    def up(self, *more: str) -> None:
        self.compose("up", "--detach", "--wait", "--wait-timeout", "900", *more, seconds=960)

    def story(self) -> None:
        self._run(sys.executable, "-m", "wushe", "demo", "--url", self.url, seconds=600)

    def recount(self) -> dict[str, int]:
        """How many records of each kind the recount found. Raises Failed if a rule is broken."""
        printed = self.compose("run", "--rm", "--no-deps", "-T", "needs", "check")
        rows = [line.strip("│ ").split("│") for line in printed.splitlines() if line.startswith("│")]
        return {name.strip(): int(count.strip().replace(",", "")) for name, count in rows}

    def containers(self) -> list[dict[str, Any]]:
        """Everything the engine knows of each container, those that ended among them."""
        ids = self.compose("ps", "--all", "--quiet").split()
        inspected: list[dict[str, Any]] = json.loads(self._run("docker", "inspect", *ids))
        return inspected

    def confined(self) -> None:
        """Each service runs as nobody in particular and can write nowhere but in its volumes."""
        for service in services():
            self.compose("exec", "-T", service, "python3", "-c", CONFINED)

    def unharmed(self) -> None:
        """No container was too small for what it did, or began again by itself."""
        for container in self.containers():
            state = container["State"]
            if state["OOMKilled"] or container["RestartCount"]:
                raise Failed(f"{container['Name']} began again or ran out of memory: {state}")
        print(self._run("docker", "stats", "--no-stream", "--format", FIGURES, *self._ids()), end="")

    def end_orderly(self) -> None:
        """Stopped in time, each service by itself."""
        began = time.monotonic()
        self.compose("stop")
        took = time.monotonic() - began
        codes = {c["Name"]: c["State"]["ExitCode"] for c in self.containers() if _is_ours(c)}
        if took > STOP_SECONDS or any(codes.values()):
            raise Failed(f"stopping took {took:.1f} s; exit codes {codes}")

    def remove(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans")

    def _ids(self) -> list[str]:
        return self.compose("ps", "--quiet").split()

    def _run(self, *command: str, seconds: float = 120) -> str:
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=self._environment, timeout=seconds,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        except (subprocess.TimeoutExpired, FileNotFoundError) as failed:
            raise Failed(str(failed)) from failed
        if done.returncode:
            raise Failed(f"{' '.join(command)[:120]} gave {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout


FIGURES = "    {{.Name}}: {{.MemUsage}}, {{.CPUPerc}} of a processor"


def _is_ours(container: dict[str, Any]) -> bool:
    return container["Config"]["Labels"]["com.docker.compose.service"] in services()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped on the way"))
    project = Project(free_port())
    try:
        project.remove()
        tell(project)
        print("everything holds in containers")
    except Failed as reason:
        sys.exit(str(reason))
    finally:
        project.remove()


def tell(project: Project) -> None:
    """The whole of it, step by step, each with its seconds."""
    step("the image is built", project.build)
    step("everything is healthy", project.up)
    step("the story is told", project.story)
    step("the recount finds no rule broken", project.recount)
    step("no service is more than it must be", project.confined)
    step(
        "two instances of needs and matching",
        lambda: project.up("--scale", "needs=2", "--scale", "matching=2"),
    )
    step("the story is told", project.story)
    step("no container was too small", project.unharmed)
    step("Kafka and MongoDB are killed", lambda: project.compose("kill", *SERVERS))
    step("everything is healthy again", project.up)
    step("the story is told", project.story)
    kept = step("the recount finds no rule broken", project.recount)
    step("everything ends in an orderly way", project.end_orderly)
    step("the containers are removed, the volumes stay", lambda: project.compose("down"))
    step("everything is healthy once more", project.up)
    found = step("the recount finds no rule broken", project.recount)
    if lost := {kind: count for kind, count in kept.items() if found.get(kind, 0) < count}:
        raise Failed(f"there were {lost} and now there are {found}")


def step(what: str, do: Callable[[], Any]) -> Any:
    began = time.monotonic()
    result = do()
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)
    return result


if __name__ == "__main__":
    main()
