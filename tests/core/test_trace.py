"""A message's way as spans: what the events say, and nothing of whom."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from guvercin.core.event import Event, EventKind
from guvercin.core.trace import otlp, spans

NOW = datetime(2026, 11, 27, 12, 0, 0, 250_000, tzinfo=UTC)
ACCEPTED, CLAIMED, SENT = EventKind.MESSAGE_ACCEPTED, EventKind.MESSAGE_CLAIMED, EventKind.MESSAGE_SENT
DELIVERED, READ, FAILED = EventKind.MESSAGE_DELIVERED, EventKind.MESSAGE_READ, EventKind.MESSAGE_FAILED


def history(*kinds: EventKind, **detail: str) -> list[Event]:
    """Answer events a second apart; the last one has the detail."""
    return [
        Event(
            id=n,
            at=NOW + timedelta(seconds=n),
            kind=kind,
            account_id=2,
            message_id=42,
            batch_id=None,
            detail=MappingProxyType(detail if n == len(kinds) else {}),
        )
        for n, kind in enumerate(kinds, start=1)
    ]


def told(events: list[Event]) -> list[tuple[str, int, int, bool]]:
    found = spans(events, events[-1])
    return [(each.name, each.began_at.second, each.ended_at.second, each.is_bad) for each in found]


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ((ACCEPTED, CLAIMED, SENT), [("queue", 1, 2, False), ("send", 2, 3, False), ("message", 1, 3, False)]),
        ((ACCEPTED, CLAIMED, SENT, DELIVERED), [("delivery", 3, 4, False)]),
        ((ACCEPTED, CLAIMED, SENT, DELIVERED, READ), [("read", 4, 5, False)]),
        ((ACCEPTED, CLAIMED, SENT, READ), [("read", 3, 4, False)]),
        ((ACCEPTED, CLAIMED, FAILED), [("queue", 1, 2, False), ("send", 2, 3, True), ("message", 1, 3, True)]),
        ((ACCEPTED, EventKind.MESSAGE_CANCELLED), [("message", 1, 2, False)]),
        ((FAILED,), [("message", 1, 1, True)]),
        (
            (ACCEPTED, CLAIMED, EventKind.MESSAGE_DEFERRED, CLAIMED, SENT),
            [("queue", 1, 4, False), ("send", 4, 5, False), ("message", 1, 5, False)],
        ),
    ],
)
def test_what_ends_a_part_of_the_way_tells_it(
    kinds: tuple[EventKind, ...], wanted: list[tuple[str, int, int, bool]]
) -> None:
    assert told(history(*kinds)) == wanted


def test_all_parts_of_one_way_belong_together_whenever_they_are_told() -> None:
    events = history(ACCEPTED, CLAIMED, SENT, DELIVERED, READ)
    found = [span for last in events for span in spans(events, last) if last.kind in {SENT, DELIVERED, READ}]
    (whole,) = [span for span in found if span.name == "message"]
    assert {span.trace_id for span in found} == {whole.trace_id}
    assert {span.parent_id for span in found if span is not whole} == {whole.span_id}
    assert len({span.span_id for span in found}) == len(found) == 5
    assert list(spans(events, events[2])) == found[:3], "told again it is the same"


def test_a_clock_that_was_set_back_makes_no_span_that_ends_before_it_begins() -> None:
    events = history(ACCEPTED, CLAIMED, SENT)
    first = events[0]
    late = Event(
        id=first.id,
        at=NOW + timedelta(hours=1),
        kind=first.kind,
        account_id=2,
        message_id=42,
        batch_id=None,
        detail=MappingProxyType({}),
    )
    assert all(span.ended_at >= span.began_at for span in spans([late, *events[1:]], events[2]))


def test_how_it_is_written_for_a_collector() -> None:
    events = history(ACCEPTED, FAILED, neden="numara_whatsappta_degil")
    body = otlp(list(spans(events, events[1])), version="0.1.0")
    (resource,) = body["resourceSpans"]
    assert resource["resource"]["attributes"][0] == {"key": "service.name", "value": {"stringValue": "guvercin"}}
    (written,) = resource["scopeSpans"][0]["spans"]
    assert (len(written["traceId"]), len(written["spanId"])) == (32, 16)
    assert "parentSpanId" not in written
    assert written["startTimeUnixNano"] == "1795780801250000000"
    assert written["endTimeUnixNano"] == "1795780802250000000"
    assert written["status"] == {"code": 2}
    assert {"key": "guvercin.log_id", "value": {"intValue": "42"}} in written["attributes"]
    assert {"key": "guvercin.reason", "value": {"stringValue": "numara_whatsappta_degil"}} in written["attributes"]
