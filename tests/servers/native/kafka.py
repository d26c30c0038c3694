"""A real Apache Kafka broker: one KRaft node on 127.0.0.1, from the jars pinned in kafka.pom.xml.

Needs Linux, Java 17 or newer and, to install, Maven.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from tests.servers.native.daemon import Daemon, Failed, free_port, run

HERE = Path(__file__).resolve().parent
POM = HERE / "kafka.pom.xml"
JVM = (
    "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError", "-Xlog:disable",
)  # fmt: skip


def install(home: Path) -> None:
    """Copy the pinned jars to `home`, and record a class archive, which halves a start. Does nothing when done."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed(home):
            _fetch(home)
        if not (home / "classes.jsa").exists():
            _record_classes(home)


def installed(home: Path) -> bool:
    stamp = home / "libs" / "pom.xml"
    return stamp.exists() and stamp.read_text() == POM.read_text()


class NativeKafka:
    """One broker; its data, settings, log and pid lie in `place`, its jars in `home`."""

    def __init__(self, home: Path, place: Path, port: int = 0, settings: Sequence[str] = ()) -> None:
        self.place = place
        self._home = home
        self._port = port
        self._settings = settings
        self._daemon = Daemon("Kafka", place / "kafka.pid", place / "kafka.log")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self, *jvm: str) -> None:
        """Start it, on the data that is there, and wait until it lists itself as alive."""
        if self._daemon.pid:
            raise Failed(f"a broker is running in {self.place} already")
        if not installed(self._home):
            raise Failed(f"no Kafka in {self._home}: install it first")
        self._port = free_port(self._port)
        java = self._java()
        if not (self.place / "data" / "meta.properties").exists():
            self._format(java)
        command = [java[0], *jvm, *java[1:], "kafka.Kafka", self.place / "server.properties"]
        self._daemon.launch(command, lambda: listed(self._port), cwd=self.place)

    def stop(self) -> None:
        """An orderly end."""
        self._daemon.send(signal.SIGCONT)
        self._daemon.end(signal.SIGTERM)

    def kill(self) -> None:
        """As in a crash: SIGKILL. `start` then begins on the same data."""
        self._daemon.end(signal.SIGKILL)

    kill_inner = kill

    def freeze(self) -> None:
        self._daemon.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._daemon.send(signal.SIGCONT)

    def _java(self) -> list[str | Path]:
        """The command of Java with its options and classes; writes the settings."""
        self.place.mkdir(parents=True, exist_ok=True)
        controller = free_port()
        lines = [
            (HERE / "broker.properties").read_text(),
            f"log.dirs={self.place / 'data'}",
            f"listeners=PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{controller}",
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            *self._settings,
        ]
        (self.place / "server.properties").write_text("\n".join([*lines, ""]))
        home = os.environ.get("JAVA_HOME")
        command: list[str | Path] = [Path(home, "bin", "java") if home else "java", *JVM]
        if (self._home / "classes.jsa").exists():  # Java ignores one that does not fit
            command.append(f"-XX:SharedArchiveFile={self._home / 'classes.jsa'}")
        jars = ":".join(sorted(str(jar) for jar in (self._home / "libs").glob("*.jar")))
        return [
            *command, f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}", f"-Djava.io.tmpdir={self.place}", "-cp", jars,
        ]  # fmt: skip

    def _format(self, java: list[str | Path]) -> None:
        config, cluster = self.place / "server.properties", secrets.token_urlsafe(16)
        run(*java, "kafka.tools.StorageTool", "format", f"--config={config}", f"--cluster-id={cluster}")


def listed(port: int) -> bool:
    """Whether a Metadata request (version 4, no topics) lists a broker. An open port alone is not readiness."""
    body = struct.pack(">hhihi?", 3, 4, 1, -1, 0, False)
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as link, link.makefile("rb") as replies:
            link.sendall(struct.pack(">i", len(body)) + body)
            brokers: int = struct.unpack(">4i", replies.read(16))[3]
    except (OSError, struct.error):
        return False
    return brokers > 0


def _fetch(home: Path) -> None:
    if not shutil.which("mvn"):
        raise Failed("Maven is missing")
    shutil.rmtree(home / "libs", ignore_errors=True)
    (home / "classes.jsa").unlink(missing_ok=True)
    options = ("-B", "-ntp", "-q", "-C", "-Dstyle.color=never")
    run("mvn", *options, "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={home / 'libs'}")
    (home / "libs" / "pom.xml").write_text(POM.read_text())  # last, so that a broken install is done again


def _record_classes(home: Path) -> None:
    trial = NativeKafka(home, home / "trial")
    trial.kill()  # in case a broken install left it running
    shutil.rmtree(trial.place, ignore_errors=True)
    trial.start(f"-XX:ArchiveClassesAtExit={trial.place / 'classes.jsa'}")
    trial.stop()  # Java writes the archive as it exits
    if (trial.place / "classes.jsa").exists():
        (trial.place / "classes.jsa").rename(home / "classes.jsa")
    shutil.rmtree(trial.place)
