"""A message's way as spans, from accept to receipt: what OpenTelemetry's collectors draw.

Everything is made of the message's own events, so that a trace tells what the log tells, and needs nothing on the way
of a message. Names of spans: `message` (from accept until WhatsApp had it or it failed), below it `queue` and `send`,
and, when receipts come, `delivery` and `read`. Attributes are ids and codes, never a number or a text.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from guvercin.core.event import Event, EventKind

ENDS = frozenset(
    {
        EventKind.MESSAGE_SENT,
        EventKind.MESSAGE_FAILED,
        EventKind.MESSAGE_UNKNOWN,
        EventKind.MESSAGE_CANCELLED,
        EventKind.MESSAGE_DELIVERED,
        EventKind.MESSAGE_READ,
    }
)
"""Events with which a span ends."""

_BAD = frozenset({EventKind.MESSAGE_FAILED, EventKind.MESSAGE_UNKNOWN})
_RECEIPTS = {EventKind.MESSAGE_DELIVERED: "delivery", EventKind.MESSAGE_READ: "read"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One part of a message's way. `trace_id` has 16 bytes, the others 8; `parent_id` null: the whole way."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    name: str
    began_at: datetime
    ended_at: datetime
    is_bad: bool
    attributes: dict[str, str | int]


def spans(events: Sequence[Event], last: Event) -> Iterator[Span]:
    """Answer the spans that end with `last`, one of a message's events (oldest first). Deterministic."""
    past = [event for event in events if event.id <= last.id]
    first = past[0]
    trace_id = _digest("trace", first)[:16]
    whole_id = _digest("message", first)[:8]
    attributes: dict[str, str | int] = {"guvercin.log_id": first.message_id or 0, "guvercin.event": last.kind.value}
    if last.account_id is not None:
        attributes["guvercin.account_id"] = last.account_id
    if last.batch_id is not None:
        attributes["guvercin.batch_id"] = last.batch_id
    if (reason := last.detail.get("neden")) is not None:
        attributes["guvercin.reason"] = str(reason)

    def span(name: str, began: Event, ended: Event, parent: bytes | None = whole_id) -> Span:
        return Span(
            trace_id=trace_id,
            span_id=whole_id if parent is None else _digest(name, ended)[:8],
            parent_id=parent,
            name=name,
            began_at=began.at,
            ended_at=max(began.at, ended.at),
            is_bad=ended is last and last.kind in _BAD,
            attributes=attributes,
        )

    if last.kind in _RECEIPTS:
        before = _newest(past[:-1], {EventKind.MESSAGE_SENT, EventKind.MESSAGE_DELIVERED}) or first
        yield span(_RECEIPTS[last.kind], before, last)
        return
    claimed = _newest(past, {EventKind.MESSAGE_CLAIMED})
    if claimed is not None:
        yield span("queue", first, claimed)
        yield span("send", claimed, last)
    yield span("message", first, last, None)


def _newest(events: Sequence[Event], kinds: set[EventKind]) -> Event | None:
    return next((event for event in reversed(events) if event.kind in kinds), None)


def _digest(name: str, event: Event) -> bytes:
    return hashlib.sha256(f"{name}:{event.id}:{event.message_id}:{event.at.timestamp()}".encode()).digest()


def otlp(found: Sequence[Span], *, version: str) -> dict[str, Any]:
    """Write spans as the body of an OTLP/HTTP request (JSON encoding of ExportTraceServiceRequest)."""
    resource = {"service.name": "guvercin", "service.version": version}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [{"scope": {"name": "guvercin"}, "spans": [_span(each) for each in found]}],
            }
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    written: dict[str, Any] = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "name": span.name,
        "kind": 3 if span.name == "send" else 1,  # SPAN_KIND_CLIENT, SPAN_KIND_INTERNAL
        "startTimeUnixNano": _nanoseconds(span.began_at),
        "endTimeUnixNano": _nanoseconds(span.ended_at),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2} if span.is_bad else {},  # STATUS_CODE_ERROR
    }
    return written if span.parent_id is None else written | {"parentSpanId": span.parent_id.hex()}


def _nanoseconds(at: datetime) -> str:
    return str((at - _EPOCH) // _MICROSECOND * 1_000)  # 64-bit integers are strings in this encoding


def _attributes(values: dict[str, str] | dict[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]
