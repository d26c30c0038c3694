"""The live route table against the policy table: every route, every role."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.contracts.vocabulary import Role
from shared.http.catalogue import Guarded, catalogue
from shared.security.policy import POLICY, PUBLIC
from tests.town import Town
from tests.town import town as a_town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Town]:
    async with a_town() as t:
        yield t


async def status(town: Town, route: Guarded, token: str | None) -> int:
    headers = {"If-Match": '"1"', "Idempotency-Key": "k", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = b"{}" if route.method in {"POST", "PATCH", "PUT"} else b""
    path = re.sub(r"\{\w+\}", "somebody", route.path)
    return (await town.http.request(route.method, path, content=body, headers=headers)).status_code


@pytest.mark.asyncio(loop_scope="module")
async def test_every_route_that_is_not_public_asks_who_is_there(town: Town) -> None:
    for route in catalogue(town.system.api):
        if not route.public:
            assert await status(town, route, None) == 401, route


@pytest.mark.asyncio(loop_scope="module")
async def test_a_role_without_a_right_is_turned_away_before_anything_is_looked_at(town: Town) -> None:
    for route in catalogue(town.system.api):
        for role in Role:
            if not route.public and role not in POLICY[route.action]:
                token = town.token("nobody", role, site_id="nowhere")
                assert await status(town, route, token) == 403, (route, role)


@pytest.mark.asyncio(loop_scope="module")
async def test_every_right_in_the_table_is_used_and_nothing_fails_inside(town: Town) -> None:
    routes = catalogue(town.system.api)
    assert {route.action for route in routes} == POLICY.keys() | PUBLIC
    for route in routes:
        if not route.path.endswith("/accept"):  # it waits for a verdict, and here time stands still
            token = town.token("nobody", *Role, site_id="nowhere", organisation_id="none")
            assert await status(town, route, token) < 500, route
