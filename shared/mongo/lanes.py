"""Changes of one record, one after another, each decided on what the one before came to, and written together.

Within this process a record has one lane, so its writers never race one another; requests that gather while a write
is under way share the next one. Between processes the compare-and-set on `rev` decides, and the loser decides anew.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence

from shared.bookkeeping import Asked, Step
from shared.caught import Caught
from shared.errors import Outage
from shared.mongo.batches import Batches, Write
from shared.mongo.document import (
    WRITES_REMEMBERED,
    Projection,
    Stored,
    messages,
    stored_of,
    update,
    whole,
)
from shared.mongo.outbox import Outboxes, Place
from shared.mongo.trial import Trial, Waiting
from shared.mongo.trouble import Doubt, Pauses
from shared.ports import Clock, Ids
from shared.records import Outcome, Record

SHARED_WRITE = 64
REMEMBERED = 20_000

NEWS_IN_A_ROW = 8
"""After so many records of a kind that were not there yet, the next unknown one is taken for new without asking."""

Announce = Callable[[Asked[Record], Step[Record]], None]


class Lanes:
    """All that changes records of one service. `announce` hears of each request that was met, once it is durable."""

    def __init__(
        self,
        batches: Mapping[type[Record], Batches],
        outboxes: Outboxes,
        clock: Clock,
        ids: Ids,
        announce: Announce,
    ) -> None:
        self.lost_races = 0
        self.doubts = 0
        self._batches = batches
        self._outboxes = outboxes
        self._news: Counter[type[Record]] = Counter()
        self._clock = clock
        self._ids = ids
        self._announce = announce
        self._lanes: dict[Place, deque[Waiting]] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._remembered: OrderedDict[Place, Stored] = OrderedDict()

    async def meet(self, asked: Asked[Record]) -> Outcome[Record]:
        """The outcome of one request, once it is durable. It goes on even if the one who waits here has gone."""
        waiting = Waiting(asked, asyncio.get_running_loop().create_future())
        place = asked.kind, asked.id
        lane = self._lanes.get(place)
        if lane is None:
            lane = self._lanes[place] = deque()
            task = asyncio.create_task(self._serve(place, lane), name=f"lane {asked.kind.kind}")
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        lane.append(waiting)
        return await waiting.answer

    def remembers(self, place: Place) -> bool:
        """Whether the last write of this record that is known here was made here."""
        return place in self._remembered

    async def finish(self, seconds: float) -> None:
        """Wait until what is under way is done, but no longer than this; then give it up."""
        if self._serving:
            _, late = await asyncio.wait(self._serving, timeout=seconds)
            for task in late:
                task.cancel()

    def abandon(self) -> None:
        for task in self._serving:
            task.cancel()

    async def _serve(self, place: Place, lane: deque[Waiting]) -> None:
        batch: list[Waiting] = []
        try:
            while lane:
                taken = [lane.popleft() for _ in range(min(SHARED_WRITE, len(lane)))]
                batch = [waiting for waiting in taken if not waiting.answer.done()]
                await self._together(place, batch)
        finally:
            del self._lanes[place]
            for waiting in (*batch, *lane):
                waiting.fail(Outage("the store was closed"))

    async def _together(self, place: Place, batch: Sequence[Waiting]) -> None:
        """Meet these requests with one write; one by one if what they come to together cannot be written."""
        if not batch:
            return
        caught = Caught()
        with caught:
            await self._meet(place, batch)
        if caught.error is None:
            return
        self._forget(place)
        if len(batch) > 1 and not isinstance(caught.error, Outage):
            for waiting in batch:
                await self._together(place, [waiting])
            return
        for waiting in batch:
            waiting.fail(Outage(str(caught.error)) if len(batch) > 1 else caught.error)

    async def _meet(self, place: Place, batch: Sequence[Waiting]) -> None:
        """Try until these requests are met; gives up with an Outage when patience is at its end."""
        pauses = Pauses(self._ids)
        tried: dict[str, Trial] = {}
        while True:
            reason, raced = "too many others are changing this record", True
            try:
                done = await self._attempt(place, batch, tried)
                if done is not None:
                    return self._settle(batch, done)
            except Doubt as doubt:
                self.doubts += 1
                self._outboxes.doubt(place)
                reason, raced = str(doubt), False
            self._forget(place)
            if not await pauses.another(in_a_race=raced):
                raise Outage(reason)

    async def _attempt(self, place: Place, batch: Sequence[Waiting], tried: dict[str, Trial]) -> Trial | None:
        """What came true, or None if the record was not what it was taken for. Raises Doubt.

        A record remembered from the last write may be out of date, and one taken for new may be there, so what is
        decided on that counts only once a write has proved it right.
        """
        remembered = self._remembered.get(place)
        guessed = not remembered and not tried and self._news[place[0]] >= NEWS_IN_A_ROW
        stored = remembered if remembered or guessed else await self._load(place)
        for token in stored.writes if stored is not None else ():
            if token in tried:
                self._outboxes.doubt(place)
                return tried[token]
        trial = Trial(batch, stored, self._clock, self._ids)
        if guessed and (trial.idle or any(weighed.error for weighed in trial.weighed)):
            self._news[place[0]] = 0
            return await self._attempt(place, batch, tried)
        if trial.idle and remembered:
            self._forget(place)
            return await self._attempt(place, batch, tried)
        if trial.idle:
            return trial
        token = secrets.token_hex(8)
        tried[token] = trial
        saved = await self._save(place, stored, trial, token)
        if saved is None and guessed:
            self._news[place[0]] = 0
            return await self._attempt(place, batch, tried)
        if saved is None:
            self.lost_races += 1
            return None
        self._remember(place, saved)
        return trial

    async def _load(self, place: Place) -> Stored | None:
        kind, id = place
        document = await self._batches[kind].read(id, Projection.STATE)
        self._news[kind] = self._news[kind] + 1 if document is None else 0
        return None if document is None else stored_of(kind, document)

    async def _save(self, place: Place, stored: Stored | None, trial: Trial, token: str) -> Stored | None:
        """Write what a trial comes to; None if somebody else has written meanwhile."""
        kind, id = place
        assert trial.after is not None
        outboxes = self._outboxes
        said = messages(trial.outgoing, trial.at, outboxes.writer)
        known = stored is None or outboxes.knows(place, stored.waiting)
        afresh = known and outboxes.is_spent(place)
        if stored is None:
            saved = Stored(trial.after, 1, (token,))
            write = Write(id, token, 0, whole(id, trial.changed, said, token), {})
        else:
            rewritten = stored.in_parts or trial.after.version != stored.held.version
            names = (*stored.writes, token)[-WRITES_REMEMBERED:]
            saved = Stored(trial.after, stored.rev + 1, names, in_parts=rewritten)
            orders = update(trial.changed, said, saved.rev, saved.writes, afresh=afresh)
            write = Write(id, token, stored.rev, None, orders)
        if not await self._batches[kind].write(write):
            return None
        if afresh:
            outboxes.emptied(place)
        if not known:
            outboxes.doubt(place)
        if trial.outgoing:
            outboxes.say(place, trial.outgoing, trial.at)
        return saved

    def _settle(self, batch: Sequence[Waiting], trial: Trial) -> None:
        for waiting, weighed in zip(batch, trial.weighed, strict=True):
            if weighed.error is not None:
                waiting.fail(weighed.error)
                continue
            self._announce(waiting.asked, weighed.step)
            if weighed.step.refusal is not None:
                waiting.fail(weighed.step.refusal)
            elif not waiting.answer.done():
                waiting.answer.set_result(weighed.step.outcome)

    def _remember(self, place: Place, stored: Stored) -> None:
        self._remembered[place] = stored
        self._remembered.move_to_end(place)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _forget(self, place: Place) -> None:
        self._remembered.pop(place, None)
