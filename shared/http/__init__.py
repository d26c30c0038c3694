"""How services speak HTTP: one way of asking who may, of paging, of repeating safely, of saying no."""

from shared.http.access import Gate, allow, public
from shared.http.operations import IfMatch, Operation, answered, answering, created, id_from, shown
from shared.http.pages import Pages
from shared.http.schema import Day, LongText, Moment, Name, Page, Schema, ShortText, impersonal, not_blank
from shared.security.access import Access

__all__ = [
    "Access",
    "Day",
    "Gate",
    "IfMatch",
    "LongText",
    "Moment",
    "Name",
    "Operation",
    "Page",
    "Pages",
    "Schema",
    "ShortText",
    "allow",
    "answered",
    "answering",
    "created",
    "id_from",
    "impersonal",
    "not_blank",
    "public",
    "shown",
]
