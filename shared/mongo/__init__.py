"""The store port on MongoDB, or anything that speaks its protocol: one document per record, changed by itself."""

from shared.mongo.connection import Connection, Driver
from shared.mongo.store import MongoStore

__all__ = ["Connection", "Driver", "MongoStore"]
