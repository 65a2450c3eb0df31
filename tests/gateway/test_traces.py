"""Traces follow the events, wait for a collector that is away, and hold nobody up."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta

import orjson
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.gateway.house import House, World

from guvercin.core.call import Called, CallTrouble
from guvercin.gateway.traces import SPAN, Traces

GOOD, BAD = Called(trouble=None, status=200), Called(trouble=CallTrouble.NO_CONNECTION)


def read(body: bytes) -> ExportTraceServiceRequest:
    """Read a body by OpenTelemetry's own schema, strictly. OTLP writes ids as hex where protobuf's JSON has base64."""
    written = orjson.loads(body)
    for resource in written["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = b64encode(bytes.fromhex(span[name])).decode()
    request = ExportTraceServiceRequest()
    ParseDict(written, request)
    return request


class Collector:
    """Takes spans, or doesn't."""

    def __init__(self) -> None:
        self.answer = GOOD
        self.spans: list[Span] = []
        self.names: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.bodies = b""
        self.is_closed = False

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Called:
        assert url == "http://127.0.0.1:4318/v1/traces"
        if self.answer is GOOD:
            self.spans += read(body).resource_spans[0].scope_spans[0].spans
            self.names = [span.name for span in self.spans]
            self.headers, self.bodies = headers, self.bodies + body
        return self.answer

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
async def house(world: World) -> House:
    return await world.begin()


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def traces(house: House, collector: Collector) -> Traces:
    url = "http://127.0.0.1:4318/v1/traces"
    return Traces(store=house.store, url=url, token="gizli", open_way=lambda: collector)


async def cancelled(house: House) -> None:
    number = await house.accept()
    await house.store.cancel(number, now=house.clock.now())


async def test_what_happens_from_now_on_is_told_once(house: House, traces: Traces, collector: Collector) -> None:
    await cancelled(house)
    now = house.clock.now()
    assert await traces.step(now) > now
    assert collector.names == [], "what was before is not"
    await cancelled(house)
    for _ in range(2):
        await traces.step(now)
    assert collector.names == ["message"]
    assert collector.headers["authorization"] == "Bearer gizli"
    await traces.close()
    assert collector.is_closed


async def test_opentelemetrys_own_schema_reads_a_messages_whole_way(
    house: House, traces: Traces, collector: Collector
) -> None:
    await traces.step(house.clock.now())
    await house.tend()
    number = await house.accept()
    began = house.clock.now()
    await house.deliver_all()
    await traces.step(house.clock.now())
    whole = next(span for span in collector.spans if span.name == "message")
    assert {span.name for span in collector.spans} >= {"message", "queue", "send"}
    assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in collector.spans)
    assert {span.trace_id for span in collector.spans} == {whole.trace_id}
    assert {span.parent_span_id for span in collector.spans} == {b"", whole.span_id}
    assert whole.start_time_unix_nano == int(began.timestamp()) * 10**9
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in collector.spans)
    assert whole.status.code == Status.STATUS_CODE_UNSET
    (told,) = [each.value.int_value for each in whole.attributes if each.key == "guvercin.log_id"]
    assert told == number


async def test_a_collector_that_is_away_gets_it_later(house: House, traces: Traces, collector: Collector) -> None:
    now = house.clock.now()
    await traces.step(now)
    await cancelled(house)
    collector.answer = BAD
    assert await traces.step(now) >= now + timedelta(seconds=30)
    collector.answer = GOOD
    await traces.step(now)
    assert collector.names == ["message"]


async def test_a_collector_that_stays_away_is_waited_for_within_bounds(
    house: House, traces: Traces, collector: Collector
) -> None:
    now = house.clock.now()
    await traces.step(now)
    collector.answer = BAD
    await cancelled(house)
    traces._cursor = -SPAN  # as if that much had happened meanwhile
    await traces.step(now)
    assert traces._cursor == await house.store.last_event_id()


async def test_no_number_and_no_text_goes_there(house: House, traces: Traces, collector: Collector) -> None:
    await traces.step(house.clock.now())
    await cancelled(house)
    await traces.step(house.clock.now())
    assert collector.bodies
    assert b"+90" not in collector.bodies
    assert b"Merhaba" not in collector.bodies
