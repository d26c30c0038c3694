"""What `wushe run` says once it serves: where, who can sign in, and what to try next."""

from __future__ import annotations

from pathlib import Path

from rich.panel import Panel
from rich.table import Table

from shared.run.settings import Settings
from wushe.commands.reaching import address_at
from wushe.language import LANGUAGE, say
from wushe.sample.staff import PASSWORD, STAFF, VOLUNTEER_LOGINS
from wushe.sample.volunteers import NAMES
from wushe.terminal import console, program


def welcome(settings: Settings, *, sample: bool) -> None:
    """Print it."""
    address = address_at(settings.host, settings.port)
    console.print(
        Panel.fit(
            say("五社联动已启动：[bold]{address}[/]", "Wushe is running: [bold]{address}[/]", address=address)
        )
    )
    if sample:
        console.print(_accounts())
    console.print(_next(address, sample, settings.data), markup=False)


def _accounts() -> Table:
    table = Table(
        title=say(
            "样例账号（人物均为虚构），密码都是 {p}",
            "Sample accounts (all invented), password {p}",
            p=PASSWORD,
        )
    )
    table.add_column(say("登录名", "login"))
    table.add_column(say("姓名", "name"))
    table.add_column(say("角色", "role"))
    for row in STAFF:
        table.add_row(row.login, row.name, "、".join(r.label(LANGUAGE) for r in row.roles))
    for login, name in zip(VOLUNTEER_LOGINS, NAMES, strict=False):
        table.add_row(login, name, say("社区志愿者", "volunteer"))
    return table


def _next(address: str, sample: bool, data: Path) -> str:
    here = "" if data == Path("data") else f" --data {data}"
    tries = [
        say("接口文档 {a}/docs", "the interface: {a}/docs", a=address),
        say(
            "另开一个终端听故事：make demo URL={a}",
            "the whole story, in another terminal: make demo URL={a}",
            a=address,
        )
        if sample
        else "",
        say("核对每一条规则：{w} check{here}", "recount every rule: {w} check{here}", w=program(), here=here),
        say("按 Ctrl-C 停止", "Ctrl-C stops it"),
    ]
    return "\n".join(f"  · {line}" for line in tries if line)
