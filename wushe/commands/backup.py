"""`wushe backup` and `wushe restore`: one file that holds a whole station, and the way back."""

from __future__ import annotations

from pathlib import Path

from shared.embedded.backup import Altered, Damaged, InTheWay, back_up, require_room_for, restore
from shared.errors import WusheError
from wushe.commands.reaching import require_data
from wushe.embedded import DATABASE
from wushe.language import say
from wushe.terminal import console, errors, plainly, program


class CannotBackUp(WusheError):
    """Why a backup was not made or not restored, in words."""


class NoFileName(WusheError):
    """A backup was to be written to what is a directory."""

    def __init__(self, to: Path) -> None:
        super().__init__(
            say(
                "{to} 是目录：请写明备份文件，例如 {example}",
                "{to} is a directory: name the file, such as {example}",
                to=to,
                example=to / "wushe-backup.db",
            )
        )


@plainly
def make_backup(data: Path, to: Path) -> None:
    """Back this data directory up, whether or not a system runs on it."""
    require_data(data)
    if to.is_dir():
        raise NoFileName(to)
    if not to.exists():
        require_room_for(to)
    try:
        with errors.status(say("正在备份……", "Backing up …")):
            size = back_up(data / DATABASE, to)
    except (InTheWay, Damaged) as no:
        raise CannotBackUp(_words(no)) from no
    console.print(
        say("已备份到 {to}（{size} 字节）", "backed up to {to} ({size} bytes)", to=to, size=f"{size:,}"),
        markup=False,
    )
    console.print(
        say(
            "登录密钥不在其中，请另存 {keys}",
            "the sign-in key is not in it: keep {keys} apart",
            keys=data / "keys" / "signing.pem",
        ),
        markup=False,
    )


@plainly
def restore_backup(backup: Path, data: Path) -> None:
    """Put a backup into a data directory that has no database."""
    try:
        with errors.status(say("正在恢复……", "Restoring …")):
            restore(backup, data / DATABASE)
    except (InTheWay, Damaged) as no:
        raise CannotBackUp(_words(no)) from no
    console.print(
        say(
            "已恢复到 {data}：请执行 {w} check --data {data}",
            "restored to {data}: run {w} check --data {data}",
            w=program(),
            data=data,
        ),
        markup=False,
    )


def _words(no: InTheWay | Damaged) -> str:
    if isinstance(no, InTheWay):
        return say("{path} 已存在，不会覆盖", "{path} is there already, and is not overwritten", path=no.path)
    if isinstance(no, Altered):
        return say(
            "{path} 与备份时写下的内容不同（可能复制不完整或磁盘有误），未作恢复：请重新复制该文件，或改用另一份备份",
            "{path} is no longer as the backup was written, so nothing was restored: copy the file again from where it was "
            "made, or take another backup",
            path=no.path,
        )
    return say("{path} 不是完整的站点数据", "{path} is no whole database of a station", path=no.path)
