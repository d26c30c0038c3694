"""The same servers in containers, where a Docker engine answers: the official images, on ports of their own choice."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
from typing import Any

from tests.servers.native.daemon import Failed, free_port, until
from tests.servers.native.kafka import listed

KAFKA_IMAGE = os.environ.get("WUSHE_TEST_KAFKA_IMAGE", "apache/kafka:4.3.1")
MONGO_IMAGE = os.environ.get("WUSHE_TEST_MONGO_IMAGE", "mongo:8.0")


@functools.cache
def docker_answers() -> bool:
    if not shutil.which("docker"):
        return False
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


class _Contained:
    """A container that is stopped, killed and frozen like a process, and keeps its data and its port."""

    def __init__(self, image: str, inner_port: int) -> None:
        from testcontainers.core.container import DockerContainer

        self.port = free_port()
        container: Any = DockerContainer(image)
        container.ports[f"{inner_port}/tcp"] = ("127.0.0.1", self.port)  # `with_bind_ports` knows no address
        self._container = container
        self._begun = False

    def start(self) -> None:
        if self._begun:
            self._inner.start()
        else:
            self._container.start()
            self._begun = True
        if not until(self._ready, 90):
            raise Failed(f"{self._container.image} did not become ready")

    def stop(self) -> None:
        """The end: the container and its data are gone."""
        self._container.stop()
        self._begun = False

    def kill(self) -> None:
        self._inner.kill()

    kill_inner = kill

    def freeze(self) -> None:
        self._inner.pause()

    def thaw(self) -> None:
        self._inner.unpause()

    @property
    def _inner(self) -> Any:
        return self._container.get_wrapped_container()

    def _ready(self) -> bool:
        raise NotImplementedError


class ContainedKafka(_Contained):
    def __init__(self) -> None:
        super().__init__(KAFKA_IMAGE, 9092)
        settings = {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{self.address}",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_BROKER_SESSION_TIMEOUT_MS": "1000",
            "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": "200",
        }
        for name, value in settings.items():
            self._container.with_env(name, value)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _ready(self) -> bool:
        return listed(self.port)


class ContainedMongo(_Contained):
    def __init__(self) -> None:
        super().__init__(MONGO_IMAGE, 27017)

    @property
    def address(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def _ready(self) -> bool:
        ping = ["mongosh", "--quiet", "--eval", "db.runCommand({ping: 1}).ok"]
        time.sleep(0.2)
        return bool(self._container.exec(ping).exit_code == 0)
