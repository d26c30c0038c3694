"""The command line's own client, before what it did not expect."""

from __future__ import annotations

import pytest
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp

from wushe.client import Api, NotOurs, Refused


@pytest.mark.parametrize("answer", [HTMLResponse("<h1>It works</h1>"), JSONResponse({"hello": "world"})])
async def test_what_is_another_program_is_said_to_be_one(answer: ASGIApp) -> None:
    with pytest.raises(NotOurs, match="--url"):
        await Api.inside(answer).sign_in("admin", "password")


async def test_a_proxy_with_nobody_behind_it_is_a_refusal() -> None:
    with pytest.raises(Refused, match="502"):
        await Api.inside(HTMLResponse("Bad Gateway", 502)).sign_in("admin", "password")
