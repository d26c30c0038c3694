"""Work for parts of services that a crowd does not stir by itself, so that every named point is passed."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import httpx2

from shared.contracts import encode
from shared.contracts.needs import HouseholdRegistered
from shared.ports import Store
from shared.run.dead_letters import DeadLetter, LetterStatus, set_aside
from tests.cast import Cast
from tests.cluster.faults.ground import Ground

LETTERS_AT_ONCE = 8
EVERY_SECONDS = 0.5


@asynccontextmanager
async def stirred(ground: Ground, cast: Cast) -> AsyncIterator[None]:
    """Inside this block organisations register, and each service has dead letters to play again."""
    over = asyncio.Event()
    stirring = asyncio.create_task(_stir(ground, cast, over))
    try:
        yield
    finally:
        over.set()
        await stirring


async def _stir(ground: Ground, cast: Cast, over: asyncio.Event) -> None:
    for number in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
        await asyncio.gather(*(_due(store, service, number) for service, store in ground.stores.items()))
        with suppress(httpx2.HTTPError):
            await cast.does(cast.admin, "/api/organisations", {"name": f"协会{number}", "kind": "charity"})
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS):
                await over.wait()


async def _due(store: Store, service: str, number: int) -> None:
    """Letters of news that nobody hears, which a person has asked to be played again."""
    now = datetime.now(UTC)
    for n in range(LETTERS_AT_ONCE):
        subject = f"household-{now.timestamp()}-{n}"
        event = HouseholdRegistered(site_id="s", area="522702001", persons=1)
        value = encode(event, id=subject, subject=subject, time=now, sequence=1, cause=None, trace=None)
        letter = DeadLetter(
            id=f"{service}-{subject}", group=f"wushe.{service}.handle", source=f"{event.topic.name}/{subject}",
            topic_name=event.topic.name, partition=0, offset=number, key=subject,
            value=base64.b64encode(value).decode(), type=event.type(), reason="fault", detail="stirred",
            attempts=1, first_failed_at=now, status=LetterStatus.RESENDING, order=number, wake_at=now,
        )  # fmt: skip
        await set_aside(store, letter)
