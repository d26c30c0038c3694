"""`wushe dead-letters`: messages that a service could not apply, and what to do with them."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import quote

import typer

from wushe.client import Account
from wushe.commands.reaching import Data, Login, PasswordFile, Url, signed_in
from wushe.language import say
from wushe.sample.staff import ADMINISTRATOR
from wushe.terminal import console, give_up, plainly

SERVICES = ("directory", "needs", "volunteers", "resources", "matching")

letters = typer.Typer(
    help=say(
        "查看和处理未能处理的消息（死信）", "Messages that could not be applied: list, show, resend, discard"
    ),
    no_args_is_help=True,
)

Service = Annotated[str, typer.Argument(help=" | ".join(SERVICES))]
Id = Annotated[str, typer.Argument(help=say("死信编号", "the id of the dead letter"))]


@letters.command("list", help=say("列出待处理的死信", "List what waits for a decision"))
def list_letters(
    url: Url = None, data: Data = None, login: Login = ADMINISTRATOR, password_file: PasswordFile = None
) -> None:
    async def ask(account: Account) -> None:
        found = [item for s in SERVICES async for item in account.every(f"/api/dead-letters/{s}")]
        if not found:
            console.print(say("没有死信", "There are no dead letters"))
        _list(found)

    _speak(ask, url, data, login, password_file)


@letters.command("show", help=say("看一封死信的内容", "Show one of them"))
def show_letter(
    service: Service,
    id: Id,
    url: Url = None,
    data: Data = None,
    login: Login = ADMINISTRATOR,
    password_file: PasswordFile = None,
) -> None:
    place = place_of(service, id)

    async def ask(account: Account) -> None:
        letter = (await account.get(place)).body
        message = base64.b64decode(letter.pop("value"))
        console.print_json(json.dumps(letter, ensure_ascii=False))
        console.print(message.decode("utf-8", "replace"), markup=False)

    _speak(ask, url, data, login, password_file)


@letters.command(
    "resend", help=say("重新送达，并放行排在它后面的消息", "Play it, and what waits behind it, again")
)
def resend_letter(
    service: Service,
    id: Id,
    url: Url = None,
    data: Data = None,
    login: Login = ADMINISTRATOR,
    password_file: PasswordFile = None,
) -> None:
    place = place_of(service, id)

    async def ask(account: Account) -> None:
        await account.post(f"{place}/resend")
        console.print(say("已安排重新送达", "It will be played again"))

    _speak(ask, url, data, login, password_file)


@letters.command("discard", help=say("放弃它，并写明原因", "Give it up, with a reason"))
def discard_letter(
    service: Service,
    id: Id,
    reason: Annotated[str, typer.Option("--reason", help=say("原因", "why"))],
    url: Url = None,
    data: Data = None,
    login: Login = ADMINISTRATOR,
    password_file: PasswordFile = None,
) -> None:
    place = place_of(service, id)

    async def ask(account: Account) -> None:
        await account.post(f"{place}/discard", {"reason": reason})
        console.print(say("已放弃", "It is given up"))

    _speak(ask, url, data, login, password_file)


@plainly
def _speak(
    ask: Callable[[Account], Awaitable[None]],
    url: str | None,
    data: Any,
    login: str,
    password_file: Any,
) -> None:
    from wushe.serving import run

    async def speak() -> None:
        async with signed_in(url, data, login, password_file) as account:
            await ask(account)

    run(speak())


def place_of(service: str, id: str) -> str:
    """Where a letter is asked for, whatever somebody typed for its id."""
    if service not in SERVICES:
        give_up(say("没有这个服务：{n}（有 {all}）", "no such service: {n}; there are {all}", n=service, all=", ".join(SERVICES)))  # fmt: skip
    return f"/api/dead-letters/{quote(service, safe='')}/{quote(id, safe='')}"


def _list(found: list[dict[str, Any]]) -> None:
    """One letter a line, so that its id can be copied whole in any terminal."""
    for item in found:
        facts = (item[name] for name in ("service", "id", "status", "reason", "type", "record"))
        console.print("  ".join(str(fact) for fact in facts), markup=False)
