"""Who has helped in which household: people who know one another are worth more than a shorter way."""

from __future__ import annotations

from pydantic import Field

from shared.contracts.volunteers import TaskDone
from shared.records import Change, Record


class Bond(Record):
    """How many tasks each volunteer has done for one household; the id is the household's."""

    kind = "bond"

    tasks: dict[str, int] = Field(default_factory=dict)


def strengthen(bond: Bond | None, done: TaskDone, volunteer_id: str) -> Change[Bond]:
    """One more task done there by this person."""
    bond = bond or Bond(id=done.household_id)
    tasks = {**bond.tasks, volunteer_id: bond.tasks.get(volunteer_id, 0) + 1}
    return Change(bond.but(tasks=tasks))
