"""The probe of a container, and the wait for services that stand apart."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.answering import answering
from wushe.readiness import NotReady, until_ready

PROBE = Path(__file__).parents[2] / "deploy" / "probe.py"


def probe(port: int, place: Path) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "WUSHE_PORT": str(port), "TMPDIR": str(place)}
    return subprocess.run(
        [sys.executable, str(PROBE)], env=surroundings, capture_output=True, text=True, timeout=60
    )


def test_a_container_is_healthy_only_once_its_service_was_ready(tmp_path: Path) -> None:
    with answering() as service:
        service.ready = False
        told = probe(service.server_port, tmp_path)
        assert (told.returncode, told.stderr.strip()) == (1, "the bus is missing")
        service.ready = True
        assert probe(service.server_port, tmp_path).returncode == 0


def test_a_service_that_waits_for_its_broker_again_is_not_ill(tmp_path: Path) -> None:
    with answering() as service:
        assert probe(service.server_port, tmp_path).returncode == 0
        service.ready = False
        assert probe(service.server_port, tmp_path).returncode == 0


def test_a_service_that_does_not_answer_is_ill_whatever_it_was(tmp_path: Path) -> None:
    with answering() as service:
        assert probe(service.server_port, tmp_path).returncode == 0
    assert probe(service.server_port, tmp_path).returncode == 1


async def test_waiting_ends_when_the_last_service_is_ready() -> None:
    with answering() as first, answering() as last:
        last.ready = False
        waiting = asyncio.create_task(until_ready([first.url, last.url]))
        assert await asyncio.to_thread(last.said_no.wait, 30)
        assert not waiting.done()
        last.ready = True
        await asyncio.wait_for(waiting, 30)


async def test_waiting_in_vain_ends_with_what_is_missing() -> None:
    with answering() as service:
        service.ready = False
        with pytest.raises(NotReady, match="the bus is missing"):
            await until_ready([service.url], seconds=0)
