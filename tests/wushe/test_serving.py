"""A system in which something broke ends, says so, and does not go on as if nothing had happened."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from pathlib import Path

import pytest

from shared.errors import Outage
from shared.security.passwords import Hasher
from wushe.embedded import embedded
from wushe.language import LANGUAGE
from wushe.serving import Broken, PortTaken, listen, moving, serve
from wushe.system import System


async def breaks() -> None:
    raise RuntimeError("the disk is gone")


async def nothing() -> None:
    return None


async def test_a_broken_part_ends_the_process_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded(tmp_path, hasher=Hasher.cheap()) as system:
        monkeypatch.setattr(system.units["needs"], "run", breaks)
        with pytest.raises(Broken, match="the disk is gone"):
            async with asyncio.timeout(30):
                await serve(system, listen("127.0.0.1", 0), nothing)


async def test_it_stops_when_asked_to_before_it_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may read the log of many years, or wait for a disk that is full."""

    async def asked_to_stop() -> list[str]:
        os.kill(os.getpid(), signal.SIGTERM)
        return ["the disk is full"]

    async with embedded(tmp_path, hasher=Hasher.cheap()) as system:
        monkeypatch.setattr(system, "missing", asked_to_stop)
        async with asyncio.timeout(30):
            await serve(system, listen("127.0.0.1", 0), breaks)


async def test_it_serves_until_the_welcome_fails(tmp_path: Path) -> None:
    async with embedded(tmp_path, hasher=Hasher.cheap()) as system:
        with pytest.raises(RuntimeError, match="the disk is gone"):
            async with asyncio.timeout(30):
                await serve(system, listen("127.0.0.1", 0), breaks)


async def test_nothing_moves_after_the_block(tmp_path: Path) -> None:
    async with embedded(tmp_path, hasher=Hasher.cheap()) as system:
        assert isinstance(system, System)
        async with moving(system) as life:
            assert await system.missing() == []
        assert life.cancelled()


async def test_what_cannot_write_says_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with embedded(tmp_path, hasher=Hasher.cheap()) as system:

        def full(file: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as disk:
            disk.setattr(os, "fdatasync", full)
            with pytest.raises(Outage, match="No space left"):
                async with moving(system):
                    raise AssertionError("it moves")


def test_a_taken_port_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"PORT={port + 1}"):
            listen("127.0.0.1", port)
    assert LANGUAGE in ("zh", "en")
