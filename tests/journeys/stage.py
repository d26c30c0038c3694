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


async def corrects(t: Town, cast: Cast, path: str, *, version_of: str = "", **facts: Any) -> None:
    """Staff, or the charity, change what is on file; `version_of` is the record that it is a part of."""
    cast.appoint()
    who = cast.donor if path.startswith("/api/lots") else cast.staff
    version = (await t.call(who.token, "GET", version_of or path)).headers["etag"]
    done = await t.call(who.token, "PATCH", path, facts, headers={"If-Match": version})
    assert done.status == 200, done.body
    await t.settle()
