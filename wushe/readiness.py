"""Waiting until services say that they are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import httpx2

from shared.errors import WusheError
from wushe.language import say

SECONDS = 180.0


class NotReady(WusheError):
    """A service did not become ready in time; `missing` is what it said that it lacks."""

    def __init__(self, address: str, missing: str) -> None:
        super().__init__(
            say(
                "{address} 未能就绪：{missing}",
                "{address} did not become ready: {missing}",
                address=address,
                missing=missing,
            )
        )


async def until_ready(addresses: Iterable[str], seconds: float = SECONDS) -> None:
    """Return once all of these are ready at the same time. Raises NotReady."""
    asked = tuple(addresses)
    end = asyncio.get_running_loop().time() + seconds
    async with httpx2.AsyncClient(timeout=10.0, trust_env=False) as http:
        while True:
            answers = await asyncio.gather(*(_missing(http, address) for address in asked))
            missing = {address: lack for address, lack in zip(asked, answers, strict=True) if lack}
            if not missing:
                return
            if asyncio.get_running_loop().time() > end:
                raise NotReady(*next(iter(missing.items())))
            await asyncio.sleep(0.5)


async def _missing(http: httpx2.AsyncClient, address: str) -> str:
    """What it lacks, in its own words; nothing if it is ready."""
    try:
        answer = await http.get(f"{address}/readyz")
    except httpx2.TransportError as e:
        return type(e).__name__
    return "" if answer.status_code == 200 else answer.text
