"""The recount: every rule that may never break, counted anew from the stored records and the log."""

from wushe.check.recount import Report, recount
from wushe.check.violation import Violation

__all__ = ["Report", "Violation", "recount"]
