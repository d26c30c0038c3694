"""One process that serves the whole system on one port, until it is asked to stop."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import uvicorn
import uvloop
from starlette.types import ASGIApp

from shared.errors import WusheError
from wushe.language import say
from wushe.system import System
from wushe.wire import Wire

T = TypeVar("T")
READY_SECONDS = 120.0


class PortTaken(WusheError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            say(
                "端口 {port} 已被占用：请换一个，例如 make run PORT={other}",
                "port {port} is in use: choose another, such as make run PORT={other}",
                port=port,
                other=port + 1 if port < 65535 else 8000,
            )
        )


class CannotListen(WusheError):
    """The port is free, but not ours to take, or the address is none of this machine's."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            say(
                "不能在 {host} 的端口 {port} 上提供服务（{reason}）：请检查 WUSHE_HOST 与 WUSHE_PORT；1024 以下的端口通常需要管理员权限",
                "cannot serve at {host}, port {port} ({reason}): look at WUSHE_HOST and WUSHE_PORT; ports below 1024 "
                "are mostly for the superuser",
                host=host,
                port=port,
                reason=reason,
            )
        )


class Broken(WusheError):
    """Something that must keep moving has stopped."""

    def __init__(self, reason: BaseException) -> None:
        found = reason
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        super().__init__(
            say(
                "系统内部停止运转，已退出（{reason}）",
                "the system stopped moving and has ended ({reason})",
                reason=f"{type(found).__name__}: {found}",
            )
        )


class Server(uvicorn.Server):
    """uvicorn without its signal handling: whoever runs it decides when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run this to its end on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def leave_alone_what_stays() -> None:
    """Code, tables and copies made at the start stay to the end: do not look through them for garbage again and again.
    What comes later is mostly freed by counting, so a look at all of it can wait too."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)


def listen(host: str, port: int) -> socket.socket:
    """The socket, before anything else is started. Raises PortTaken, CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as e:
        listening.close()
        if e.errno == errno.EADDRINUSE:
            raise PortTaken(port) from e
        raise CannotListen(host, port, e.strerror or str(e)) from e
    return listening


def server_for(api: ASGIApp, trusted: str | None = None) -> Server:
    """`trusted` are the addresses, parted by commas, whose word about who asked is taken (`X-Forwarded-For`, `-Proto`): the
    edge's, or a proxy's. With None those of `FORWARDED_ALLOW_IPS`, or else this machine's own."""
    return Server(
        uvicorn.Config(
            api,
            http=Wire,
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=trusted,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
            backlog=2048,
        )
    )


@asynccontextmanager
async def moving(
    system: System, stopping: asyncio.Task[Any] | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """The system runs inside this block, and is ready unless `stopping` came first. The task ends only if something broke.
    Raises Outage at once if nothing can be written."""
    for unit in system.units.values():
        await unit.adapters.store.ping()
    task = asyncio.create_task(system.run(), name="system")
    try:
        ready = asyncio.create_task(system.ready(READY_SECONDS))
        first = (task, ready) if stopping is None else (task, ready, stopping)
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            ready.cancel()
            raise Broken(_why(task))
        if ready.done():
            await ready
        ready.cancel()
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def serve(system: System, listening: socket.socket, welcome: Callable[[], Awaitable[None]]) -> None:
    """Serve until SIGINT or SIGTERM; `welcome` runs once the port answers. Raises Broken."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    try:
        async with moving(system, stopping) as life:
            if not stop.is_set():
                await _serve(system, listening, welcome, life, stopping)
    finally:
        stopping.cancel()


async def _serve(
    system: System,
    listening: socket.socket,
    welcome: Callable[[], Awaitable[None]],
    life: asyncio.Task[None],
    stopping: asyncio.Task[Any],
) -> None:
    leave_alone_what_stays()
    server = server_for(system.api)
    serving = asyncio.create_task(server.serve([listening]), name="http")
    welcoming = asyncio.ensure_future(welcome())
    await _until_the_end(life, serving, welcoming, stopping)
    server.should_exit = True
    welcoming.cancel()
    await serving
    if life.done():
        raise Broken(_why(life))
    if welcoming.done() and not welcoming.cancelled():
        welcoming.result()


async def _until_the_end(
    life: asyncio.Task[None],
    serving: asyncio.Task[None],
    welcoming: asyncio.Future[None],
    stopping: asyncio.Task[Any],
) -> None:
    """Wait until someone asks to stop or something broke; the welcome coming to its end is neither."""
    await asyncio.wait((life, serving, welcoming, stopping), return_when=asyncio.FIRST_COMPLETED)
    if welcoming.done() and welcoming.exception() is None:
        await asyncio.wait((life, serving, stopping), return_when=asyncio.FIRST_COMPLETED)


def _why(task: asyncio.Task[None]) -> BaseException:
    return task.exception() or RuntimeError("it came to an end")
