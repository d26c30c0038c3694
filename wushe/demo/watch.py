"""Watching a running system from outside: its messages cannot be heard, so what changed is told from what is shown."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from shared.contracts import Event, matching, needs
from shared.contracts.parts import LineDiagnosis, Window
from wushe.client import Account, Refused
from wushe.demo.narrator import Narrator

EVERY_SECONDS = 0.3


class Watch:
    """Looks at the followed needs again and again."""

    def __init__(self, staff: Account, narrator: Narrator) -> None:
        self._staff = staff
        self._narrator = narrator
        self._followed: dict[str, set[str]] = {}

    def follow(self, id: str) -> None:
        self._followed[id] = set()

    async def caught_up(self) -> None:
        """Give what was done a moment to show."""
        await asyncio.sleep(2 * EVERY_SECONDS)

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            for id in list(self._followed):
                await self._look(id)
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self, id: str) -> None:
        try:
            need = (await self._staff.get(f"/api/needs/{id}")).body
            match = (await self._staff.get(f"/api/matches/{id}")).body
            waves = (await self._staff.get(f"/api/matches/{id}/waves")).body["items"]
        except Refused:
            return
        known = need | match
        for mark, event in [*_offers(known, waves), *_seats(match), *_holds(known), *_course(need, match)]:
            if mark not in self._followed[id]:
                self._followed[id].add(mark)
                self._narrator.tell(event, id)


def _offers(known: dict[str, Any], waves: list[dict[str, Any]]) -> list[tuple[str, Event]]:
    lines = {line["line_id"]: line for line in known["people"]}
    return [
        (
            f"wave {wave['number']} {plan['line_id']}",
            _offered(wave["number"], plan, known | lines[plan["line_id"]]),
        )
        for wave in reversed(waves)
        for plan in wave["people"]
        if plan["candidates"] and plan["line_id"] in lines
    ]


def _offered(number: int, plan: dict[str, Any], known: dict[str, Any]) -> matching.SeatsOffered:
    """What was said of this wave, as far as it can be told from outside."""
    return matching.SeatsOffered.model_validate(
        known
        | {
            "wave": number,
            "ring": plan["ring"],
            "open_seats": min(len(known["seats"]), plan["wanted"]),
            "expires_at": known["window"]["start_at"],
            "offers": plan["candidates"],
        }
    )


def _seats(match: dict[str, Any]) -> list[tuple[str, Event]]:
    found: list[tuple[str, Event]] = []
    for line in match["people"]:
        for seat in (s for s in line["seats"] if s["invitation_id"]):
            won = matching.SeatWon(
                line_id=line["line_id"],
                seat_id=seat["seat_id"],
                invitation_id=seat["invitation_id"],
                volunteer_id=seat["volunteer_id"],
                window=_window(line),
            )
            found.append((f"won {seat['invitation_id']}", won))
        for asked in (i for i in line["invitations"] if i["answer"] == "filled"):
            filled = matching.SeatFilled(
                line_id=line["line_id"],
                invitation_id=asked["invitation_id"],
                volunteer_id=asked["volunteer_id"],
            )
            found.append((f"filled {asked['invitation_id']}", filled))
    return found


def _holds(known: dict[str, Any]) -> list[tuple[str, Event]]:
    return [
        (f"hold {hold['hold_id']}", _requested(hold, known | {"goods": line["category"], **_what(line)}))
        for line in known["goods"]
        for hold in line["holds"]
    ]


def _requested(hold: dict[str, Any], known: dict[str, Any]) -> matching.HoldRequested:
    return matching.HoldRequested.model_validate(
        known | hold | {"expires_at": hold["expires_at"] or known["created_at"]}
    )


def _what(line: dict[str, Any]) -> dict[str, Any]:
    return {"line_id": line["line_id"], "unit": line["unit"]}


def _course(need: dict[str, Any], match: dict[str, Any]) -> list[tuple[str, Event]]:
    found: list[tuple[str, Event]] = []
    why = [line["diagnosis"] for line in (*match["people"], *match["goods"]) if line["diagnosis"]]
    if match["stalled"] and why:
        found.append((f"stalled {why}", _stalled(match, why)))
    if match["hops"]:
        raised = matching.MatchEscalated(
            site_id=need["site_id"],
            from_site_id=need["site_id"],
            to_site_id=match["tier_site_id"],
            hops=match["hops"],
            next_action_at=datetime.fromisoformat(match["next_action_at"]),
        )
        found.append((f"hops {match['hops']}", raised))
    progressed = needs.NeedProgressed.model_validate(
        {"site_id": need["site_id"], "status": need["status"], "waiting": need["waiting"]}
    )
    found.append((f"status {need['status']} {need['waiting']} {match['hops']}", progressed))
    return found


def _stalled(match: dict[str, Any], why: list[dict[str, Any]]) -> matching.MatchStalled:
    def gains(line: dict[str, Any]) -> dict[str, Any]:
        helps = [{"rule": r["rule"], "gain": r["count"]} for r in line["relaxations"]]
        return line | {"relaxations": helps}

    return matching.MatchStalled(
        site_id=match["site_id"],
        waiting=match["waiting"] or "nobody",
        diagnosis=tuple(LineDiagnosis.model_validate(gains(line)) for line in why),
        next_action_at=datetime.fromisoformat(match["next_action_at"]),
    )


def _window(line: dict[str, Any]) -> Window:
    return Window.model_validate(line["window"])
