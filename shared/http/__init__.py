"""How services speak HTTP: one way of asking who may, of paging, of repeating safely, of saying no."""

from shared.http.access import Gate, allow, public
from shared.http.operations import IfMatch, Operation, answered, created, id_from, shown
from shared.http.pages import Pages
from shared.http.schema import Page, Schema
from shared.security.access import Access

__all__ = [
    "Access",
    "Gate",
    "IfMatch",
    "Operation",
    "Page",
    "Pages",
    "Schema",
    "allow",
    "answered",
    "created",
    "id_from",
    "public",
    "shown",
]
