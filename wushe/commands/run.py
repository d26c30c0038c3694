"""`wushe run`: everything in one process, with the sample town on first start."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from shutil import disk_usage

import structlog

from shared.errors import Outage, WusheError
from shared.ports import Faults, NoFaults
from shared.run.faults import KillAt
from shared.run.settings import Settings
from shared.security.tokens import TokenMint, signing_key
from wushe.client import Api, Refused
from wushe.commands.reaching import note_address
from wushe.commands.welcome import welcome
from wushe.embedded import DATABASE, embedded
from wushe.first import ensure_administrator, sample_accounts
from wushe.keys import SampleAccounts, administrator_password
from wushe.language import say
from wushe.sample.loading import MARKER, begin, load_once
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.serving import Broken, listen, run, serve
from wushe.system import System
from wushe.terminal import console, plainly

ROOM_AT_LEAST = 1 << 20
"""With fewer bytes than this, a failure to write is put down to the disk."""


class NoPassword(WusheError):
    """A production system was started without saying where the administrator's password is."""

    def __init__(self) -> None:
        super().__init__(
            say(
                "生产环境须用 WUSHE_ADMIN_PASSWORD_FILE 指明首位管理员的密码文件",
                "production needs WUSHE_ADMIN_PASSWORD_FILE, the file with the first administrator's password",
            )
        )


class TwoPasswords(WusheError):
    """The sample town was asked for with a password of its own for the administrator: it has that of the sample."""

    def __init__(self) -> None:
        super().__init__(
            say(
                "样例小镇的管理员用的是公开的样例密码：请加 --no-sample（或设 WUSHE_SAMPLE=false），或者不设 WUSHE_ADMIN_PASSWORD_FILE",
                "the administrator of the sample town has the password of the sample: add --no-sample (or set "
                "WUSHE_SAMPLE=false), or leave WUSHE_ADMIN_PASSWORD_FILE out",
            )
        )


class SampleHasItsOwn(WusheError):
    """A password was given for the administrator of a station that began with the sample: it would be passed over."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            say(
                "{data} 是由样例小镇开始的，管理员已有密码：请不设 WUSHE_ADMIN_PASSWORD_FILE，登录后修改密码；或用 --data 另建站点",
                "{data} began with the sample town, and its administrator has a password already: leave "
                "WUSHE_ADMIN_PASSWORD_FILE out, sign in and change it, or begin another station with --data",
                data=data,
            )
        )


@plainly
def serve_here(settings: Settings) -> None:
    """Serve until asked to stop."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(settings.log),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    if settings.env == "production" and settings.admin_password_file is None:
        raise NoPassword()
    administrator_password(settings)  # whatever is wrong with it is said before anything starts
    is_new = not (settings.data / DATABASE).exists()
    with_sample = settings.sample and settings.env != "production"
    stands = not is_new and (settings.data / MARKER).exists()
    if settings.env != "production" and settings.admin_password_file is not None:
        if is_new and with_sample:
            raise TwoPasswords()
        if stands:
            raise SampleHasItsOwn(settings.data)
    listening = listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    if is_new:
        (settings.data / MARKER).unlink(missing_ok=True)
        if with_sample:
            begin(settings.data)
    try:
        async with embedded(
            settings.data, faults=_faults(settings), access_log=settings.log != "error"
        ) as system:
            if settings.env == "production":
                await refuse_what_everybody_knows(system, settings.data)
            note_address(settings.data, settings.host, settings.port)
            await serve(system, listening, lambda: _begin(system, settings))
    except (Outage, Refused, Broken) as failure:
        require_room_in(settings.data)
        raise failure
    finally:
        listening.close()
    console.print(
        say("已停止，数据保存在 {data}", "Stopped; the data is in {data}", data=settings.data), markup=False
    )


def require_room_in(data: Path) -> None:
    """What goes wrong on a full disk is told in many ways. Raises OSError if it is full."""
    if disk_usage(data).free < ROOM_AT_LEAST:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(data))


def _faults(settings: Settings) -> Faults:
    return KillAt.parse(settings.fault) if settings.fault else NoFaults()


async def _begin(system: System, settings: Settings) -> None:
    """What is done once the port answers: the first administrator, the sample, a word of welcome."""
    if settings.env == "production":
        password = administrator_password(settings)
        await ensure_administrator(system, settings.data, ADMINISTRATOR, ADMINISTRATOR, password)
        welcome(settings, sample=False)
        return
    sample = (settings.data / MARKER).exists()
    password = PASSWORD if sample else administrator_password(settings)  # the town is set up by the sample's
    await ensure_administrator(system, settings.data, ADMINISTRATOR, "系统管理员", password)
    if settings.sample and sample:
        await load_sample(system, settings.data)
    welcome(settings, sample=sample)


async def refuse_what_everybody_knows(system: System, data: Path) -> None:
    """No production on data with an account that has the sample's password, which is published: nobody must be answered
    before. Raises SampleAccounts."""
    mint = TokenMint(signing_key(data / "keys" / "signing.pem"))
    if known := await sample_accounts(system, mint):
        raise SampleAccounts(str(data), known)


async def load_sample(system: System, data: Path) -> None:
    """Load the sample town unless it stands; finish it if it was cut short."""
    api = Api.inside(system.api)
    try:
        await load_once(api, data)
    except Refused as no:
        if no.status != 401:
            raise
        console.print(say("样例小镇不再装完：{why}", "The sample town is left as it is: {why}", why=no))
    finally:
        await api.close()
