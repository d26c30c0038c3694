"""Where the keys of a cluster come from: files that are given, or, in development only, made on the first start."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.directory.domain.accounts import fit_password
from shared.errors import Invalid, WusheError
from shared.ports import Clock
from shared.run.settings import Settings
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, TokenVerifier, signing_key, verifying_key
from wushe.language import LANGUAGE, say
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.system import Security

SIGNING, VERIFYING = "signing.pem", "verify.pem"
SAMPLE_MARK = "SAMPLE"
"""A file of this name beside a key says that the key was made up for a sample town."""
PATIENCE_SECONDS = 60.0


class KeyMissing(WusheError):
    """Production was asked to start without a key file of its own."""

    def __init__(self, setting: str, path: Path | None) -> None:
        super().__init__(
            say(
                "生产环境须用 {setting} 指明已有的密钥文件（{path}），不会自动生成",
                "production needs {setting}, a key file that is there already ({path}); none is made up",
                setting=setting,
                path=path or "-",
            )
        )


class NoPasswordFile(WusheError):
    """The file with the first administrator's password is not there."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(
            say(
                "WUSHE_ADMIN_PASSWORD_FILE 须指向已有的文件（{path}），其中写明首位管理员的密码",
                "WUSHE_ADMIN_PASSWORD_FILE must name a file that is there ({path}), with the first administrator's "
                "password in it",
                path=path or "-",
            )
        )


class NoDirectoryYet(WusheError):
    """The directory, which makes the keys on a first start in development, has not done so."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            say(
                "一直没有等到 {path}：目录服务（wushe serve directory）在运行吗？它与本服务的 WUSHE_DATA 是否相同？",
                "{path} never appeared: is the directory running (wushe serve directory), with the same WUSHE_DATA?",
                path=path,
            )
        )


class SampleSecret(WusheError):
    """Production was asked to start with what everybody knows."""

    def __init__(self, what: str) -> None:
        super().__init__(
            say(
                "生产环境不得使用样例密钥或样例密码：{what}",
                "production refuses a sample key or password: {what}",
                what=what,
            )
        )


class SampleAccounts(WusheError):
    """Production was asked to start where people sign in with the password of the sample, which is published."""

    def __init__(self, place: str, logins: Sequence[str]) -> None:
        super().__init__(
            say(
                "{place} 中仍有账号使用公开的样例密码（{logins}）：请先以 WUSHE_ENV=development 启动，修改密码或停用这些账号，再以生产环境启动",
                "{place}: accounts still have the published password of the sample ({logins}). Start with "
                "WUSHE_ENV=development, change their passwords or close them, then start production again",
                place=place,
                logins=", ".join(logins),
            )
        )


async def security_for(name: str, settings: Settings, clock: Clock) -> Security:
    """What the service of this name signs and verifies with. Raises KeyMissing, SampleSecret."""
    folder = settings.data / "keys"
    if name != "directory":
        path = _given("WUSHE_VERIFY_KEY_FILE", settings.verify_key_file, settings)
        return Security(TokenVerifier(await _awaited(path or folder / VERIFYING), clock))
    path = _given("WUSHE_SIGNING_KEY_FILE", settings.signing_key_file, settings)
    own = path or folder / SIGNING
    made_up = not own.exists()
    mint = TokenMint(signing_key(own))
    if settings.env == "development":
        if made_up:
            _mark(own.parent)
        _publish(mint.public_key, settings.verify_key_file or folder / VERIFYING, _is_marked(own))
    return Security(TokenVerifier(mint.public_key, clock), mint, Hasher())


class NotText(WusheError):
    """A file that should hold a line of text holds something else."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            say(
                "{path} 不是 UTF-8 文本：请用 UTF-8 编码重新保存",
                "{path} is no text in UTF-8: save it again in this encoding",
                path=path,
            )
        )


class UnfitPassword(WusheError):
    """The first administrator's password is none that an account may have."""

    def __init__(self, path: Path, no: Invalid) -> None:
        super().__init__(f"WUSHE_ADMIN_PASSWORD_FILE, {path}: {no.facts[f'reason_{LANGUAGE}']}")


def secret_in(path: Path) -> str:
    """The line of text in this file, whichever editor wrote it. Raises NotText."""
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as e:
        raise NotText(path) from e


def administrator_password(settings: Settings) -> str:
    """The first administrator's password. Raises NoPasswordFile, SampleSecret, UnfitPassword."""
    if settings.env == "development" and settings.admin_password_file is None:
        return PASSWORD
    path = settings.admin_password_file
    if path is None or not path.exists():
        raise NoPasswordFile(path)
    password = secret_in(path)
    if settings.env == "production" and password == PASSWORD:
        raise SampleSecret(str(path))
    try:
        return fit_password(password, ADMINISTRATOR)
    except Invalid as no:
        raise UnfitPassword(path, no) from no


def _given(setting: str, path: Path | None, settings: Settings) -> Path | None:
    if settings.env == "development":
        return path
    if path is None or not path.exists():
        raise KeyMissing(setting, path)
    if _is_marked(path):
        raise SampleSecret(str(path))
    return path


def _mark(folder: Path) -> None:
    (folder / SAMPLE_MARK).write_text("made on a first start in development: no key for production\n")


def _is_marked(key: Path) -> bool:
    return (key.parent / SAMPLE_MARK).exists()


def _publish(key: Ed25519PublicKey, path: Path, made_up: bool) -> None:
    """Put the public key where the other services look for it, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if path.exists() and path.read_bytes() == pem:
        return
    if made_up:
        _mark(path.parent)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(pem)
    beside.chmod(0o644)
    beside.replace(path)


async def _awaited(path: Path) -> Ed25519PublicKey:
    """The key in this file; on a first start the directory may be about to write it."""
    end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not await asyncio.to_thread(path.exists):
        if asyncio.get_running_loop().time() > end:
            raise NoDirectoryYet(path)
        await asyncio.sleep(0.1)
    return verifying_key(path)
