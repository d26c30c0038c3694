"""Sessions, and how often somebody may try to open one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from shared.errors import Refusal
from shared.records import Change, Record, index
from shared.times import milliseconds, milliseconds_up, moment_of

SESSION_LIFE = timedelta(days=14)
REPEAT = timedelta(seconds=30)
TRIES = 5
TRIES_FROM_ADDRESS = 30
TRIES_WITHIN_MS = 15 * 60 * 1000
WATCHED_PER_BUCKET = 200


class WrongLoginOrPassword(Refusal):
    code = "wrong-login-or-password"
    status = 401
    zh = "登录名或密码不对"
    en = "The login or the password is not right"


class TooManyTries(Refusal):
    code = "too-many-tries"
    status = 429
    zh = "登录失败次数过多，请 {minutes} 分钟后再试"
    en = "Too many failed sign-ins; try again in {minutes} minutes"


class SessionEnded(Refusal):
    code = "session-ended"
    status = 401
    zh = "登录已结束，请重新登录"
    en = "The session has ended; sign in again"


class Session(Record):
    """One sign-in on one device. Its refresh tokens are numbered; only the latest, `generation`, is good.

    The token before it may come again for 30 seconds (an answer got lost, two tabs asked at once) and gets the same
    successor. Any older one has been copied: the session ends.
    """

    kind: ClassVar = "session"
    indexes: ClassVar = (index("account_id"),)

    account_id: str
    opened_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    door: str = ""
    """A digest of the account and the network it was opened from."""
    generation: int = 1
    ended: bool = False
    since: datetime | None = None
    """The `sessions_from` of the account whose password was looked at: once that moves on, this session has ended, even if
    it moved between the look and the opening. None in sessions of old, which go by when they were opened."""

    def stands(self, sessions_from: datetime) -> bool:
        """Whether the account has not ended its sessions since."""
        return (self.since or self.opened_at) >= sessions_from

    @property
    def due_at(self) -> datetime | None:
        return None if self.ended else self.expires_at


def open_session(
    id: str, account_id: str, now: datetime, door: str = "", since: datetime | None = None
) -> Session:
    expires_at = now + SESSION_LIFE
    return Session(
        id=id,
        account_id=account_id,
        opened_at=now,
        refreshed_at=now,
        expires_at=expires_at,
        door=door,
        since=since,
    )


def refresh(session: Session | None, generation: int, now: datetime) -> Change[Session]:
    """The next generation, or an ended session if this token was copied; the caller looks at `ended`."""
    if session is None or session.ended or now >= session.expires_at:
        raise SessionEnded()
    if generation == session.generation:
        fresh = session.but(generation=generation + 1, refreshed_at=now, expires_at=now + SESSION_LIFE)
        return Change(fresh)
    if generation == session.generation - 1 and now < session.refreshed_at + REPEAT:
        return Change(session)
    return Change(session.but(ended=True))


def end(session: Session | None) -> Change[Session]:
    if session is None:
        raise SessionEnded()
    return Change(session.but(ended=True))


def lapse(session: Session | None, now: datetime) -> Change[Session]:
    """End a session whose time has passed."""
    if session is None:
        raise SessionEnded()
    return Change(session.but(ended=True) if session.expires_at <= now else session)


class Tries(Record):
    """Failed sign-ins of late, of some of all logins and addresses: there is a fixed number of these records, so
    that nobody can fill the store by trying. `tries` holds milliseconds by whose they are (a digest)."""

    kind: ClassVar = "tries"

    tries: dict[str, tuple[int, ...]]

    @property
    def due_at(self) -> datetime | None:
        """When the last of them will have been forgotten."""
        last = max((times[-1] for times in self.tries.values()), default=None)
        return None if last is None else moment_of(last + TRIES_WITHIN_MS)


def note_try(known: Tries | None, bucket: str, whose: str, limit: int, now: datetime) -> Change[Tries]:
    """Count a try. Raises TooManyTries when there were as many as may be."""
    recent = _recent(known, now)
    require_patience(recent.get(whose, ()), limit, now)
    noted = {**recent, whose: (*recent.get(whose, ()), milliseconds(now))}
    if len(noted) > WATCHED_PER_BUCKET:
        noted.pop(next(iter(noted)))
    return Change(Tries(id=bucket, tries=noted))


def forgive(known: Tries | None, bucket: str, whose: str, now: datetime) -> Change[Tries]:
    """Forget the tries of somebody who then knew the password."""
    return Change(Tries(id=bucket, tries={k: v for k, v in _recent(known, now).items() if k != whose}))


def forget(known: Tries | None, bucket: str, now: datetime) -> Change[Tries]:
    """Drop what is too old to count."""
    return Change(Tries(id=bucket, tries=_recent(known, now)))


def require_patience(times: tuple[int, ...], limit: int, now: datetime) -> None:
    """Refuse one more try for as long as `limit` of them are recent."""
    if len(times) < limit:
        return
    wait = times[-limit] + TRIES_WITHIN_MS - milliseconds(now)
    if wait > 0:
        raise TooManyTries(minutes=-(-wait // 60_000), retry_after=-(-wait // 1000))


def tries_of(known: Tries | None, whose: str, now: datetime) -> tuple[int, ...]:
    return _recent(known, now).get(whose, ())


def _recent(known: Tries | None, now: datetime) -> dict[str, tuple[int, ...]]:
    since = milliseconds_up(now) - TRIES_WITHIN_MS
    kept = {} if known is None else known.tries
    recent = {whose: tuple(t for t in times if t > since) for whose, times in kept.items()}
    return {whose: times for whose, times in recent.items() if times}
