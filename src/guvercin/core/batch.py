"""Messages asked for together, counted from their rows and never from a counter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from guvercin.core.errors import Code
from guvercin.core.message import FINISHED, WITH_WHATSAPP, Status, WaitsFor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One bulk request. `total` is the length of its recipient list, bad and repeated ones among them.

    `paused_code`: why it was paused by itself; null if a human did. `declared_at`: when its sender declared that the
    list is of their customers. `name`: what its owner calls it; null: they don't.
    """

    id: int
    account_id: int
    token_id: int
    category: int
    total: int
    created_at: datetime
    paused_at: datetime | None = None
    paused_code: Code | None = None
    cancelled_at: datetime | None = None
    declared_at: datetime | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of a batch stand in each status; `scheduled` rows are among the queued ones.

    `waits`: how many of the queued ones are out of line, by what they wait for.
    """

    by_status: Mapping[Status, int]
    scheduled: int = 0
    waits: Mapping[WaitsFor, int] = field(default_factory=dict)

    def of(self, *statuses: Status) -> int:
        """Answer how many rows stand in any of the statuses."""
        return sum(self.by_status.get(status, 0) for status in statuses)

    @property
    def total(self) -> int:
        """Answer the number of rows."""
        return sum(self.by_status.values())

    @property
    def waits_for(self) -> WaitsFor | None:
        """Answer what most of the queued rows wait for, if none of them is in line; null otherwise."""
        if not self.waits or sum(self.waits.values()) < self.of(Status.QUEUED):
            return None
        return max(self.waits, key=lambda each: (self.waits[each], each.value))

    @property
    def sent(self) -> int:
        """Answer how many WhatsApp has acknowledged."""
        return self.of(*WITH_WHATSAPP)

    @property
    def failed(self) -> int:
        """Answer how many will not arrive: failed and cancelled ones."""
        return self.of(Status.FAILED, Status.CANCELLED)

    @property
    def queued(self) -> int:
        """Answer the rest, doubtful ones among them: total = sent + failed + queued, always."""
        return self.total - self.sent - self.failed

    @property
    def is_finished(self) -> bool:
        """Say whether no row is queued, scheduled or sending any more."""
        return self.of(*FINISHED) == self.total
