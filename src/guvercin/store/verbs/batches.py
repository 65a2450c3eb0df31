"""Batches: looking at them, stopping them, and letting them go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guvercin.core.batch import Batch, Counts
from guvercin.core.errors import Code
from guvercin.core.message import Lane, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch, counted. `left`: rows still to leave, by lane; `starts_at`: when the last planned one is due."""

    batch: Batch
    counts: Counts
    left: Mapping[Lane, int]
    starts_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rest:
    """Whether a batch has anything left to do, whether any of it is in line or in hand now, and if not, until when.

    `until` null: until a human acts.
    """

    is_finished: bool
    is_moving: bool = False
    until: datetime | None = None

    def outlasts(self, end: datetime) -> bool:
        """Say whether nothing of the batch leaves before `end`."""
        return not self.is_moving and (self.until is None or self.until > end)


class Batches(Protocol):
    """Batches, counted."""

    async def batch(self, batch_id: int) -> BatchRow | None:
        """Answer a batch and its counts at one moment."""

    async def batches(
        self, accounts: frozenset[int] | None, *, account_id: int | None, limit: int, below: int | None
    ) -> Sequence[BatchRow]:
        """Answer batches of these accounts (null: of all), newest first, with ids below `below`, each counted."""

    async def batch_messages(self, batch_id: int, *, above: int, limit: int) -> Sequence[Message]:
        """Answer messages of a batch with ids above `above`, in the order of its list."""

    async def batch_reasons(self, batch_id: int) -> Mapping[Code, int]:
        """Answer how many rows of a batch failed for which reason, the most frequent first."""

    async def batch_rests(self, batch_id: int) -> Rest:
        """Say whether a batch is finished (no row queued or sending), and if not, whether it moves."""

    async def pause_batch(self, batch_id: int, *, now: datetime) -> None:
        """Take what has not left of a batch out of line; what is in hand finishes. NOT_FOUND."""

    async def resume_batch(self, batch_id: int, *, now: datetime) -> None:
        """Put a paused batch back in line; one that was cancelled stays so. NOT_FOUND."""

    async def cancel_batch(self, batch_id: int, *, now: datetime) -> None:
        """Decide that nothing more of a batch leaves; `cancel_rest` withdraws its rows. NOT_FOUND."""

    async def cancel_rest(self, *, now: datetime, limit: int) -> bool:
        """Withdraw up to `limit` rows of a cancelled batch; says whether there may be more."""

    async def rename_batch(self, batch_id: int, name: str | None) -> None:
        """Call a batch something, or nothing. NOT_FOUND."""
