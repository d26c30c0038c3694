"""An event's facts, worded for people: codes become labels, ids become names, lists become phrases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.contracts import Event, matching, needs, resources
from shared.contracts.goods import Unit
from shared.contracts.parts import GoodsLine, LineDiagnosis, LotState, NeedSpec, Offer, PeopleLine, Relaxation
from shared.contracts.taken import InvitationRef, SeatTaken
from shared.contracts.vocabulary import GoodsRule, LotKind, Rule, Term, Waiting
from shared.contracts.volunteers import Opened
from wushe.language import HERE, Language, Words

_NOBODY = Words("无", "nobody")
_SEATS = Words("{count}人（{what}，{mode}）", "{count} for {what}, {mode}")
_GOODS = Words("{count}{unit}{what}", "{count} {unit} of {what}")
_LOT = Words("{what} {available}/{received}{unit}", "{what}, {available} of {received} {unit} free")
_REMOVED = Words("{count}{each}{rule}", "{count} “{rule}”")
_LOOKED = Words(
    "共查看{looked}{each}，其中{removed}，剩下{left}{each}", "of {looked} looked at, {removed}; {left} left"
)
_HELP = Words("；若不计“{rule}”，就有{gain}{each}", "; without “{rule}” there would be {gain}")
_SO_FAR = Words("已邀请{asked}人，还缺{seats}人：", "{asked} asked so far, {seats} seat(s) open: ")
_MONEY = Words("元", "yuan")
_LOTS = Words("物资{n}批", "goods from {n} lot(s)")
_MINUTES = Words("{n}分钟", "{n} minute(s)")
_UNDER_A_MINUTE = Words("不到1分钟", "less than a minute")


def facts(event: Event, subject: str, names: Mapping[str, str], language: Language) -> dict[str, str]:
    """Every field of the event as a phrase, by field name, and `subject`."""
    voice = Voice(names, language)
    found = {name: voice.phrase(name, getattr(event, name)) for name in type(event).model_fields}
    found["subject"] = voice.name(subject)
    found.update(voice.extra(event))
    return found


class Voice:
    """Puts values into words of one language, with these names for ids."""

    def __init__(self, names: Mapping[str, str], language: Language) -> None:
        self._names = names
        self._language = language

    def name(self, id: str) -> str:
        return self._names.get(id) or f"#{id[-6:]}"

    def phrase(self, field: str, value: Any) -> str:
        match value:
            case None:
                return ""
            case Term():
                return self.label(value)
            case bool():
                return self._yes_or_no(field, value)
            case datetime():
                at = value.astimezone(HERE)
                today = at.date() == datetime.now(HERE).date()
                return at.strftime("%H:%M:%S" if today else "%m-%d %H:%M")
            case NeedSpec():
                return self.spec(value)
            case LotState():
                return self.lot(value)
            case tuple():
                return self._list(value)
            case str() if field.endswith("_id"):
                return self.name(value)
            case _:
                return str(value)

    def label(self, term: Term) -> str:
        return term.label(self._language)

    def join(self, phrases: list[str]) -> str:
        return ("、" if self._language == "zh" else ", ").join(phrases) or _NOBODY.said(self._language)

    def spec(self, spec: NeedSpec) -> str:
        lines = [self.people(line) for line in spec.people] + [self.goods(line) for line in spec.goods]
        return self.join([self.label(spec.category), *lines])

    def people(self, line: PeopleLine) -> str:
        what = self.join([self.label(skill) for skill in line.skills] or [self.label(line.mode)])
        return _SEATS.said(self._language, count=line.seats, what=what, mode=self.label(line.mode))

    def goods(self, line: GoodsLine) -> str:
        return self.amount(line.quantity, line.unit, self.label(line.category))

    def amount(self, quantity: int, unit: Unit, what: str) -> str:
        """So much of something; money, which is counted in fen, in yuan."""
        if unit is Unit.FEN:
            return f"{what} {quantity / 100:,.2f} {_MONEY.said(self._language)}"
        return _GOODS.said(self._language, count=quantity, unit=self.label(unit), what=what)

    def lot(self, state: LotState) -> str:
        scale = 100 if state.kind is LotKind.MONEY else 1
        unit = _MONEY.said(self._language) if state.kind is LotKind.MONEY else self.label(state.unit)
        return _LOT.said(
            self._language,
            what=self.label(state.category),
            available=state.available // scale,
            received=state.received // scale,
            unit=unit,
        )

    def diagnosis(self, line: LineDiagnosis) -> str:
        each = "批" if any(r.rule in set(GoodsRule) for r in line.removed) else "人"
        removed = [
            _REMOVED.said(self._language, count=r.count, each=each, rule=self.rule(r.rule))
            for r in line.removed
        ]
        said = _LOOKED.said(
            self._language, looked=line.looked_at, each=each, removed=self.join(removed), left=line.remaining
        )
        return said + self._help(line.relaxations, each)

    def rule(self, code: str) -> str:
        """The label of a rule for people or for goods."""
        known: tuple[Term, ...] = (*Rule, *GoodsRule)
        return next((self.label(rule) for rule in known if rule == code), code)

    def extra(self, event: Event) -> dict[str, str]:
        """What the table says that is not a field of the event."""
        match event:
            case resources.HoldEvent():
                return {
                    "quantity": self.amount(
                        event.quantity, event.state.unit, self.label(event.state.category)
                    ),
                    "left": self.lot(event.state),
                }
            case matching.HoldRequested():
                return {"asked": self.amount(event.quantity, event.unit, self.label(event.goods))}
            case needs.NeedProgressed():
                return {"why": self._because(event.waiting)}
            case matching.SearchProgressed():
                return {"so_far": self._so_far(event.asked, event.open_seats)}
            case matching.MatchState():
                return {"found": self._found(event)}
            case _ if hasattr(event, "minutes"):
                return {"minutes": self._minutes(event.minutes)}
            case _ if hasattr(event, "member_ids"):
                return {"members": str(len(event.member_ids))}
            case _:
                return {}

    def _so_far(self, asked: int, seats: int) -> str:
        return _SO_FAR.said(self._language, asked=asked, seats=seats) if asked or seats else ""

    def _found(self, state: matching.MatchState) -> str:
        lots = [_LOTS.said(self._language, n=len(state.holds))] if state.holds else []
        return self.join([*(self.name(seat.volunteer_id) for seat in state.seats), *lots])

    def _minutes(self, minutes: int) -> str:
        return (_MINUTES if minutes else _UNDER_A_MINUTE).said(self._language, n=minutes)

    def _because(self, waiting: Waiting | None) -> str:
        if waiting is None:
            return ""
        return ("，" if self._language == "zh" else ": ") + self.label(waiting)

    def _help(self, relaxations: tuple[Relaxation, ...], each: str) -> str:
        if not relaxations:
            return ""
        best = relaxations[0]
        return _HELP.said(self._language, rule=self.rule(best.rule), gain=best.gain, each=each)

    def _list(self, values: tuple[Any, ...]) -> str:
        return self.join([self._one(value) for value in values])

    def _one(self, value: Any) -> str:
        match value:
            case Offer() | InvitationRef() | Opened() | SeatTaken():
                return self.name(value.volunteer_id)
            case LineDiagnosis():
                return self.diagnosis(value)
            case Term():
                return self.label(value)
            case _:
                return str(value)

    def _yes_or_no(self, field: str, value: bool) -> str:
        if field != "confirmed":
            return str(value)
        yes, no = (
            Words("，服务对象已确认", ", confirmed by the resident"),
            Words("（未获答复）", ", without an answer"),
        )
        return (yes if value else no).said(self._language)
