"""The store port on MongoDB, or anything that speaks its protocol: one document per record, changed by itself."""

from shared.mongo.connection import Connection, Driver, NoAddress
from shared.mongo.store import MongoStore
from shared.mongo.trial import TooLarge

__all__ = ["Connection", "Driver", "MongoStore", "NoAddress", "TooLarge"]
