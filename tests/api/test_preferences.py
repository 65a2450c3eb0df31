"""Prefer and Idempotency-Key as clients write them, the cursor, and how failures are counted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from guvercin.api.asking import cursor, read_cursor
from guvercin.api.bodies import body_hash
from guvercin.api.preferences import idempotency_key, preference
from guvercin.api.render.batches import batch_sent
from guvercin.api.render.ground import clock_time, iso_time
from guvercin.api.render.messages import message_sent
from guvercin.api.throttle import Throttle
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.api.wire.messages import SendText
from guvercin.core.batch import Batch, Counts
from guvercin.core.errors import GuvercinError
from guvercin.core.event import Standing
from guvercin.core.message import Status, WaitsFor
from guvercin.gateway.requests import BatchView, Sent

ISTANBUL = ZoneInfo("Europe/Istanbul")
NOON = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)


def request(*headers: tuple[str, str]) -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return Request({"type": "http", "method": "POST", "path": "/x", "headers": raw, "query_string": b""})


@pytest.mark.parametrize(
    ("lines", "seconds", "is_async", "applied"),
    [
        ([], 10, False, None),
        ([""], 10, False, None),
        (["respond-async"], 0, True, "respond-async"),
        (["RESPOND-ASYNC"], 0, True, "respond-async"),
        (["wait=30"], 30, False, "wait=30"),
        (["wait = 30"], 30, False, "wait=30"),
        (['wait="30"'], 30, False, "wait=30"),
        (["wait=0"], 0, False, "wait=0"),
        (["wait=900"], 120, False, "wait=120"),
        (["wait=5, wait=9"], 5, False, "wait=5"),
        (["wait=5", "respond-async"], 5, True, "respond-async, wait=5"),
        (["respond-async;foo=bar, wait=5"], 5, True, "respond-async, wait=5"),
        (['return=minimal; x="a, b", respond-async'], 0, True, "respond-async"),
        (["wait=soon"], 10, False, None),
        (["wait=-1"], 10, False, None),
        (["wait=1.5"], 10, False, None),
        (["wait"], 10, False, None),
        (["wait=99999999999999999999"], 10, False, None),
        ([",,,"], 10, False, None),
        (['x="a, respond-async, b"'], 10, False, None),
        (['x="' + '\\"' * 30_000], 10, False, None),
        (["a" * 60_000 + '"'], 10, False, None),
        (["handling=lenient"], 10, False, None),
    ],
)
def test_prefer_is_read_as_its_rfc_says(lines: list[str], seconds: int, is_async: bool, applied: str | None) -> None:  # noqa: FBT001 -- a case
    read = preference(request(*(("Prefer", line) for line in lines)), usual_wait=timedelta(seconds=10))
    assert (read.wait, read.is_async, read.applied) == (timedelta(seconds=seconds), is_async, applied)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_no_prefer_header_is_ever_an_error(line: str) -> None:
    assert timedelta(0) <= preference(request(("Prefer", line)), usual_wait=timedelta(1)).wait <= timedelta(1)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ('"fis-1"', "fis-1"),
        ("fis-1", "fis-1"),
        (" fis-1 ", "fis-1"),
        ('"iki kelime"', "iki kelime"),
        (r'"a\"b\\c"', r"a\"b\c".replace('\\"', '"')),
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ("a=b;c", "a=b;c"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_key_is_read_quoted_or_bare(written: str, key: str) -> None:
    read = idempotency_key(request(("Idempotency-Key", written)), {})
    assert read is not None
    assert (read.method, read.path, read.key) == ("POST", "/x", key)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=300))
def test_a_key_is_read_or_refused_and_nothing_else(written: str) -> None:
    try:
        read = idempotency_key(request(("Idempotency-Key", written)), {})
    except GuvercinError:
        return
    assert read is not None
    assert 0 < len(read.key) <= 255
    assert read.key.isascii()


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(alphabet=st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abç", max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abç", max_size=3), _JSON, max_size=4))
def test_the_order_of_keys_is_not_part_of_a_bodys_hash(body: dict[str, Any]) -> None:
    assert body_hash(body) == body_hash(dict(reversed(list(body.items()))))
    assert body_hash(body) != body_hash(body | {"başka": 1})


@given(st.integers(1, LARGEST_INTEGER))
def test_a_cursor_comes_back_as_its_id(log_id: int) -> None:
    assert read_cursor(cursor(log_id)) == log_id


@given(st.text(max_size=14))
def test_a_cursor_that_we_did_not_write_is_refused(text: str) -> None:
    try:
        log_id = read_cursor(text)
    except GuvercinError:
        return
    assert cursor(log_id) == text


@given(
    st.one_of(st.text(max_size=30), st.datetimes().map(str), st.from_regex(r"20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?"))
)
def test_a_planned_time_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        asked = SendText.model_validate({"telefon": "1", "mesaj": "a", "planlanan_zaman": text})
    except ValueError:
        return
    assert asked.planned_at is not None
    assert asked.planned_at.isoformat(" ")[:16] == text.replace("T", " ")[:16]


def test_times_are_written_in_the_configured_zone() -> None:
    assert clock_time(NOON, ISTANBUL) == "2026-02-23 14:30:00"
    assert iso_time(NOON, ISTANBUL) == "2026-02-23T14:30:00+03:00"


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SENDING, Status.UNKNOWN, Status.CANCELLED])
def test_a_message_without_an_acknowledgement_tells_its_true_status(status: Status) -> None:
    standing = Standing(id=42, account_id=1, batch_id=None, status=status)
    told = {"ok": True, "log_id": 42, "message_id": None, "durum": status.value}
    assert message_sent(Sent(standing=standing, is_sandbox=True), ISTANBUL).model_dump(by_alias=True) == told
    parked = Sent(standing=standing, is_sandbox=True, waits_for=WaitsFor.QUIET_HOURS, waits_until=NOON)
    why = {"neden": "sessiz_saat", "neden_bitis": "2026-02-23 14:30:00"}
    assert message_sent(parked, ISTANBUL).model_dump(by_alias=True) == told | why


@given(st.dictionaries(st.sampled_from(Status), st.integers(1, 50), min_size=1))
def test_the_four_keys_always_add_up(by_status: dict[Status, int]) -> None:
    batch = Batch(id=17, account_id=1, token_id=1, category=10, total=sum(by_status.values()), created_at=NOON)
    view = BatchView(batch=batch, counts=Counts(by_status), finish_at=None, is_sandbox=True)
    told = batch_sent(view, ISTANBUL).model_dump(by_alias=True)
    assert told["total"] == told["sent"] + told["failed"] + told.get("queued", 0) == batch.total
    assert told["sent"] == sum(by_status.get(status, 0) for status in (Status.SENT, Status.DELIVERED, Status.READ))
    assert ("toplu_id" in told) == (told["sent"] + told["failed"] < told["total"])


def test_failures_are_counted_by_address_and_forgotten_after_a_minute() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    assert [throttle.fail("a") for _ in range(10)] == [None] * 10
    assert throttle.fail("a") == timedelta(seconds=60)
    now[0] = 59.0
    assert throttle.fail("a") == timedelta(seconds=1)
    assert throttle.fail("b") is None
    now[0] = 60.0
    assert throttle.fail("a") is None


def test_a_crowd_of_addresses_takes_a_bounded_space() -> None:
    throttle = Throttle(lambda: 0.0)
    for number in range(10_000):
        throttle.fail(str(number))
    assert len(throttle._failures) <= 4096
