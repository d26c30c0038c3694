"""What matching hears, each message one change of one match."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from services.matching.domain.award import award, give_back, note_answer, note_done
from services.matching.domain.bond import Bond, strengthen
from services.matching.domain.changing import change_need
from services.matching.domain.closing import close
from services.matching.domain.holds import note_end, note_expiry, note_hold, note_refusal
from services.matching.domain.match import Match
from services.matching.domain.opening import open_search, say_where_it_stands
from services.matching.domain.words import Answer
from services.matching.service.stations import Stations
from shared.contracts.base import Message
from shared.contracts.needs import (
    NeedCancelled,
    NeedChanged,
    NeedCompleted,
    NeedLapsed,
    NeedPosted,
    NeedReferred,
    SearchAsked,
)
from shared.contracts.resources import HoldEvent, HoldExpired, HoldRefused, HoldReleased, LotReturned
from shared.contracts.vocabulary import Closing
from shared.contracts.volunteers import (
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRefused,
    TaskDone,
    TaskNoShow,
    TaskWithdrawn,
)
from shared.errors import NotFound
from shared.ports import Store

Ending = NeedCancelled | NeedLapsed | NeedReferred | NeedCompleted
ENDINGS: dict[type[Ending], Closing] = {
    NeedCancelled: Closing.CANCELLED,
    NeedLapsed: Closing.LAPSED,
    NeedReferred: Closing.REFERRED,
    NeedCompleted: Closing.COMPLETED,
}
Unseated = InvitationDeclined | InvitationExpired | InvitationRefused
ANSWERS: dict[type[Unseated], Answer] = {
    InvitationDeclined: Answer.DECLINED,
    InvitationExpired: Answer.EXPIRED,
    InvitationRefused: Answer.REFUSED,
}


class Matching:
    """The listening half of the service; the waves are planned in `Waves`."""

    def __init__(self, store: Store, stations: Stations) -> None:
        self._store = store
        self._stations = stations

    async def open_search(self, posted: NeedPosted, cause: Message) -> None:
        id, scene = cause.subject, self._stations.scene()
        await self._store.change(Match, id, lambda m: open_search(m, id, posted.spec, scene), cause=cause)

    async def change_need(self, changed: NeedChanged, cause: Message) -> None:
        id, scene = cause.subject, self._stations.scene()
        await self._store.change(Match, id, lambda m: change_need(m, id, changed, scene), cause=cause)

    async def say_where_it_stands(self, asked: SearchAsked, cause: Message) -> None:
        id, scene = cause.subject, self._stations.scene()
        await self._store.change(
            Match, id, lambda m: say_where_it_stands(m, id, asked.spec, scene), cause=cause
        )

    async def close_search(self, ended: Ending, cause: Message) -> None:
        id, scene, reason = cause.subject, self._stations.scene(), ENDINGS[type(ended)]
        served = (ended.invitation_ids or ended.volunteer_ids) if isinstance(ended, NeedCompleted) else ()
        await self._store.change(
            Match, id, lambda m: close(m, id, ended.site_id, reason, scene, served), cause=cause
        )

    async def award_seat(self, accepted: InvitationAccepted, cause: Message) -> None:
        scene = self._stations.scene()
        await self._store.change(Match, accepted.need_id, lambda m: award(m, accepted, scene), cause=cause)

    async def note_answer(self, event: Unseated, cause: Message) -> None:
        unseen = isinstance(event, InvitationExpired) and event.unseen
        scene, answer = self._stations.scene(), Answer.PASSED if unseen else ANSWERS[type(event)]
        await self._store.change(
            Match, event.need_id, lambda m: note_answer(m, event, answer, scene), cause=cause
        )

    async def give_seat_back(self, event: TaskWithdrawn | TaskNoShow, cause: Message) -> None:
        scene = self._stations.scene()
        await self._store.change(Match, event.need_id, lambda m: give_back(m, event, scene), cause=cause)

    async def note_done(self, done: TaskDone, cause: Message) -> None:
        """The seat is served, and the volunteer is known in that household from now on."""
        household, volunteer = done.household_id, cause.subject
        bond = self._store.change(Bond, household, lambda b: strengthen(b, done, volunteer), cause=cause)
        await asyncio.gather(bond, self._note_served(done, cause))

    async def note_hold(self, event: HoldEvent, cause: Message) -> None:
        scene = self._stations.scene()
        await self._store.change(Match, event.need_id, lambda m: note_hold(m, event, scene), cause=cause)

    async def try_another_lot(self, refused: HoldRefused, cause: Message) -> None:
        scene = self._stations.scene()
        await self._store.change(
            Match, refused.need_id, lambda m: note_refusal(m, refused, scene), cause=cause
        )

    async def note_expiry(self, expired: HoldExpired, cause: Message) -> None:
        scene = self._stations.scene()
        await self._store.change(
            Match, expired.need_id, lambda m: note_expiry(m, expired, scene), cause=cause
        )

    async def note_end_of_hold(self, ended: HoldReleased | LotReturned, cause: Message) -> None:
        scene = self._stations.scene()
        await self._store.change(Match, ended.need_id, lambda m: note_end(m, ended, scene), cause=cause)

    async def _note_served(self, done: TaskDone, cause: Message) -> None:
        scene = self._stations.scene()
        with suppress(NotFound):
            await self._store.change(Match, done.need_id, lambda m: note_done(m, done, scene), cause=cause)
