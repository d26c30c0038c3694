"""Who comes from elsewhere: people of other stations who have taken tasks at the needs of a station."""

from __future__ import annotations

from typing import Self

from shared.records import Record, index


class Helper(Record):
    """This person, of another station, has at some time had a task at a need of this one, or was of it: written once, so that
    the station finds the calendars in which its tasks stand. It says nothing about any task."""

    kind = "helper"
    indexes = (index("site_id"),)

    site_id: str
    volunteer_id: str

    @classmethod
    def at(cls, site_id: str, volunteer_id: str) -> Self:
        return cls(id=f"{site_id}~{volunteer_id}", site_id=site_id, volunteer_id=volunteer_id)
