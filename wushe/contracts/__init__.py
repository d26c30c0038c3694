"""The contracts on paper: AsyncAPI, a JSON Schema and a frozen example per event and version."""

from wushe.contracts.write import drift, write

__all__ = ["drift", "write"]
