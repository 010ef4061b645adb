"""Schemas and versions of event types (stub: to be completed)."""

from collections.abc import Mapping

import msgspec


class EventType(msgspec.Struct, frozen=True):
    name: str
    current: int
    schemas: Mapping[int, bytes]


class Registry(msgspec.Struct, frozen=True):
    types: Mapping[str, EventType] = msgspec.field(default_factory=dict)
    hash: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.types

    def find_mismatch(self, event_type: str, version: int, text: bytes) -> str | None:
        return None


EMPTY = Registry()
