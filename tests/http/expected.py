"""What every route must answer to everybody: derived from the one policy table, never written by hand.

`TABLE` says of each live route only which kind of thing it is about, how to ask, and how it refuses what is out of
reach; `expected` works out the rest from `POLICY` and from whose the thing is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from itertools import count
from typing import Any

from shared.http.catalogue import Guarded
from shared.security.policy import POLICY, Scope
from tests.http.district import PASSWORD, Asker, Thing
from tests.town import START

_NUMBERS = count(1)
NOBODY = Thing("")
Parents = Mapping[str, str | None]


def soon(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


Body = Callable[[Thing], Any]


class Verdict(Enum):
    """PUBLIC: no account is asked for. WITHIN: whatever comes of it, not for want of rights."""

    PUBLIC = "public"
    NOT_SIGNED_IN = "not signed in"
    FORBIDDEN = "forbidden"
    OUT_OF_REACH = "out of reach"
    WITHIN = "within"


@dataclass(frozen=True)
class Row:
    """How to ask one route about one thing.

    `about`: the kind of thing whose site, organisation and owner decide; None where the role alone does.
    `refused`: the status for what is out of reach: 404 hides it, 403 says so, 422 blames the field, 200 refuses the
    line of a bulk load. `address`: what stands in the address, if not the thing's own id. `lists`: the kind of thing
    listed; all that is in reach, unless it is not the `whole`. `mine`: the thing would belong to whoever asks.
    """

    about: str | None = None
    body: Body | None = None
    refused: int = 404
    query: str = ""
    address: Mapping[str, str] | None = None
    lists: str | None = None
    whole: bool = True
    mine: bool = False


def just(**body: Any) -> Body:
    return lambda thing: body


def login(_: Thing) -> Any:
    return {"login": "staff-a", "password": PASSWORD}


def account(at: Thing) -> Any:
    who = {"login": f"new-{next(_NUMBERS)}", "password": PASSWORD, "name": "新人", "roles": ["volunteer"]}
    return {**who, "site_id": at.id}


def village(at: Thing) -> Any:
    return {"code": f"{at.more['area']}{next(_NUMBERS):03}", "name": "某村"}


def room(at: Thing) -> Any:
    return {"name": "室", "kind": "room", "area": at.more["area"], "parent_id": at.id}


def home(at: Thing) -> Any:
    return {"site_id": at.id, "area": at.more["area"], "address": "某巷", "residents": [{"name": "某人"}]}


def order(at: Thing) -> Any:
    window = {"start_at": soon(20), "end_at": soon(21)}
    who = {"household_id": at.id, "beneficiary_id": at.more["resident_id"]}
    return {**who, "category": "comfort", "lines": [{"kind": "people", "seats": 1, "window": window}]}


def load(body: Body) -> Body:
    """One line of a bulk load."""
    return lambda thing: json.dumps({**body(thing), "key": f"key-{next(_NUMBERS)}"}).encode() + b"\n"


def person(at: Thing) -> Any:
    return {"account_id": None, "name": "某人", "site_id": at.id, "area": at.more["area"]}


def team(like: Thing) -> Any:
    members = {"leader_id": like.more["leader"], "member_ids": [like.more["leader"]]}
    return {"name": "新队", "site_id": like.site, "organisation_id": like.organisation, **members}


def gift(of: Thing) -> Any:
    facts = {"category": "food", "unit": "袋", "quantity": 3, "area": of.more.get("area", "522702001")}
    return {**facts, "charity_id": of.id} if of.id else facts


REFER = just(body="县医院", answer_by=soon(48))
CERTIFICATE = just(certificate="first_aid", expires_on="2030-01-01")
HOURS = just(day="2026-03-01", minutes=30, reason="补录")
RESIDENT = {"household_id": "{id}", "resident_id": "{resident_id}"}
LETTER = {"service": "{service}", "id": "{id}"}
ANY_CODE = {"code": "522702001"}
PACKAGE = {"code": "elderly"}

TABLE: dict[str, Row] = {
    # directory
    "POST /api/session": Row(body=login),
    "POST /api/session/refresh": Row(body=just(refresh_token="x.1.y")),
    "GET /api/session": Row(),
    "GET /api/accounts": Row(lists="account"),
    "GET /api/accounts/{id}": Row("account"),
    "POST /api/accounts": Row("station", account, 403),
    "PATCH /api/accounts/{id}": Row("subject", just(name="改名")),
    "POST /api/accounts/{id}/enable": Row("subject"),
    "POST /api/accounts/{id}/password": Row("account", just(current=PASSWORD, new=PASSWORD)),
    "GET /api/areas": Row(),
    "GET /api/areas/{code}": Row(address=ANY_CODE),
    "POST /api/areas": Row("station", village, 403),
    "GET /api/sites": Row(lists="site"),
    "GET /api/sites/{id}": Row("site"),
    "POST /api/sites": Row("station", room, 403),
    "PATCH /api/sites/{id}": Row("site", just(name="改名"), 403),
    "GET /api/organisations": Row(lists="organisation"),
    "GET /api/organisations/{id}": Row("organisation"),
    "POST /api/organisations": Row(
        "station", lambda at: {"name": "新", "kind": "community", "site_id": at.id}, 403
    ),
    "PATCH /api/organisations/{id}": Row("organisation", just(name="改名"), 403),
    # needs
    "POST /api/households": Row("station", home, 403),
    "GET /api/households": Row(lists="household"),
    "POST /api/households/search": Row(body=just(name="罗")),
    "GET /api/households/{household_id}": Row("household"),
    "PATCH /api/households/{household_id}": Row("household", just(phone="0854 123")),
    "GET /api/households/{household_id}/reads": Row("household"),
    "POST /api/households/{household_id}/residents": Row("household", just(name="新成员")),
    "PATCH /api/households/{household_id}/residents/{resident_id}": Row(
        "household", just(phone="123"), address=RESIDENT
    ),
    "POST /api/leads": Row(body=just(area="522702001", text="线索")),
    "GET /api/leads": Row(lists="lead"),
    "GET /api/leads/{lead_id}": Row("lead"),
    "POST /api/leads/{lead_id}/verify": Row("lead", lambda lead: order(lead.more["home"])),
    "POST /api/leads/{lead_id}/dismiss": Row("lead", just(outcome="known")),
    "GET /api/needs/referred": Row(lists="referral", whole=False),
    "GET /api/needs/{need_id}/referral": Row("referral"),
    "POST /api/needs/{need_id}/referral/decline": Row("asked"),
    "POST /api/needs/{need_id}/referral/accept": Row("referral"),
    "POST /api/needs": Row("household", order, 422),
    "POST /api/needs/bulk": Row("household", load(order), 200),
    "GET /api/needs": Row(lists="need"),
    "GET /api/needs/{need_id}": Row("need"),
    "PATCH /api/needs/{need_id}": Row("need", just(note="补充")),
    "POST /api/needs/{need_id}/post": Row("need"),
    "GET /api/needs/{need_id}/contact": Row("contact"),
    "GET /api/needs/{need_id}/reads": Row("need"),
    "POST /api/needs/{need_id}/attempt": Row("need", just(channel="phone")),
    "GET /api/packages": Row(),
    "GET /api/packages/{code}": Row(address=PACKAGE),
    "POST /api/packages/{code}/expand": Row(body=just(persons=1), address=PACKAGE),
    # volunteers
    "POST /api/volunteers/bulk": Row("station", load(person), 200),
    "POST /api/volunteers": Row("station", person, 403, mine=True),
    "GET /api/volunteers": Row(lists="volunteer"),
    "GET /api/volunteers/{volunteer_id}": Row("volunteer"),
    "PATCH /api/volunteers/{volunteer_id}": Row("volunteer", just(reach_km=9)),
    "POST /api/volunteers/{volunteer_id}/activate": Row("volunteer"),
    "POST /api/volunteers/{volunteer_id}/certificates": Row("volunteer", CERTIFICATE),
    "POST /api/volunteers/{volunteer_id}/certificates/withdraw": Row(
        "volunteer", just(certificate="first_aid")
    ),
    "POST /api/volunteers/{volunteer_id}/block": Row("volunteer", just(until=None)),
    "GET /api/volunteers/{volunteer_id}/calendar": Row("volunteer"),
    "GET /api/volunteers/{volunteer_id}/hours": Row("volunteer"),
    "POST /api/volunteers/{volunteer_id}/hours": Row("volunteer", HOURS),
    "POST /api/teams": Row("team", team, 403),
    "GET /api/teams": Row(lists="team"),
    "GET /api/teams/{team_id}": Row("team"),
    "PATCH /api/teams/{team_id}": Row("team", just(name="改名")),
    "GET /api/invitations": Row("volunteer", query="?volunteer_id={id}"),
    "GET /api/invitations/{invitation_id}": Row("invitation"),
    "POST /api/invitations/{invitation_id}/accept": Row("invitation"),
    "POST /api/invitations/{invitation_id}/decline": Row("invitation", just(reason="other")),
    "GET /api/tasks": Row(lists="task"),
    "GET /api/tasks/{task_id}": Row("task"),
    "GET /api/tasks/{task_id}/helper": Row("task"),
    "POST /api/tasks/{task_id}/check-in": Row("task"),
    "POST /api/tasks/{task_id}/check-out": Row("task"),
    "POST /api/tasks/{task_id}/undo-check-in": Row("task"),
    # resources
    "POST /api/donors": Row(body=just(name="捐赠人")),
    "GET /api/donors": Row(lists="donor"),
    "GET /api/donors/{donor_id}": Row("donor"),
    "POST /api/lots/bulk": Row("charity", load(gift), 200),
    "POST /api/lots": Row(body=gift),
    "GET /api/lots": Row(lists="lot"),
    "GET /api/lots/{lot_id}": Row("lot"),
    "PATCH /api/lots/{lot_id}": Row("lot", just(note="备注")),
    "POST /api/lots/{lot_id}/receive": Row("lot", just(quantity=1)),
    "POST /api/lots/{lot_id}/write-off": Row("lot", just(quantity=1, reason="damaged")),
    "POST /api/lots/{lot_id}/open": Row("lot"),
    "GET /api/lots/{lot_id}/ledger": Row("lot"),
    "GET /api/lots/{lot_id}/outcomes": Row("lot"),
    "POST /api/funds": Row(body=just(amount_fen=100, area="522702001")),
    "GET /api/funds": Row(lists="fund"),
    "GET /api/funds/{fund_id}": Row("fund"),
    "GET /api/holds": Row(lists="hold"),
    "GET /api/holds/{hold_id}": Row("hold"),
    "GET /api/holds/{hold_id}/receipt": Row("hold"),
    "POST /api/holds/{hold_id}/issue": Row("hold"),
    "POST /api/holds/{hold_id}/receipt": Row("hold", just(relation="resident", by_phone=True)),
    "POST /api/holds/{hold_id}/release": Row("hold", just(reason="by_staff")),
    "POST /api/holds/{hold_id}/return": Row("hold", just(reason="declined")),
    # matching
    "GET /api/matches/{need_id}": Row("need"),
    "GET /api/matches/{need_id}/waves": Row("need"),
    # operations
    "GET /api/dead-letters/{service}": Row("letter", address=LETTER),
    "GET /api/dead-letters/{service}/{id}": Row("letter", address=LETTER),
    "POST /api/dead-letters/{service}/{id}/resend": Row("letter", address=LETTER),
    "POST /api/dead-letters/{service}/{id}/discard": Row("letter", just(reason="无法读取"), address=LETTER),
    # what ends things comes last
    "POST /api/needs/{need_id}/refer": Row("need", REFER),
    "POST /api/needs/{need_id}/cancel": Row("need", just(reason="other")),
    "POST /api/volunteers/{volunteer_id}/deactivate": Row("volunteer"),
    "POST /api/accounts/{id}/disable": Row("subject"),
    "POST /api/needs/{need_id}/rate": Row("need", just(score=5, channel="phone")),
    "POST /api/tasks/{task_id}/withdraw": Row("task"),
    "POST /api/tasks/{task_id}/no-show": Row("task"),
    "POST /api/lots/{lot_id}/close": Row("lot"),
    "DELETE /api/session": Row(),
    "GET /healthz": Row(),
    "GET /readyz": Row(),
    "GET /metrics": Row(),
    "GET /docs": Row(),
}


def address(path: str, row: Row, thing: Thing) -> str:
    """Where this route is asked about this thing."""
    known = {"id": thing.id, **thing.more}
    given = row.address or {}
    parts = [given.get(p[1:-1], "{id}") if p.startswith("{") else p for p in path.split("/")]
    return ("/".join(parts) + row.query).format(**known)


def expected(route: Guarded, row: Row, asker: Asker, thing: Thing, parents: Parents) -> Verdict:
    """What this route must answer to this asker about this thing."""
    if route.public:
        return Verdict.PUBLIC
    if asker.bad:
        return Verdict.NOT_SIGNED_IN
    scopes = [POLICY[route.action][role] for role in asker.roles if role in POLICY[route.action]]
    if not scopes:
        return Verdict.FORBIDDEN
    if thing is NOBODY:
        return Verdict.WITHIN
    owned = replace(thing, owner=asker.id) if row.mine else thing
    within = any(reaches(scope, asker, owned, parents) for scope in scopes)
    return Verdict.WITHIN if within else Verdict.OUT_OF_REACH


def reaches(scope: Scope, asker: Asker, thing: Thing, parents: Parents) -> bool:
    """Whether a scope, in the words of the policy table, holds between an asker and a thing."""
    match scope:
        case Scope.ANY:
            return True
        case Scope.SUBTREE:
            return asker.site is not None and asker.site in _upwards(thing.site, parents)
        case Scope.SITE:
            return thing.site is not None and thing.site == asker.site
        case Scope.ORGANISATION:
            return thing.organisation is not None and thing.organisation == asker.organisation
        case Scope.OWN:
            return thing.owner == asker.id


def in_reach(action: str, asker: Asker, things: Iterable[Thing], parents: Parents) -> set[str]:
    """The ids of those things which a list by this action may show, and must."""
    scopes = [POLICY[action][role] for role in asker.roles if role in POLICY[action]]
    return {t.id for t in things if any(reaches(scope, asker, t, parents) for scope in scopes)}


def _upwards(site: str | None, parents: Parents) -> Iterator[str]:
    while site is not None:
        yield site
        site = parents[site]
