"""How a command reaches the system: the one that runs, or else the data directory, which it then opens itself."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from shared.embedded.opening import InUse
from shared.errors import WusheError
from wushe.client import Account, Api
from wushe.keys import secret_in
from wushe.language import say
from wushe.sample.staff import ADMINISTRATOR, PASSWORD

HERE = "http://127.0.0.1:8000"
ADDRESS = "address"
"""A file in a data directory: which process serves what lies there, and where. Another station may run beside it."""

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="WUSHE_DATA",
        help=say("数据目录（默认 ./data）", "the data directory (default ./data)"),
    ),
]
Url = Annotated[
    str | None,
    typer.Option("--url", help=say("正在运行的系统的地址", "the address of a running system")),
]
Login = Annotated[str, typer.Option("--login", help=say("用哪个账号登录", "the account to sign in with"))]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help=say("存放密码的文件", "a file that holds the password")),
]


def address_at(host: str, port: int) -> str:
    """Where a browser or a command on this machine finds what listens there."""
    with suppress(ValueError):
        ip = ip_address(host)
        host = "127.0.0.1" if ip.is_unspecified else f"[{host}]" if ip.version == 6 else host
    return f"http://{host}:{port}"


def note_address(data: Path, host: str, port: int) -> None:
    """Leave word in the data directory of where the system that this process runs on it can be reached."""
    (data / ADDRESS).write_text(f"{os.getpid()} {address_at(host, port)}\n", encoding="utf-8")


def _noted_address(data: Path, holder: str) -> str | None:
    """Where the process that holds this data directory serves; None if it does not serve, or left no word."""
    with suppress(FileNotFoundError):
        pid, _, address = (data / ADDRESS).read_text(encoding="utf-8").strip().partition(" ")
        return address if address and pid == holder else None
    return None


class NoData(WusheError):
    """There is no system to speak to and no data to open."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            say(
                "{data} 里没有数据，也没有正在运行的系统：先执行 make run",
                "there is no data in {data} and no running system: begin with make run",
                data=data,
            )
        )


def require_data(data: Path) -> None:
    """Raises NoData where no station lies; NotADirectoryError for a file."""
    from wushe.embedded import DATABASE

    if data.is_file():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(data))
    if not (data / DATABASE).exists():
        raise NoData(data)


def password_from(file: Path | None) -> str:
    """The password in this file; the sample's if none is named."""
    return secret_in(file) if file else PASSWORD


@asynccontextmanager
async def signed_in(
    url: str | None, data: Path | None, login: str = ADMINISTRATOR, password_file: Path | None = None
) -> AsyncIterator[Account]:
    """An account of the system at `url`; without one, of the system on this data directory, whoever runs it."""
    password = password_from(password_file)
    if url is not None:
        async with _at(url) as api:
            yield await api.sign_in(login, password)
        return
    place = data or Path("data")
    try:
        async with opened(place) as api:
            yield await api.sign_in(login, password)
    except InUse as taken:
        address = _noted_address(place, taken.holder)
        if address is None:
            raise
        async with _at(address) as api:
            yield await api.sign_in(login, password)


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Api]:
    """The system on this data directory, running in this process until the block ends. Raises InUse, NoData."""
    from wushe.embedded import embedded
    from wushe.serving import moving

    require_data(data)
    async with embedded(data) as system, moving(system):
        api = Api.inside(system.api)
        try:
            yield api
        finally:
            await api.close()


@asynccontextmanager
async def _at(url: str) -> AsyncIterator[Api]:
    api = Api.at(url)
    try:
        yield api
    finally:
        await api.close()
