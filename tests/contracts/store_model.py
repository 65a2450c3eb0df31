"""A store in plain Python: the design's «life of a message» and its queue, written out once more without a database.

Times are whole seconds. Nothing here knows how a real store does it; the machine beside this file holds both together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from guvercin.core.errors import Code
from guvercin.core.message import WITH_WHATSAPP, Cause, News, Order, Status, WaitsFor, advance
from guvercin.core.outcome import ReceiptKind

LONG_AGO = -1_000_000

NEWS_OF = {kind: News(kind.value) for kind in ReceiptKind}


@dataclass(slots=True, kw_only=True)
class Row:
    """One message."""

    id: int
    account: int
    to: str
    lane: str
    priority: int
    batch: int | None
    due: int
    expires: int
    is_planned: bool = False
    was_held: bool = False
    status: Status = Status.QUEUED
    reason: Code | None = None
    waits_for: WaitsFor | None = None
    waits_until: int | None = None
    remote_id: str | None = None
    sent_at: int | None = None
    delivered_at: int | None = None
    read_at: int | None = None
    attempts: int = 0

    def move(
        self,
        cause: Cause,
        *,
        reason: Code | None = None,
        waits_for: WaitsFor | None = None,
        waits_until: int | None = None,
    ) -> bool:
        """Advance; answers whether anything moved. Raises IllegalOrder as `advance` does."""
        after = advance(self.status, cause)
        if after is self.status:
            return False
        self.status, self.reason, self.waits_for, self.waits_until = after, reason, waits_for, waits_until
        return True


@dataclass(slots=True)
class Model:
    """All messages, and the receipts that came too early."""

    rows: dict[int, Row] = field(default_factory=dict)
    early: dict[tuple[int, str], dict[ReceiptKind, int]] = field(default_factory=dict)
    line: int = LONG_AGO

    # -- the line

    def place(self, now: int) -> int:
        """Answer a place behind all that was accepted or fell due so far."""
        self.line = max(self.line, now)
        return self.line

    def restart(self) -> None:
        """Forget what is not stored: the end of the line is read from its rows again."""
        held = (WaitsFor.TIME, WaitsFor.RESTORED)
        alive = (Status.QUEUED, Status.SENDING, Status.UNKNOWN)
        self.line = max(
            (row.due for row in self.rows.values() if row.status in alive and row.waits_for not in held),
            default=LONG_AGO,
        )

    def accept(self, row: Row, now: int, *, due: int | None, reason: Code | None) -> None:
        line = self.place(now)
        row.due, row.reason = line, reason
        if reason is not None:
            row.status = Status.FAILED
        elif due is not None and due > now:
            row.due, row.is_planned = due, True
            row.waits_for, row.waits_until = WaitsFor.TIME, due
        self.rows[row.id] = row

    def _leave_wait(self, row: Row, now: int) -> None:
        """End what `row` holds back: the parked rows of its recipient may look again."""
        for other in self.rows.values():
            if other.waits_for is WaitsFor.EARLIER and (other.account, other.to) == (row.account, row.to):
                other.waits_until = now

    def _end(self, row: Row, cause: Cause, now: int, *, reason: Code | None = None) -> None:
        was_deferred = row.waits_for is WaitsFor.RETRY
        if row.move(cause, reason=reason) and was_deferred:
            self._leave_wait(row, now)

    def release_due(self, now: int) -> int:
        self.place(now)
        waits = (WaitsFor.TIME, WaitsFor.RETRY, WaitsFor.EARLIER)
        due = [row for row in self.rows.values() if row.waits_for in waits]
        ended = [row for row in due if row.waits_until is not None and row.waits_until <= now]
        for row in ended:
            row.waits_for = row.waits_until = None
        return len(ended)

    def expire(self, now: int) -> int:
        over = [row for row in self.rows.values() if row.status is Status.QUEUED and row.expires <= now]
        for row in over:
            self._end(row, News.EXPIRED, now, reason=Code.EXPIRED)
        return len(over)

    def in_line(self, account: int) -> list[Row]:
        line = [
            row
            for row in self.rows.values()
            if row.account == account and row.status is Status.QUEUED and row.waits_for is None
        ]
        return sorted(line, key=lambda row: (-row.priority, row.due, row.id))

    def claim(self, account: int, now: int) -> Row | None:
        self.release_due(now)
        for row in self.in_line(account):
            if row.expires <= now:
                self._end(row, News.EXPIRED, now, reason=Code.EXPIRED)
                continue
            before = min(self._held_before(row), default=None, key=lambda held: held.id)
            if before is not None:
                row.waits_for, row.waits_until = WaitsFor.EARLIER, before.waits_until
                continue
            row.move(Order.CLAIM)
            return row
        return None

    def _held_before(self, row: Row) -> Iterator[Row]:
        for other in self.rows.values():
            is_peer = (other.account, other.to, other.priority) == (row.account, row.to, row.priority)
            if is_peer and other.id < row.id and other.waits_for in (WaitsFor.RETRY, WaitsFor.EARLIER):
                yield other

    # -- answers and news

    def accepted(self, row: Row, remote_id: str, at: int, now: int, *, counts: bool) -> None:
        taken = any(
            other.remote_id == remote_id and other.account == row.account and other is not row
            for other in self.rows.values()
        )
        if taken or row.remote_id not in (None, remote_id):
            if row.status is Status.UNKNOWN:
                row.waits_until = now + 600
            elif row.move(News.LOST, reason=Code.ANSWER_LOST, waits_until=now + 5):
                row.attempts += counts
            return
        was = row.status
        moved = row.move(News.ACCEPTED)
        if not moved and was in (Status.QUEUED, Status.UNKNOWN):
            return
        row.attempts += counts
        row.remote_id = remote_id
        row.sent_at = at if row.sent_at is None else row.sent_at
        for kind, heard_at in self.early.pop((row.account, remote_id), {}).items():
            self.hear(row, kind, heard_at, now)

    def hear(self, row: Row, kind: ReceiptKind, at: int, now: int) -> None:
        reason = Code.WHATSAPP_REFUSED if kind is ReceiptKind.FAILED else None
        moved = row.move(NEWS_OF[kind], reason=reason)
        if not moved and row.status in (Status.QUEUED, Status.UNKNOWN):
            return
        if kind is ReceiptKind.DELIVERED:
            row.delivered_at = at if row.delivered_at is None else min(at, row.delivered_at)
        if kind is ReceiptKind.READ:
            row.read_at = at if row.read_at is None else min(at, row.read_at)
        if row.sent_at is None and (kind is ReceiptKind.SERVER or row.status in WITH_WHATSAPP):
            row.sent_at = at if kind is not ReceiptKind.FAILED else now

    def receive(self, account: int, remote_id: str, kind: ReceiptKind, at: int, now: int) -> None:
        for row in self.rows.values():
            if (row.account, row.remote_id) == (account, remote_id):
                self.hear(row, kind, at, now)
                return
        kept = self.early.setdefault((account, remote_id), {})
        kept[kind] = min(at, kept.get(kind, at))

    def lose(self, row: Row, reason: Code, look_at: int) -> None:
        if row.move(News.LOST, reason=reason, waits_until=look_at):
            row.attempts += 1

    def defer(self, row: Row, reason: Code, until: int, *, counts: bool) -> None:
        if row.move(News.DEFERRED, reason=reason, waits_for=WaitsFor.RETRY, waits_until=until):
            row.attempts += counts

    def cancel(self, row: Row, now: int) -> None:
        self._end(row, Order.CANCEL, now)

    # -- crashes and copies

    def recover(self, now: int) -> int:
        caught = [row for row in self.rows.values() if row.status is Status.SENDING]
        for row in caught:
            self.lose(row, Code.CUT_SHORT, now)
        return len(caught)

    def hold(self, now: int) -> int:
        self.recover(now)
        for row in self.rows.values():
            if row.status is Status.UNKNOWN:
                row.waits_until = None
        waiting = [
            row for row in self.rows.values() if row.status is Status.QUEUED and row.waits_for is not WaitsFor.RESTORED
        ]
        for row in waiting:
            row.waits_until = row.waits_until if row.waits_for is WaitsFor.TIME else None
            row.waits_for, row.was_held = WaitsFor.RESTORED, True
        return len(waiting)

    def release(self, row: Row, now: int) -> None:
        self.place(now)
        if row.waits_until is not None and row.waits_until > now:
            row.waits_for = WaitsFor.TIME
        else:
            row.waits_for = row.waits_until = None
