"""From batches to their answers."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Literal

from guvercin.api.answers.batches import BatchAnswer, BatchGroups, BatchPage, BatchRecord, BatchSent, BatchStanding
from guvercin.api.render.ground import PREFIX, clock_time, iso_time
from guvercin.core.message import Status
from guvercin.gateway.requests import BatchView


def batch_url(batch_id: int) -> str:
    """Answer where a batch is found."""
    return f"{PREFIX}/toplu/{batch_id}"


def batch_sent(view: BatchView, zone: tzinfo) -> BatchSent:
    """Answer a batch for a caller who waited: the seed's keys, and where to look while something is still open.

    A finished batch with rows in doubt has the longer answer too: total = sent + failed + queued holds always.
    """
    counts = view.counts
    if not counts.queued:
        return BatchSent(ok=True, total=counts.total, sent=counts.sent, failed=counts.failed)
    return BatchStanding(
        ok=True,
        total=counts.total,
        sent=counts.sent,
        failed=counts.failed,
        queued=counts.queued,
        batch_id=view.batch.id,
        status_url=batch_url(view.batch.id),
        finish_at=view.finish_at and clock_time(view.finish_at, zone),
    )


def batch_accepted(view: BatchView) -> BatchSent:
    """Answer a batch to a token whose owner chose that what was accepted is counted as sent (`toplu_yanit=kabul`)."""
    counts = view.counts
    return BatchSent(ok=True, total=counts.total, sent=counts.total - counts.failed, failed=counts.failed)


def batch_answer(view: BatchView, zone: tzinfo, *, reason: str | None) -> BatchAnswer:
    """Answer one batch. `reason` says why nothing moves, where something stands in the way."""
    return BatchAnswer(ok=True, data=batch_record(view, zone, reason=reason))


def batch_page(views: Iterable[tuple[BatchView, str | None]], after: str | None, zone: tzinfo) -> BatchPage:
    """Answer a page of batches, each with the reason why it waits."""
    return BatchPage(ok=True, data=[batch_record(view, zone, reason=reason) for view, reason in views], after=after)


def batch_record(view: BatchView, zone: tzinfo, *, reason: str | None) -> BatchRecord:
    """Answer what is told of a batch."""
    counts = view.counts
    by_status = {status.value: counts.of(status) for status in Status}
    by_status["queued"] -= counts.scheduled
    return BatchRecord(
        id=view.batch.id,
        status=_batch_status(view),
        total=counts.total,
        sent=counts.sent,
        failed=counts.failed,
        queued=counts.queued,
        groups=BatchGroups(**by_status, scheduled=counts.scheduled),
        finish_at=view.finish_at and clock_time(view.finish_at, zone),
        finish_at_iso=view.finish_at and iso_time(view.finish_at, zone),
        reason=reason,
        waits_until=view.waits_until and clock_time(view.waits_until, zone) if reason == view.waits_for else None,
        account_id=view.batch.account_id,
        category=view.batch.category,
        created_at=clock_time(view.batch.created_at, zone),
        created_at_iso=iso_time(view.batch.created_at, zone),
        is_sandbox=True if view.is_sandbox else None,
    )


def _batch_status(view: BatchView) -> Literal["running", "paused", "cancelled", "finished"]:
    if view.batch.cancelled_at is not None:
        return "cancelled"
    if view.counts.is_finished:
        return "finished"
    return "running" if view.batch.paused_at is None else "paused"
