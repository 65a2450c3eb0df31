"""The Cloud line keeps the laws of every line, against a Graph that is strict, and does the right thing on trouble."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.contracts.graph_thread import GraphThread
from tests.contracts.meta_schema import needs_schema
from tests.contracts.transport_laws import Ear, Fate, Rig, TransportLaws, accepted, connected, is_line_down

from guvercin.core.account import Line, LineNews
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.grant import Grant
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    LineEvent,
    Lost,
    NumberNews,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Restricted,
    Scope,
    TemplateNews,
)
from guvercin.gateway.clock import SystemClock
from guvercin.testing.graph import Act, Answering, Habits
from guvercin.transports.base import Emit, Features, HookFault, Outgoing, OutgoingFile
from guvercin.transports.cloud.client import Cloud
from guvercin.transports.cloud.graph import Graph
from guvercin.transports.cloud.media import MediaIds
from guvercin.transports.cloud.setup import Setup, Template

CLOCK = SystemClock()
PATIENCE = 20.0
NUMBERS = {
    Fate.ACCEPTED: "+905321230001",
    Fate.DEFERRED: "+905321230002",
    Fate.REFUSED: "+905321230003",
    Fate.LOST: "+905321230004",
    Fate.DROPPED: "+905321230005",
}


async def pause(seconds: float) -> None:
    await CLOCK.sleep_until(CLOCK.monotonic() + seconds)


class Door:
    """Where the fake calls, in the fake's own thread: it hands a call to the line that runs, and answers for it."""

    def __init__(self) -> None:
        self.line: HeardLine | None = None

    async def __call__(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(text=request.query["hub.challenge"])
        line = self.line
        if line is None:
            return web.Response(status=503)
        body = await request.read()
        told = asyncio.get_running_loop().create_future()
        line.call(body, request.headers.get("X-Hub-Signature-256"), told)
        return web.Response(status=await told)


class HeardLine:
    """A line whose webhooks go through the `emit` of its run, as the gateway stores them: all of a call, or 503."""

    def __init__(self, cloud: Cloud, door: Door) -> None:
        self.cloud = cloud
        self._door = door
        self._calls: asyncio.Queue[tuple[bytes, str | None, asyncio.Future[int]]] = asyncio.Queue()
        self._loop = asyncio.get_event_loop()

    @property
    def features(self) -> Features:
        return self.cloud.features

    async def send(self, message: Outgoing) -> Outcome:
        return await self.cloud.send(message)

    async def unlink(self) -> None:
        await self.cloud.unlink()

    def call(self, body: bytes, signature: str | None, told: "asyncio.Future[int]") -> None:
        def take() -> None:
            if self._door.line is self:
                self._calls.put_nowait((body, signature, told))
            else:
                _answer(told, 503)

        self._loop.call_soon_threadsafe(take)

    async def run(self, emit: Emit, line: Line) -> None:
        hearing = asyncio.create_task(self._hear(emit))
        self._door.line = self
        try:
            await self.cloud.run(emit, line)
        finally:
            self._door.line = None
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            while not self._calls.empty():
                _answer(self._calls.get_nowait()[2], 503)

    async def _hear(self, emit: Emit) -> None:
        while True:
            body, signature, told = await self._calls.get()
            status = 503
            try:
                events = self.cloud.read(body, signature)
                assert not isinstance(events, HookFault)
                for event in events:
                    await emit(event)
                status = 200
            except Exception:  # noqa: BLE001 -- an emit that could not store: Meta is told so
                status = 503
            finally:
                _answer(told, status)


def _answer(told: "asyncio.Future[int]", status: int) -> None:
    told.get_loop().call_soon_threadsafe(lambda: None if told.done() else told.set_result(status))


class CloudRig(Rig):
    """The peer is the fake Graph; its script goes by the number."""

    now = staticmethod(CLOCK.now)
    moments = 12

    def __init__(self, fake: GraphThread, folder: Path, number: int = 1) -> None:
        self.fake, self.folder = fake, folder
        self.number_id = f"10000000000000{number}"
        self.token = f"EAAG-{number}"
        self.number = fake.graph.add_number(
            self.number_id, f"90850000000{number}", self.token, templates={("fatura_hazir", "tr")}
        )
        self.setup: Setup | None = Setup(
            number_id=self.number_id,
            business_id="9",
            token=self.token,
            app_secret="app-secret",
            verify_token="dogrulama",
        )
        self.base = f"{fake.url}/v25.0"
        self.read_limit = 2.0
        self.cloud = Cloud(
            account_id=number,
            setup=lambda: self.setup,
            connect=self._connect,
            media=MediaIds(folder / f"media-{number}.json"),
            clock=CLOCK,
        )
        self.door = Door()
        self.transport = HeardLine(self.cloud, self.door)
        self._dropped: set[str] = set()
        fake.graph.script = self.script
        fake.graph.callbacks.habits = Habits(pauses=(0.02, 0.05, 0.1), answer_limit=0.5)
        self.acts: dict[str, Act] = {
            NUMBERS[Fate.DEFERRED]: Act(error=131056),
            NUMBERS[Fate.REFUSED]: Act(error=131026),
            NUMBERS[Fate.LOST]: Act(answering=Answering.NEVER),
        }

    def _connect(self, setup: Setup) -> Graph:
        return Graph(self.base, token=setup.token, connections=40, connect_limit=1.0, read_limit=self.read_limit)

    def script(self, body: Mapping[str, Any]) -> Act:
        to, opaque = "+" + body["to"], body["biz_opaque_callback_data"]
        if to == NUMBERS[Fate.DROPPED] and opaque not in self._dropped:
            self._dropped.add(opaque)
            return Act(error=131057)
        return self.acts.get(to, Act())

    async def subscribe(self) -> "CloudRig":
        app = web.Application()
        app.router.add_route("*", "/hook", self.door.__call__)

        url = await self.fake.open_door(app) + "/hook"
        assert await self.fake.do(self.fake.graph.callbacks.greet(self.number_id, url, "dogrulama"))
        return self

    def recipient(self, fate: Fate) -> str:
        return NUMBERS[fate]

    def outgoing(self, fate: Fate = Fate.ACCEPTED, text: str | None = "Merhaba") -> Outgoing:
        return replace(super().outgoing(fate, text), heard_at=CLOCK.now())

    def arrivals(self) -> list[str]:
        return [each.remote_id for each in self.fake.graph.arrivals if each.number_id == self.number_id]

    async def until(self, happened: Callable[[], bool]) -> None:
        end = CLOCK.monotonic() + PATIENCE
        while not happened():
            assert CLOCK.monotonic() < end, f"it did not happen within {PATIENCE} seconds"
            await pause(0.003)

    async def rest(self) -> None:
        await pause(0.05)
        await self.until(lambda: self.fake.graph.callbacks.owed == 0)

    async def moment(self, number: int) -> None:
        await pause(number * 0.004)

    async def beside(self) -> "CloudRig":
        return await CloudRig(self.fake, self.folder, 2).subscribe()


@pytest.fixture
def fake() -> Iterator[GraphThread]:
    fake = GraphThread().start()
    yield fake
    fake.stop()


@pytest.fixture
async def rig(fake: GraphThread, tmp_path: Path) -> CloudRig:
    return await CloudRig(fake, tmp_path).subscribe()


class TestTheLaws(TransportLaws):
    @pytest.fixture
    async def rig(self, fake: GraphThread, tmp_path: Path) -> Rig:
        return await CloudRig(fake, tmp_path).subscribe()


async def dialled(rig: CloudRig) -> LineEvent:
    """Dial a line that can't stand, and answer what it says."""
    ear = Ear()
    async with asyncio.timeout(PATIENCE):
        await rig.transport.run(ear, rig.line())
    (said,) = [event for event in ear.events if isinstance(event, LineEvent)]  # an earlier line's statuses may come
    return said


def pdf(folder: Path, name: str = "fatura", content: bytes = b"%PDF-1.4\n%%EOF\n") -> OutgoingFile:
    path = folder / name
    path.write_bytes(content)
    digest = sha256(content).hexdigest()
    return OutgoingFile(path=path, name="FTR-001.pdf", media_type="application/pdf", size=len(content), digest=digest)


# -- the number


async def test_what_is_known_of_the_number_is_kept(rig: CloudRig) -> None:
    rig.number.level = "HIGH"
    async with connected(rig, Ear()):
        assert rig.cloud.number is not None
        assert (rig.cloud.number.phone, rig.cloud.number.per_second) == ("+908500000001", 1_000)
        assert rig.cloud.number.tier == "TIER_250"


async def test_what_meta_grants_the_number_is_known_while_it_stands(rig: CloudRig) -> None:
    assert rig.cloud.granted() is None
    async with connected(rig, Ear()):
        assert rig.cloud.granted() == Grant(per_second=80, people=250, pool="9")
        for tier, people in (("TIER_2K", 2_000), ("TIER_100K", 100_000), ("TIER_UNLIMITED", None), ("TIER_9", None)):
            rig.number.tier, rig.number.level = tier, "HIGH"
            rig.cloud.read(*signed(rig, call_of("business_capability_update", {"x": 1})))
            wanted = Grant(per_second=1_000, people=people, pool="9")
            await rig.until(lambda wanted=wanted: rig.cloud.granted() == wanted)  # type: ignore[misc]


async def test_a_token_that_is_over_blocks_the_line_and_nothing_is_lost(rig: CloudRig) -> None:
    ear = Ear()
    async with connected(rig, ear) as run:
        await accepted(rig)
        rig.fake.graph.expire(rig.token)
        assert is_line_down(await rig.transport.send(rig.outgoing()))
        await rig.until(run.done)
        assert is_line_down(await rig.transport.send(rig.outgoing()))
    assert ear.events[-1] == LineEvent(news=LineNews.BLOCKED, code=Code.INVALID_TOKEN)
    assert await dialled(rig) == LineEvent(news=LineNews.BLOCKED, code=Code.INVALID_TOKEN)
    rig.fake.graph.renew(rig.token)
    async with connected(rig, Ear()):
        await accepted(rig)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number_id": "404"}, LineEvent(news=LineNews.BLOCKED, code=Code.NOT_REGISTERED)),
        ({"token": "EAAG-other"}, LineEvent(news=LineNews.BLOCKED, code=Code.INVALID_TOKEN)),
    ],
)
async def test_a_set_up_that_meta_does_not_know_is_told(rig: CloudRig, change: Any, said: LineEvent) -> None:
    assert rig.setup is not None
    rig.setup = replace(rig.setup, **change)
    assert await dialled(rig) == said


async def test_a_number_that_may_not_send_is_told(rig: CloudRig) -> None:
    rig.number.status = "BANNED"
    assert await dialled(rig) == LineEvent(news=LineNews.BLOCKED, code=Code.NOT_REGISTERED)


async def test_an_account_without_a_set_up_waits_for_its_owner(rig: CloudRig) -> None:
    rig.setup = None
    assert await dialled(rig) == LineEvent(news=LineNews.BLOCKED, code=Code.INVALID_TOKEN)
    assert rig.cloud.read(b"{}", "sha256=00") is HookFault.CLOSED
    assert rig.cloud.greet("", "1") is None


async def test_a_graph_that_is_not_there_is_a_drop(rig: CloudRig) -> None:
    rig.base = "http://127.0.0.1:9/v25.0"
    assert (await dialled(rig)).news is LineNews.DROPPED


async def test_no_connection_means_that_nothing_left(rig: CloudRig) -> None:
    ear = Ear()
    async with connected(rig, ear) as run:
        rig.fake.stop()
        await pause(0.1)  # a connection that dies under a request is another story: nobody knows what left
        assert is_line_down(await rig.transport.send(rig.outgoing()))
        await rig.until(run.done)
    assert ear.news == [LineNews.OPENED, LineNews.DROPPED]


# -- what an answer means


async def outcome(rig: CloudRig, act: Act) -> Outcome:
    """Answer what becomes of a message that meets this act."""
    message = rig.outgoing()
    rig.acts[message.recipient] = act
    return await rig.transport.send(message)


@pytest.mark.parametrize(
    "answering", [Answering.NEVER, Answering.CUT, Answering.BAD_GATEWAY, Answering.HTML, Answering.LATE, Answering.DRIP]
)
async def test_an_answer_that_did_not_come_whole_is_lost_and_settled_by_the_webhook(
    rig: CloudRig, answering: Answering
) -> None:
    rig.read_limit = 0.2
    ear = Ear()
    async with connected(rig, ear):
        message = rig.outgoing()
        rig.acts[message.recipient] = Act(answering=answering, late=0.05 if answering is Answering.DRIP else 1.0)
        assert await rig.transport.send(message) == Lost(Code.ANSWER_LOST)
        (remote_id,) = rig.arrivals()
        await rig.until(lambda: remote_id in ear.heard(ReceiptKind.READ))
        assert {receipt.message_id for receipt in ear.receipts} == {message.message_id}
    assert rig.arrivals() == [remote_id]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (131026, Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT)),
        (131047, Refused(reason=Code.NEEDS_TEMPLATE, scope=Scope.RECIPIENT)),
        (131048, Refused(reason=Code.NEW_CHATS_RESTRICTED, scope=Scope.ACCOUNT)),
        (132001, Refused(reason=Code.TEMPLATE_STOPPED, scope=Scope.TEMPLATE)),
        (100, Refused(reason=Code.WHATSAPP_REFUSED, scope=Scope.MESSAGE)),
        (999_999, Refused(reason=Code.WHATSAPP_REFUSED, scope=Scope.MESSAGE)),
    ],
)
async def test_a_refusal_says_how_far_it_reaches(rig: CloudRig, code: int, wanted: Refused) -> None:
    async with connected(rig, Ear()):
        found = await outcome(rig, Act(error=code))
    assert isinstance(found, Refused)
    assert (found.reason, found.scope) == (wanted.reason, wanted.scope)
    assert found.detail is not None
    assert found.detail.startswith(str(code))
    assert rig.arrivals() == []


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        (131056, Scope.RECIPIENT),
        (130429, Scope.ACCOUNT),
        (80007, Scope.ACCOUNT),
        (131000, Scope.SYSTEM),
        (131016, Scope.SYSTEM),
    ],
)
async def test_what_is_put_off_says_who_was_too_fast(rig: CloudRig, code: int, scope: Scope) -> None:
    async with connected(rig, Ear()) as run:
        found = await outcome(rig, Act(error=code))
        assert isinstance(found, Deferred)
        assert (found.pushed_back, found.scope, found.reason) == (True, scope, Code.PUSHED_BACK)
        assert not run.done()
    assert rig.arrivals() == []


@pytest.mark.parametrize("edge", [302, 307, 403, 404, 413, 429])
async def test_what_a_server_before_meta_turns_away_is_tried_again(rig: CloudRig, edge: int) -> None:
    async with connected(rig, Ear()) as run:
        found = await outcome(rig, Act(edge=edge))
        assert found == Deferred(
            reason=Code.PUSHED_BACK,
            pushed_back=True,
            retry_after=timedelta(seconds=7),
            scope=Scope.ACCOUNT if edge == 429 else Scope.MESSAGE,
        )
        assert not run.done()
    assert len(rig.fake.graph.requests) == 1, "no redirect is followed"
    assert rig.arrivals() == []


@pytest.mark.parametrize(
    ("code", "kod"),
    [(190, Code.INVALID_TOKEN), (131031, Code.LOCKED), (131042, Code.UNPAID), (133010, Code.NOT_REGISTERED)],
)
async def test_what_a_person_must_mend_blocks_the_line(rig: CloudRig, code: int, kod: Code) -> None:
    ear = Ear()
    async with connected(rig, ear) as run:
        assert is_line_down(await outcome(rig, Act(error=code)))
        await rig.until(run.done)
    assert ear.events[-1] == LineEvent(news=LineNews.BLOCKED, code=kod)


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ({"Retry-After": "7"}, 7),
        ({"X-Business-Use-Case-Usage": '{"9": [{"estimated_time_to_regain_access": 3}, {"call_count": 1}]}'}, 180),
        ({"X-Business-Use-Case-Usage": '{"9": [{"estimated_time_to_regain_access": 900}]}'}, 3_600),
        ({"X-Business-Use-Case-Usage": '{"9": [{"estimated_time_to_regain_access": 0}], "8": 7}'}, 60),
        ({"X-Business-Use-Case-Usage": "<html>"}, 60),
        ({"Retry-After": "soon"}, 60),
    ],
)
async def test_a_spent_allowance_is_waited_for_as_long_as_meta_says(
    rig: CloudRig, header: dict[str, str], waits: int
) -> None:
    async with connected(rig, Ear()):
        found = await outcome(rig, Act(error=80007, headers=header))
    assert isinstance(found, Deferred)
    assert (found.retry_after, found.scope) == (timedelta(seconds=waits), Scope.ACCOUNT)


# -- what stops

FATURA = Template(name="fatura_hazir", language="tr", places=("mesaj",))
HATIRLATMA = Template(name="hatirlatma", language="tr", places=("mesaj",))


def with_templates(rig: CloudRig) -> None:
    assert rig.setup is not None
    rig.setup = replace(rig.setup, templates={1: FATURA, 2: HATIRLATMA})
    rig.number.templates.add(("hatirlatma", "tr"))


@pytest.mark.parametrize("code", [132001, 132015, 132016])
async def test_a_stopped_template_stops_its_own_messages_and_nobody_elses(rig: CloudRig, code: int) -> None:
    with_templates(rig)
    ear = Ear()
    stranger = replace(rig.outgoing(), heard_at=None, category=1)
    async with connected(rig, ear) as run:
        rig.fake.graph.fail_next(code)
        first = await rig.transport.send(stranger)
        assert isinstance(first, Refused)
        assert (first.reason, first.scope) == (Code.TEMPLATE_STOPPED, Scope.TEMPLATE)
        asked = len(rig.fake.graph.requests)
        waits = await rig.transport.send(replace(rig.outgoing(), heard_at=None, category=1))
        assert isinstance(waits, Deferred)
        assert (waits.reason, waits.pushed_back) == (Code.TEMPLATE_STOPPED, False)
        assert len(rig.fake.graph.requests) == asked, "Meta was not asked again"
        await accepted(rig, replace(rig.outgoing(), heard_at=None, category=2))
        await accepted(rig)
        await rig.until(lambda: ear.news[-1:] == [LineNews.SICK])
        assert not run.done()
        assert LineEvent(news=LineNews.SICK, code=Code.TEMPLATE_STOPPED) in ear.events
        told = TemplateNews(name="fatura_hazir", language="tr", is_usable=True, why="APPROVED")
        assert rig.cloud.read(*signed(rig, template_update("APPROVED"))) == [told]
        await accepted(rig, replace(rig.outgoing(), heard_at=None, category=1))
        await rig.until(lambda: ear.news[-1:] == [LineNews.WELL])


async def test_a_template_that_meta_says_is_paused_is_not_tried(rig: CloudRig) -> None:
    with_templates(rig)
    async with connected(rig, Ear()):
        for event in ("PAUSED", "DISABLED", "REJECTED"):
            rig.cloud.read(*signed(rig, template_update(event)))
            found = await rig.transport.send(replace(rig.outgoing(), heard_at=None, category=1))
            assert isinstance(found, Deferred), event
        await accepted(rig, replace(rig.outgoing(), heard_at=None, category=2))
    async with connected(rig, Ear()):  # a set-up that its owner has changed begins anew
        await accepted(rig, replace(rig.outgoing(), heard_at=None, category=1))


@pytest.mark.parametrize("code", [131048, 131064])
async def test_a_restricted_account_says_so_and_stays_connected(rig: CloudRig, code: int) -> None:
    ear = Ear()
    async with connected(rig, ear) as run:
        rig.fake.graph.fail_next(code)
        found = await rig.transport.send(rig.outgoing())
        assert isinstance(found, Refused)
        assert (found.reason, found.scope) == (Code.NEW_CHATS_RESTRICTED, Scope.ACCOUNT)
        rig.fake.graph.fail_next(code)
        await rig.transport.send(rig.outgoing())
        await accepted(rig)
        await rig.until(lambda: ear.news[-1:] == [LineNews.SICK])
        assert not run.done()
    assert ear.events.count(Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True, stops_bulk=True)) == 1
    assert ear.events.count(LineEvent(news=LineNews.SICK, code=Code.NEW_CHATS_RESTRICTED)) == 1


async def test_news_of_the_number_are_looked_into_at_once(rig: CloudRig) -> None:
    ear = Ear()
    async with connected(rig, ear) as run:
        rig.number.level = "HIGH"
        news = {"event": "THROUGHPUT_UPGRADE", "display_phone_number": "908500000001", "current_limit": "TIER_10K"}
        told = call_of("phone_number_quality_update", news)
        assert rig.cloud.read(*signed(rig, told)) == [NumberNews(what="phone_number_quality_update.THROUGHPUT_UPGRADE")]
        await rig.until(lambda: rig.cloud.number is not None and rig.cloud.number.per_second == 1_000)
        rig.number.status = "BANNED"
        rig.cloud.read(*signed(rig, told))
        await rig.until(run.done)
    assert ear.events[-1] == LineEvent(news=LineNews.BLOCKED, code=Code.NOT_REGISTERED)


def template_update(event: str) -> dict[str, Any]:
    value = {
        "event": event,
        "message_template_id": 1,
        "message_template_name": "fatura_hazir",
        "message_template_language": "tr",
    }
    return {"entry": [{"id": "9", "changes": [{"field": "message_template_status_update", "value": value}]}]}


def call_of(field: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"entry": [{"id": "9", "changes": [{"field": field, "value": value}]}]}


def signed(rig: CloudRig, told: dict[str, Any]) -> tuple[bytes, str]:
    body = json.dumps(told).encode()
    return body, rig.fake.graph.callbacks.sign(body)


async def test_a_mark_that_meta_refuses_or_nobody_hears_is_told(rig: CloudRig) -> None:
    with pytest.raises(GuvercinError) as raised:
        await rig.cloud.mark_read("wamid.1")
    assert raised.value.code is Code.NOT_CONNECTED
    async with connected(rig, Ear()):
        rig.fake.graph.fail_next(100)
        with pytest.raises(GuvercinError) as raised:
            await rig.cloud.mark_read("wamid.yok")
        assert raised.value.code is Code.WHATSAPP_REFUSED
        await rig.cloud.mark_read("wamid.1")


# -- what is sent


@needs_schema
async def test_everything_that_is_sent_keeps_metas_own_schema(rig: CloudRig) -> None:
    assert rig.setup is not None
    templates = {
        1: Template(name="fatura_hazir", language="tr", places=("isim", "mesaj")),
        2: Template(name="fatura_hazir", language="tr"),
    }
    rig.setup = replace(rig.setup, templates=templates)
    async with connected(rig, Ear()):
        await accepted(rig)
        form = replace(rig.outgoing(), heard_at=None, category=1, name="Ayşe")
        await accepted(rig, form)
        await accepted(rig, replace(form, category=2))
        await accepted(rig, replace(form, file=pdf(rig.folder)))
        await rig.cloud.mark_read("wamid.1")
    assert [body.get("type") for body in rig.fake.graph.requests] == ["text", *["template"] * 3, None]
    assert all(body["recipient_type"] == "individual" for body in rig.fake.graph.requests[:-1])


async def test_who_has_not_written_for_a_day_gets_the_template_or_nothing(rig: CloudRig) -> None:
    assert rig.setup is not None
    rig.setup = replace(
        rig.setup, templates={1: Template(name="fatura_hazir", language="tr", places=("mesaj", "isim"))}
    )
    message = replace(rig.outgoing(text="Faturanız\n\thazır."), category=1)
    needed = Refused(reason=Code.NEEDS_TEMPLATE, scope=Scope.RECIPIENT)
    async with connected(rig, Ear()):
        await accepted(rig, replace(message, heard_at=CLOCK.now() - timedelta(hours=23, minutes=59)))
        for heard_at in (None, CLOCK.now() - timedelta(hours=24)):
            await accepted(rig, replace(message, heard_at=heard_at))
            assert await rig.transport.send(replace(message, heard_at=heard_at, category=2)) == needed
    free, *forms = rig.fake.graph.requests
    assert free["text"]["body"] == "Faturanız\n\thazır."
    assert len(forms) == 2
    for form in forms:
        (body,) = form["template"]["components"]
        assert [place["text"] for place in body["parameters"]] == ["Faturanız hazır.", "-"]


async def test_our_log_id_goes_with_every_message(rig: CloudRig) -> None:
    messages = [rig.outgoing(), replace(rig.outgoing(), file=pdf(rig.folder))]
    async with connected(rig, Ear()):
        for message in messages:
            await accepted(rig, message)
    sent = [body["biz_opaque_callback_data"] for body in rig.fake.graph.requests]
    assert sent == [str(message.message_id) for message in messages]


async def test_a_file_is_uploaded_once_for_many_and_again_when_meta_forgot_it(rig: CloudRig) -> None:
    file = pdf(rig.folder)
    async with connected(rig, Ear()):
        await asyncio.gather(*(accepted(rig, replace(rig.outgoing(), file=file)) for _ in range(10)))
        assert rig.fake.graph.uploads == 1
        await accepted(rig, replace(rig.outgoing(), file=replace(pdf(rig.folder, "kopya"), name="FTR-2.pdf")))
        assert rig.fake.graph.uploads == 1
        rig.fake.graph.forget_media()
        first = await rig.transport.send(replace(rig.outgoing(), file=file))
        assert isinstance(first, Deferred)
        assert first.reason is Code.RENEW_MEDIA
        await accepted(rig, replace(rig.outgoing(), file=file))
        assert rig.fake.graph.uploads == 2
    names = [body["document"]["filename"] for body in rig.fake.graph.requests]
    assert {"FTR-001.pdf", "FTR-2.pdf"} == set(names)


async def test_a_caption_longer_than_metas_is_refused_here(rig: CloudRig) -> None:
    message = replace(rig.outgoing(text="x" * 1_025), file=pdf(rig.folder))
    async with connected(rig, Ear()):
        assert await rig.transport.send(message) == Refused(reason=Code.LONG_TEXT)
    assert rig.fake.graph.uploads == 0


# -- what Meta calls to tell


async def test_every_status_is_heard_whatever_its_company(rig: CloudRig) -> None:
    rig.fake.graph.callbacks.habits = Habits(
        batch=7, linger=0.05, duplicates=2, again_after=(0.0, 0.2), shuffle=True, contacts=False, numbers=False
    )
    ear = Ear()
    async with connected(rig, ear):
        answers = await asyncio.gather(*(accepted(rig) for _ in range(20)))
        await rig.until(lambda: rig.fake.graph.callbacks.untaken == 0)
    sent = {answer.remote_id for answer in answers}
    for kind in (ReceiptKind.SERVER, ReceiptKind.DELIVERED, ReceiptKind.READ):
        assert ear.heard(kind) == sent
    assert len(ear.receipts) == 20 * 3 * 3


async def test_a_message_that_failed_later_says_why(rig: CloudRig) -> None:
    ear = Ear()
    async with connected(rig, ear):
        found = await outcome(rig, Act(ladder=("sent", "failed"), failure=131047))
        assert isinstance(found, Accepted)
        await rig.until(lambda: bool(ear.heard(ReceiptKind.FAILED)))
    failed = [event for event in ear.events if isinstance(event, Receipt) and event.kind is ReceiptKind.FAILED]
    assert (failed[0].reason, failed[0].detail) == (Code.NEEDS_TEMPLATE, "131047")


async def test_who_calls_is_checked(rig: CloudRig) -> None:
    body = b'{"entry": []}'
    assert rig.cloud.read(body, None) is HookFault.NO_SIGNATURE
    assert rig.cloud.read(body, "sha256=00") is HookFault.WRONG_SIGNATURE
    assert rig.cloud.read(body, "sha256=ğ") is HookFault.WRONG_SIGNATURE
    assert rig.cloud.read(b"{", rig.fake.graph.callbacks.sign(b"{")) is HookFault.BROKEN
    assert rig.cloud.read(body, rig.fake.graph.callbacks.sign(body)) == []
    assert rig.cloud.greet("dogrulama", "1158201444") == "1158201444"
    assert rig.cloud.greet("baska", "1158201444") is None
