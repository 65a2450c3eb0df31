"""The log of messages: looking at it, and what a human decides about one message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guvercin.core.errors import Code
from guvercin.core.event import Event, Standing
from guvercin.core.log import MessageFilter, Page, Tried
from guvercin.core.message import Lane, Message, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """One account's queue at a glance. `oldest_due_at`: the row that has waited longest in line."""

    account_id: int
    by_status: Mapping[Status, int]
    in_line: Mapping[Lane, int]
    oldest_due_at: datetime | None


class Messages(Protocol):
    """Messages one by one, with their attempts and events."""

    async def message(self, message_id: int) -> Message | None:
        """Answer one message."""

    async def token_of(self, message_id: int) -> int:
        """Answer the id of the token that asked for a message. NOT_FOUND."""

    async def standing(self, message_id: int) -> Standing | None:
        """Answer where a message stands."""

    async def messages(self, wanted: MessageFilter, *, limit: int, below: int | None) -> Page:
        """Answer a page of messages, newest first, with ids below `below`."""

    async def attempts(self, message_id: int) -> Sequence[Tried]:
        """Answer the attempts of a message, oldest first."""

    async def events(self, message_id: int) -> Sequence[Event]:
        """Answer the events of a message, oldest first."""

    async def events_after(self, cursor: int, *, limit: int) -> Sequence[Event]:
        """Answer events with ids above `cursor`, oldest first."""

    async def last_event_id(self) -> int:
        """Answer the cursor of the newest event; 0 if there is none."""

    async def depths(self) -> Sequence[Depth]:
        """Answer every account's queue at a glance."""

    async def cancel(self, message_id: int, *, now: datetime) -> Standing:
        """Withdraw a row that has not left; IllegalOrder otherwise."""

    async def cancel_reference(self, reference: str, accounts: frozenset[int] | None, *, now: datetime) -> int:
        """Withdraw every queued row of a reference; answers how many."""

    async def give_up(self, message_id: int, reason: Code, *, now: datetime) -> Standing:
        """Stop hoping for a row in doubt; IllegalOrder otherwise."""

    async def release(self, message_id: int, *, now: datetime) -> Standing:
        """Put a held row back in line, or let it wait for its time again."""
