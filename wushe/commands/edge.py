"""`wushe edge`: one address before all the instances of all services."""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog

from shared.run.settings import Settings
from wushe.edge import Edge, is_address
from wushe.language import say
from wushe.routing import services
from wushe.serving import Server, listen, run, server_for
from wushe.terminal import console, give_up, plainly


@plainly
def serve_edge(instances: list[str], settings: Settings) -> None:
    """Serve until asked to stop. `instances` are SERVICE=http://HOST:PORT, several for a service if there are."""
    upstreams: dict[str, list[str]] = {service: [] for service in services()}
    for given in instances:
        service, _, address = given.partition("=")
        if service not in upstreams or not is_address(address):
            give_up(
                say(
                    "应写作 服务名=http://主机:端口，而不是 {g}", "not SERVICE=http://HOST:PORT: {g}", g=given
                )
            )
        upstreams[service].append(address)
    if missing := [service for service, addresses in upstreams.items() if not addresses]:
        give_up(say("还缺 {m}", "no instance given of {m}", m=", ".join(missing)))
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(settings.log),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    run(_serve(upstreams, settings))


def server_of(edge: Edge, settings: Settings) -> Server:
    """A server that believes nobody about who asked, unless it was told to."""
    return server_for(edge, trusted=settings.edge_trusts)


async def _serve(upstreams: dict[str, list[str]], settings: Settings) -> None:
    listening = listen(settings.host, settings.port)
    edge = Edge(upstreams)
    server = server_of(edge, settings)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    console.print(say("入口已就绪：http://{h}:{p}", "The edge listens: http://{h}:{p}", h=settings.host, p=listening.getsockname()[1]))  # fmt: skip
    try:
        await server.serve([listening])
    finally:
        await edge.close()
        listening.close()
