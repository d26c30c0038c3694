"""People who serve together under a leader."""

from __future__ import annotations

from typing import Any

from shared.contracts import topics
from shared.contracts.volunteers import TeamChanged
from shared.records import Change, Record, index


class Team(Record):
    """A team of a site, perhaps of an organisation. `left_ids` remembers who once was a member, so that their
    profiles can be told."""

    kind = "team"
    topic = topics.TEAM
    indexes = (index("site_id"), index("organisation_id"))

    name: str
    site_id: str
    organisation_id: str | None = None
    leader_id: str
    member_ids: tuple[str, ...]
    left_ids: tuple[str, ...] = ()
    active: bool = True

    @property
    def present_ids(self) -> tuple[str, ...]:
        """Who counts as a member now: nobody, once the team is closed."""
        return self.member_ids if self.active else ()


def found(known: Team | None, new: Team) -> Change[Team]:
    """Start a team; its leader is always one of its members."""
    return Change(known) if known is not None else _changed(new)


def reshape(team: Team, changes: dict[str, Any]) -> Change[Team]:
    """Change who is in it, who leads it, its name, or whether it is still there."""
    changed = team.but(**changes)
    left = (*team.left_ids, *team.member_ids)
    return _changed(changed.but(left_ids=tuple(sorted(set(left) - set(_with_leader(changed))))))


def _changed(team: Team) -> Change[Team]:
    whole = team.but(member_ids=_with_leader(team))
    said = TeamChanged(
        site_id=whole.site_id,
        organisation_id=whole.organisation_id,
        leader_id=whole.leader_id,
        member_ids=whole.member_ids,
        active=whole.active,
    )
    return Change(whole, said)


def _with_leader(team: Team) -> tuple[str, ...]:
    return tuple(dict.fromkeys((team.leader_id, *team.member_ids)))
