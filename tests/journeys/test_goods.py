"""Gifts and the needs they are for: promised to whom the conditions name, left to whoever can use them, taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.stage import fuquan
from tests.journeys.test_visits import seen
from tests.town import Town


async def corrects(t: Town, cast: Cast, path: str, **facts: Any) -> None:
    """Staff, or the charity, change what is on file."""
    cast.appoint()
    who = cast.donor if path.startswith("/api/lots") else cast.staff
    version = (await t.call(who.token, "GET", path)).headers["etag"]
    done = await t.call(who.token, "PATCH", path, facts, headers={"If-Match": version})
    assert done.status == 200, done.body
    await t.settle()


async def goods(cast: Cast, need: dict[str, Any]) -> list[tuple[str, int]]:
    """The lots that the need has something of, and how much."""
    return [(one["lot_id"], one["quantity"]) for one in (await seen(cast, need))["goods"]]


@pytest.mark.parametrize(
    ("by_mistake", "in_truth", "given"),
    [("disabled", "elder_alone", False), ("elder_alone", "disabled", True)],
)
async def test_an_earmarked_gift_goes_by_what_the_file_says_now(
    by_mistake: str, in_truth: str, given: bool
) -> None:
    async with fuquan() as (t, cast):
        home = await cast.household(target_groups=[by_mistake])
        await t.settle()
        need = await cast.need(home, cast.goods_line(2))
        await t.settle()
        await corrects(t, cast, f"/api/households/{home['id']}", target_groups=[in_truth])
        lot = await cast.lot(10, earmark={"target_groups": ["disabled"]})
        await t.passes(hours=2)
        assert await goods(cast, need) == ([(lot["id"], 2)] if given else [])
