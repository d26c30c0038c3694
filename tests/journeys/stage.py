"""Where the journeys take place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.cast import Cast
from tests.town import Town, town


@asynccontextmanager
async def fuquan(**policy: Any) -> AsyncIterator[tuple[Town, Cast]]:
    """The town with its stations open."""
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive(**policy)
        await t.settle()
        yield t, cast
