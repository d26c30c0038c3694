"""What can be asked of charity resources.

lots    the charity's side: donors, lots, funds, conditions, write-off
holds   the needs' side: holds by message, issue and receipt by request, the ledger, the timers
"""

from services.resources.service.holds import Holds
from services.resources.service.lots import Lots

__all__ = ["Holds", "Lots"]
