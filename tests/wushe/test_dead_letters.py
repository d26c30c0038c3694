"""The dead-letter desk on the command line, on a data directory that nobody runs on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.ports import Delivery, Position
from shared.run.dead_letters import LetterStatus, set_aside
from shared.run.dispatch import Failure
from shared.run.loop import letter_of
from shared.security.passwords import Hasher
from wushe.cli import app
from wushe.embedded import embedded
from wushe.first import ensure_administrator
from wushe.sample.staff import ADMINISTRATOR, PASSWORD

TOPIC = "wushe.needs.need.v1"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory in which matching could not apply one message."""

    async def fill() -> None:
        async with embedded(tmp_path, hasher=Hasher.cheap()) as system:
            await ensure_administrator(system, tmp_path, ADMINISTRATOR, "admin", PASSWORD)
            adapters = system.units["matching"].adapters
            delivery = Delivery(Position(TOPIC, 0), 7, "need-1", b"not json")
            failure = Failure("unreadable", "not JSON", LetterStatus.ASIDE, 1)
            await set_aside(adapters.store, letter_of("wushe.matching.handle", delivery, failure, adapters))

    asyncio.run(fill())
    return tmp_path


def said(data: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["dead-letters", *arguments, "--data", str(data)])
    assert result.exit_code == code, result.output
    return str(result.output)


def test_a_stuck_message_is_listed_shown_and_given_up_with_a_reason(data: Path) -> None:
    listed = said(data, "list")
    assert "unreadable" in listed
    service, id, status, *_ = listed.split()
    assert (service, status) == ("matching", "aside")
    assert "not json" in said(data, "show", "matching", id)
    said(data, "discard", "matching", id, "--reason", "sent by mistake")
    assert id not in said(data, "list")
    said(data, "resend", "matching", id, code=2)
