"""`wushe serve`: one service in this process, on Kafka and MongoDB, until it is asked to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Illegible, Outage
from shared.http.api import PREFIX
from shared.http.problems import out_of_order
from shared.run.settings import Settings
from shared.security.tokens import TokenMint
from wushe.cluster import one_service
from wushe.first import open_first_account, sample_accounts
from wushe.keys import SampleAccounts, administrator_password
from wushe.language import say
from wushe.papers import whole_interface
from wushe.sample.staff import ADMINISTRATOR
from wushe.serving import Broken, leave_alone_what_stays, listen, run, server_for
from wushe.system import SERVICES, System
from wushe.terminal import console, give_up, plainly

FIRST = "the first administrator"
PAPERS = frozenset({"/docs", "/openapi.json"})
END_SECONDS, ASKED_AT_MOST = 0.3, 3
LAST_SECONDS = 9.5

log = structlog.get_logger("serve")


@plainly
def serve_service(name: str, settings: Settings) -> None:
    """Serve until asked to stop. Answers /healthz at once, and /readyz says what it still waits for."""
    if name not in SERVICES:
        give_up(say("没有这个服务：{n}（有 {all}）", "no such service: {n}; there are {all}", n=name, all=", ".join(SERVICES)))  # fmt: skip
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(settings.log),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    run(_serve(name, settings))
    console.print(say("{n} 已停止", "{n} has stopped", n=name))


async def _serve(name: str, settings: Settings) -> None:
    password = administrator_password(settings) if name == "directory" else ""
    listening = listen(settings.host, settings.port)
    stop = _asked_to_stop()
    try:
        async with one_service(name, settings) as system:
            system.also_missing = [FIRST] if name == "directory" else []
            door = Door(system.api, opened=name != "directory" or settings.env != "production")
            server = server_for(WithPapers(door) if name == "directory" else door)
            serving = asyncio.create_task(server.serve([listening]), name="http")
            life = asyncio.create_task(system.run(), name="system")
            beginning = asyncio.create_task(_begin(system, door, password), name="begin")
            await _until_one_ends(life, serving, stop, beginning)
            server.should_exit = True
            await serving
            await end(life, beginning)
            _tell_what_broke(life, beginning)
    finally:
        stop.cancel()
        listening.close()


def _asked_to_stop() -> asyncio.Task[bool]:
    asked = asyncio.Event()

    def stop() -> None:
        if not asked.is_set():
            cut_off_after(LAST_SECONDS)
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return asyncio.create_task(asked.wait(), name="stop")


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel these, again and again: a driver whose server has gone may take a cancellation for its own."""
    for _ in range(ASKED_AT_MOST):
        for task in tasks:
            task.cancel()
        _, left = await asyncio.wait(tasks, timeout=END_SECONDS)
        if not left:
            return
        log.warning("does not end", tasks=sorted(task.get_name() for task in left))


def cut_off_after(seconds: float) -> None:
    """End the process then, whatever still holds it: a kill loses nothing, and somebody waits for it to be gone."""
    last = threading.Timer(seconds, os._exit, (1,))
    last.daemon = True
    last.start()


async def _until_one_ends(
    life: asyncio.Task[None],
    serving: asyncio.Task[None],
    stop: asyncio.Task[bool],
    beginning: asyncio.Task[None],
) -> None:
    """Wait until someone asks to stop or something broke; the beginning coming to its end is neither."""
    await asyncio.wait((life, serving, stop, beginning), return_when=asyncio.FIRST_COMPLETED)
    if beginning.done() and beginning.exception() is None:
        await asyncio.wait((life, serving, stop), return_when=asyncio.FIRST_COMPLETED)


def _tell_what_broke(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (reason := task.exception()) is not None:
            raise reason if isinstance(reason, SampleAccounts | Illegible) else Broken(reason)


async def _begin(system: System, door: Door, password: str) -> None:
    """Open the door. Once the servers answer: the first administrator, if this is the directory; a line in the log."""
    first = list(system.also_missing)
    if not door.opened:
        await _in_time(lambda: _refuse_what_everybody_knows(system))
        door.opened = True
    told: list[str] = []
    while (missing := await system.missing()) != first:
        if missing != told:
            log.info("waiting", missing=missing)
        told = missing
        await asyncio.sleep(0.25)
    leave_alone_what_stays()
    if first:
        mint = _mint(system)
        await _in_time(lambda: open_first_account(system, mint, ADMINISTRATOR, "系统管理员", password))
        system.also_missing = []
    log.info("ready", services=list(system.units))


async def _refuse_what_everybody_knows(system: System) -> None:
    """No production with an account that has the sample's password. Raises SampleAccounts."""
    if known := await sample_accounts(system, _mint(system)):
        raise SampleAccounts("MongoDB", known)


async def _in_time(act: Callable[[], Awaitable[None]]) -> None:
    """Do this as soon as the store answers."""
    while True:
        try:
            return await act()
        except Outage as outage:
            log.warning("outage", reason=str(outage))
            await asyncio.sleep(1.0)


def _mint(system: System) -> TokenMint:
    mint = system.security.mint
    assert isinstance(mint, TokenMint)
    return mint


class Door:
    """Nobody is let in while it is not known whether somebody has a password that everybody knows."""

    def __init__(self, api: ASGIApp, *, opened: bool) -> None:
        self._api = api
        self.opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._api
        if not self.opened and scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/"):
            answer = await out_of_order(Request(scope), Outage("the accounts have not been looked at"))
        await answer(scope, receive, send)


class WithPapers:
    """The directory also answers for the documentation, of all services, which are one interface behind the edge."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api
        self._papers: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in PAPERS:
            return await self._api(scope, receive, send)
        if self._papers is None:
            self._papers = whole_interface()
        return await self._papers(scope, receive, send)
