"""Meta's door and a cloud account from end to end: the real app, the fake Graph at its other end."""

import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded here, handed down as an argument
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.api.conftest import BASE, connecting
from tests.contracts.graph_thread import GraphThread

from guvercin.api.app import create_app
from guvercin.config import Config
from guvercin.core.message import Status
from guvercin.core.token import Permission, TokenRules
from guvercin.gateway.access import create_token
from guvercin.gateway.clock import SystemClock
from guvercin.main.house import House, build
from guvercin.sealing import Seal
from guvercin.store.sqlite_store import SqliteStore
from guvercin.testing.graph import Act, Answering, Habits
from guvercin.testing.graph.callbacks import Item
from guvercin.transports.cloud.setup import Setups

TOKEN, SECRET, WORD, NUMBER = "EAAG-gizli", "uygulama-sirri", "soz-42", "100000000000001"
CLOUD = {
    "numara_id": NUMBER,
    "isletme_id": "900000000000001",
    "erisim_anahtari": TOKEN,
    "uygulama_sirri": SECRET,
    "dogrulama_sozu": WORD,
}
ADD = {"isim": "Bulut", "tur": "cloud", "bulut": CLOUD}
CLOCK = SystemClock()


class Town:
    """The gateway, the fake, and a client that may do everything."""

    def __init__(self, house: House, store: SqliteStore, app: FastAPI, fake: GraphThread, client: Any) -> None:
        self.house, self.store, self.app, self.fake, self.client = house, store, app, fake, client

    async def add(self, **change: Any) -> int:
        answer = await self.client.post(f"{BASE}/hesaplar", json=ADD | change)
        assert answer.status_code == 201, answer.text
        account_id: int = answer.json()["data"]["id"]
        await self.until(lambda: self.house.sessions.is_open(account_id))
        customer = {"from": "905321234567", "id": "wamid.selam", "type": "text", "text": {"body": "Selam"}}
        wrote = Item(key="messages", what=customer | {"timestamp": str(int(CLOCK.now().timestamp()))})
        assert (await self.call(account_id, self.fake.graph.callbacks.body(NUMBER, [wrote]))).status_code == 200
        return account_id

    async def until(self, happened: Callable[[], bool]) -> None:
        end = CLOCK.monotonic() + 20
        while not happened():
            assert CLOCK.monotonic() < end
            await CLOCK.sleep_until(CLOCK.monotonic() + 0.005)

    async def send(self, account_id: int, to: str = "+905321234567", **more: Any) -> httpx2.Response:
        body = {"telefon": to, "mesaj": "Faturanız hazır.", "hesap_id": account_id, "tur_id": 1} | more
        headers = {"Prefer": "wait=2"}
        answer: httpx2.Response = await self.client.post(f"{BASE}/gonder", json=body, headers=headers)
        return answer

    async def status(self, log_id: int) -> str:
        row = await self.store.message(log_id)
        assert row is not None
        return row.status.value

    async def until_status(self, log_id: int, wanted: Status) -> None:
        end = CLOCK.monotonic() + 20
        while (found := await self.status(log_id)) != wanted.value:
            assert CLOCK.monotonic() < end, found
            await CLOCK.sleep_until(CLOCK.monotonic() + 0.01)

    async def call(self, account_id: int, body: bytes, signature: str | None = "") -> httpx2.Response:
        """Call the door as Meta does; an empty signature stands for the right one, null for none."""
        right = self.fake.graph.callbacks.sign(body) if signature == "" else signature
        headers = {} if right is None else {"X-Hub-Signature-256": right}
        answer: httpx2.Response = await self.client.post(f"/meta/webhook/{account_id}", content=body, headers=headers)
        return answer

    def statuses(self, *items: dict[str, Any]) -> bytes:
        return self.fake.graph.callbacks.body(NUMBER, [Item(key="statuses", what=item) for item in items])


@pytest.fixture
def fake() -> Iterator[GraphThread]:
    fake = GraphThread(app_secret=SECRET).start()
    fake.graph.add_number(NUMBER, "+90 850 000 00 01", TOKEN, templates={("fatura_hazir", "tr")})
    yield fake
    fake.stop()


@pytest.fixture
async def town(tmp_path: Path, empty_database: Path, fake: GraphThread) -> AsyncIterator[Town]:
    shutil.copy(empty_database, tmp_path / "guvercin.db")
    config = Config(data_dir=tmp_path, graph_url=fake.url)
    store = SqliteStore(tmp_path)
    await store.open()
    try:
        rng = Random(1)
        house = build(config, store, CLOCK, rng)
        app = create_app(house.gateway, timezone=config.timezone, clock=CLOCK, rng=rng)
        store.listen(app.state.metrics.heard)
        rules = TokenRules(name="test", permissions=frozenset(Permission))
        _, secret = await create_token(store, rules, rng.randbytes(32), now=CLOCK.now())
        await house.loops.start()
        try:
            with connecting(app) as connect:
                async with connect(secret) as client:
                    yield Town(house, store, app, fake, client)
        finally:
            house.gateway.close()
            await house.loops.stop()
    finally:
        await store.close()


def status(remote_id: str, word: str, **more: Any) -> dict[str, Any]:
    return {"id": remote_id, "status": word, "timestamp": "1771846200"} | more


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


# -- setting it up


async def test_an_account_is_checked_with_meta_and_its_secrets_never_come_back(town: Town, tmp_path: Path) -> None:
    answer = await town.client.post(f"{BASE}/hesaplar", json=ADD)
    assert answer.status_code == 201
    row = answer.json()["data"]
    assert (row["tur"], row["telefon"]) == ("cloud", "+908500000001")
    for text in (answer.text, (await town.client.get(f"{BASE}/hesaplar")).text):
        assert not any(word in text for word in (TOKEN, SECRET, WORD))
    kept = tmp_path / "cloud" / f"{row['id']}.sealed"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not any(word.encode() in everything_in(tmp_path) for word in (TOKEN, SECRET, WORD))
    assert (await town.client.delete(f"{BASE}/hesaplar/{row['id']}")).status_code == 200
    assert not kept.exists()


@pytest.mark.parametrize("name", sorted(CLOUD))
async def test_what_is_missing_is_named(town: Town, name: str) -> None:
    answer = await town.client.post(f"{BASE}/hesaplar", json=ADD | {"bulut": CLOUD | {name: None}})
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0]["alan"] == f"bulut.{name}"


@pytest.mark.parametrize(("name", "value"), [("numara_id", "404"), ("erisim_anahtari", "EAAG-baska")])
async def test_what_meta_does_not_know_is_named(town: Town, name: str, value: str) -> None:
    answer = await town.client.post(f"{BASE}/hesaplar", json=ADD | {"bulut": CLOUD | {name: value}})
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0]["alan"] == f"bulut.{name}"
    assert (await town.client.get(f"{BASE}/hesaplar")).json()["data"] == []


async def test_a_meta_that_is_away_is_told(town: Town) -> None:
    town.fake.stop()
    answer = await town.client.post(f"{BASE}/hesaplar", json=ADD)
    assert (answer.status_code, answer.json()["kod"]) == (503, "meta_ulasilamiyor")


async def test_a_new_token_brings_a_blocked_line_back_and_its_queue_with_it(town: Town) -> None:
    account_id = await town.add()
    town.fake.graph.expire(TOKEN)
    answer = await town.client.post(
        f"{BASE}/gonder",
        json={"telefon": "+905321234567", "mesaj": "bekler", "hesap_id": account_id},
        headers={"Prefer": "respond-async"},
    )
    log_id = answer.json()["log_id"]
    await town.until(lambda: not town.house.sessions.is_open(account_id))
    row = (await town.client.get(f"{BASE}/hesaplar/{account_id}")).json()["data"]
    assert (row["durum"], row["kod"], row["eylem"]) == ("disconnected", "anahtar_gecersiz", "metaya_bak")
    assert await town.status(log_id) == "queued"
    town.fake.graph.add_number(NUMBER, "+90 850 000 00 01", "EAAG-yeni")
    changed = await town.client.patch(f"{BASE}/hesaplar/{account_id}", json={"bulut": {"erisim_anahtari": "EAAG-yeni"}})
    assert changed.status_code == 200
    await town.until_status(log_id, Status.SENT)


async def test_an_account_that_meta_closed_is_told_as_banned(town: Town) -> None:
    account_id = await town.add()
    gone = Item(key="", what={"event": "ACCOUNT_DELETED"}, field="account_update")
    assert (await town.call(account_id, town.fake.graph.callbacks.body(NUMBER, [gone]))).status_code == 200
    row = (await town.client.get(f"{BASE}/hesaplar/{account_id}")).json()["data"]
    assert (row["durum"], row["kod"], row["eylem"]) == ("banned", "kapatildi", "metaya_bak")


async def test_a_set_up_that_meta_refuses_changes_nothing(town: Town) -> None:
    account_id = await town.add()
    change = {"isim": "Başka", "bulut": {"erisim_anahtari": "EAAG-yanlis"}}
    assert (await town.client.patch(f"{BASE}/hesaplar/{account_id}", json=change)).status_code == 422
    assert (await town.client.get(f"{BASE}/hesaplar/{account_id}")).json()["data"]["isim"] == "Bulut"
    assert (await town.send(account_id)).status_code == 200


async def test_other_kinds_have_no_set_up_at_meta(town: Town) -> None:
    made = await town.client.post(f"{BASE}/hesaplar", json={"isim": "Deneme", "tur": "sandbox"})
    account_id = made.json()["data"]["id"]
    answer = await town.client.patch(f"{BASE}/hesaplar/{account_id}", json={"bulut": {"numara_id": "1"}})
    assert (answer.status_code, answer.json()["kod"]) == (501, "desteklenmiyor")


# -- the way of a message


async def test_a_message_is_sent_delivered_and_read(town: Town, real_door: Callable[[int], Any]) -> None:
    account_id = await town.add()
    await real_door(account_id)
    answer = await town.send(account_id)
    assert answer.status_code == 200
    log_id = answer.json()["log_id"]
    assert answer.json()["message_id"].startswith("wamid.")
    await town.until_status(log_id, Status.READ)
    (body,) = town.fake.graph.requests
    assert (body["to"], body["biz_opaque_callback_data"]) == ("905321234567", str(log_id))


async def test_a_lost_answer_is_settled_by_the_webhook_alone(town: Town) -> None:
    account_id = await town.add()
    town.fake.graph.script = lambda _: Act(answering=Answering.NEVER, ladder=())
    sent = await town.send(account_id, mesaj="kayıp")
    log_id = sent.json()["log_id"]
    assert await town.status(log_id) == "unknown"
    (arrived,) = town.fake.graph.arrivals
    told = town.statuses(status(arrived.remote_id, "delivered", biz_opaque_callback_data=str(log_id)))
    assert (await town.call(account_id, told)).status_code == 200
    row = await town.store.message(log_id)
    assert row is not None
    assert (row.status, row.remote_id) == (Status.DELIVERED, arrived.remote_id)
    assert len(town.fake.graph.arrivals) == 1
    # what comes later is known by Meta's id alone
    assert (await town.call(account_id, town.statuses(status(arrived.remote_id, "read")))).status_code == 200
    assert await town.status(log_id) == "read"


async def test_who_has_not_written_gets_the_template_of_the_category(town: Town) -> None:
    account_id = await town.add()
    stranger = "+905339876543"
    answer = await town.send(account_id, stranger)
    assert (answer.status_code, answer.json()["kod"]) == (422, "sablon_gerekli")
    assert town.fake.graph.requests == []
    form = {"sablon_adi": "fatura_hazir", "dil": "tr", "yerler": ["isim", "mesaj"]}
    changed = await town.client.patch(f"{BASE}/hesaplar/{account_id}", json={"bulut": {"sablonlar": {"1": form}}})
    assert changed.status_code == 200
    await town.until(lambda: town.house.sessions.is_open(account_id))
    assert (await town.send(account_id, stranger, isim="Veli")).json()["message_id"]
    (body,) = town.fake.graph.requests
    assert [place["text"] for place in body["template"]["components"][0]["parameters"]] == ["Veli", "Faturanız hazır."]
    assert (await town.send(account_id, stranger, tur_id=2, mesaj="Teklifiniz hazır.")).status_code == 422


async def test_what_a_list_knows_of_a_person_fills_the_template(town: Town) -> None:
    account_id = await town.add()
    form = {"sablon_adi": "fatura_hazir", "dil": "tr", "yerler": ["isim", "Tutar TL"]}
    await town.client.patch(f"{BASE}/hesaplar/{account_id}", json={"bulut": {"sablonlar": {"5": form}}})
    known, unknown = "+905339876541", "+905339876542"
    body = {
        "hesap_id": account_id,
        "tur_id": 5,
        "mesaj": "Sayın {isim}, bakiyeniz {tutar tl|ektedir}.",
        "sablon": True,
        "alicilar": [
            {"telefon": known, "isim": "Veli", "degiskenler": {"TUTAR_TL": "1.250,00"}},
            {"telefon": unknown, "isim": "Ayşe", "degiskenler": {"Vade": "yarın"}},
        ],
    }
    answer = await town.client.post(f"{BASE}/toplu-gonder", json=body)
    assert {key: answer.json()[key] for key in ("ok", "total", "sent", "failed")} == {
        "ok": True,
        "total": 2,
        "sent": 1,
        "failed": 1,
    }
    (sent,) = town.fake.graph.requests
    assert sent["to"] == known[1:]
    assert [place["text"] for place in sent["template"]["components"][0]["parameters"]] == ["Veli", "1.250,00"]
    rows = (await town.client.get(f"{BASE}/gonderimler", params={"telefon": unknown})).json()["data"]
    assert [row["neden"] for row in rows] == ["sablon_yeri_bos"]


async def test_a_crowd_goes_at_once_and_one_recipients_messages_in_order(town: Town) -> None:
    account_id = await town.add()
    town.fake.graph.delay = 0.05
    people = [f"+90532765{number:04d}" for number in range(12)]
    form = {"sablon_adi": "fatura_hazir", "dil": "tr", "yerler": ["mesaj"]}
    await town.client.patch(f"{BASE}/hesaplar/{account_id}", json={"bulut": {"sablonlar": {"1": form}}})
    headers = {"Prefer": "respond-async"}
    for turn in range(3):
        for to in people:
            body = {"telefon": to, "mesaj": f"{turn}", "hesap_id": account_id, "tur_id": 1}
            assert (await town.client.post(f"{BASE}/gonder", json=body, headers=headers)).status_code == 202
    await town.until(lambda: len(town.fake.graph.arrivals) == 36)
    for to in people:
        arrived = [each.body for each in town.fake.graph.arrivals if each.body["to"] == to[1:]]
        said = [body["template"]["components"][0]["parameters"][0]["text"] for body in arrived]
        assert said == ["0", "1", "2"]


async def test_meta_saying_no_is_never_our_yes(town: Town) -> None:
    account_id = await town.add()
    town.fake.graph.fail_next(131047)
    answer = await town.send(account_id)
    assert (answer.status_code, answer.json()["kod"]) == (422, "sablon_gerekli")
    town.fake.graph.script = lambda _: Act(answering=Answering.BAD_GATEWAY)
    answer = await town.send(account_id, mesaj="belki")
    assert "message_id" not in answer.json() or answer.json()["message_id"] is None


async def test_a_customer_sees_that_they_were_read(town: Town) -> None:
    account_id = await town.add()
    path = f"{BASE}/hesaplar/{account_id}/okundu"
    answer = await town.client.post(path, json={"message_id": "wamid.selam"})
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    (body,) = town.fake.graph.requests
    assert body == {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.selam"}
    town.fake.graph.fail_next(100)
    answer = await town.client.post(path, json={"message_id": "wamid.yok"})
    assert (answer.status_code, answer.json()["kod"]) == (422, "whatsapp_reddetti")
    assert (await town.client.post(path, json={"message_id": ""})).status_code == 422
    assert (await town.client.post(f"{BASE}/hesaplar/404/okundu", json={"message_id": "x"})).status_code == 404
    await town.client.post(f"{BASE}/hesaplar/{account_id}/duraklat")
    answer = await town.client.post(path, json={"message_id": "wamid.selam"})
    assert (answer.status_code, answer.json()["kod"]) == (409, "hat_bagli_degil")
    made = await town.client.post(f"{BASE}/hesaplar", json={"isim": "Deneme", "tur": "sandbox"})
    answer = await town.client.post(f"{BASE}/hesaplar/{made.json()['data']['id']}/okundu", json={"message_id": "x"})
    assert (answer.status_code, answer.json()["kod"]) == (501, "desteklenmiyor")


async def test_what_nobody_understood_is_kept_and_counted(town: Town) -> None:
    account_id = await town.add()
    path = f"{BASE}/hesaplar/{account_id}/anlasilmayanlar"
    assert (await town.client.get(path)).json()["data"] == []
    moved = {"type": "system", "id": "wamid.9", "system": {"type": "user_changed_number", "new_wa_id": "905330000000"}}
    told = town.fake.graph.callbacks.body(NUMBER, [Item(key="messages", what=moved)])
    assert (await town.call(account_id, told)).status_code == 200
    assert (await town.call(account_id, json.dumps({"entry": [{"changes": [7]}]}).encode())).status_code == 200
    envelope, system = (await town.client.get(path)).json()["data"]
    assert (envelope["ne"], envelope["govde"]) == ("change", "[7]")
    assert system["ne"] == "messages.system"
    assert json.loads(system["govde"]) == moved
    assert "guvercin_not_understood_total 2.0" in (await town.client.get("/metrics")).text


# -- the door


async def test_metas_first_call_is_answered_with_its_challenge(town: Town) -> None:
    account_id = await town.add()
    query = {"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": "<b>1158</b>"}
    answer = await town.client.get(f"/meta/webhook/{account_id}", params=query)
    assert (answer.status_code, answer.text) == (200, "<b>1158</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "baska"}, {"hub.mode": "unsubscribe"}):
        refused = await town.client.get(f"/meta/webhook/{account_id}", params=query | wrong)
        assert (refused.status_code, refused.json()["kod"]) == (403, "imza_gecersiz")


async def test_who_is_not_meta_changes_nothing(town: Town) -> None:
    account_id = await town.add()
    body = town.statuses(status("wamid.1", "read"))
    before = await town.store.last_event_id()
    assert (await town.call(account_id, body, None)).status_code == 401
    assert (await town.call(account_id, body, "sha256=" + "0" * 64)).status_code == 403
    assert (await town.call(account_id, body + b" ", town.fake.graph.callbacks.sign(body))).status_code == 403
    assert (await town.call(account_id, b"{", "")).status_code == 400
    assert (await town.call(404, body)).status_code == 404
    assert (await town.call(0, body)).status_code == 422
    assert await town.store.last_event_id() == before


async def test_the_door_has_one_step_and_two_methods(town: Town) -> None:
    account_id = await town.add()
    wrong = await town.client.delete(f"/meta/webhook/{account_id}")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    for path in ("/meta/webhook/", "/meta/webhook", f"/meta/webhook/{account_id}/", f"/meta/webhook/{account_id}/1"):
        assert (await town.client.post(path, content=b"{}")).status_code == 404


async def test_an_answer_carries_nothing_of_the_one_before(town: Town) -> None:
    account_id = await town.add()
    body = town.statuses(status("wamid.1", "read"))
    answers = [await town.call(account_id, body) for _ in range(3)]
    assert [len(answer.headers.get_list("x-request-id")) for answer in answers] == [1, 1, 1]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    assert {answer.text for answer in answers} == {'{"ok":true}'}


async def test_without_an_app_secret_the_door_is_closed(
    town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account_id = await town.add()
    setups = Setups(tmp_path / "cloud", Seal(tmp_path))
    kept = setups.read(account_id)
    assert kept is not None
    setups.write(account_id, replace(kept, app_secret=""))
    town.house.gateway.meta._setups._known.clear()
    body = town.statuses(status("wamid.1", "read"))
    with caplog.at_level(logging.WARNING):
        assert (await town.call(account_id, body, "sha256=" + "0" * 64)).status_code == 403
    assert "webhook_closed" in caplog.text


async def test_a_batch_of_a_thousand_is_one_change_and_strangers_drop_nobody(town: Town) -> None:
    account_id = await town.add()
    sent = (await town.send(account_id)).json()
    items = [status(f"wamid.baskasi-{number}", "delivered") for number in range(998)]
    items.insert(500, status(sent["message_id"], "delivered"))
    items.insert(501, {"id": 7})
    assert (await town.call(account_id, town.statuses(*items))).status_code == 200
    assert await town.status(sent["log_id"]) == "delivered"
    before = await town.store.last_event_id()
    assert (await town.call(account_id, town.statuses(*items[:501]))).status_code == 200
    assert await town.store.last_event_id() == before, "a repeated webhook makes no second row"


async def test_a_status_may_come_before_our_own_answer(town: Town) -> None:
    account_id = await town.add()
    early = town.statuses(status("wamid.erken", "read"))
    assert (await town.call(account_id, early)).status_code == 200
    town.fake.graph.next_ids.append("wamid.erken")
    sent = (await town.send(account_id)).json()
    assert sent["message_id"] == "wamid.erken"
    assert await town.status(sent["log_id"]) == "read"


async def test_three_megabytes_are_read_and_five_are_not(town: Town) -> None:
    account_id = await town.add()
    sent = (await town.send(account_id)).json()
    filler = [status(f"wamid.{number}", "sent", note="x" * 3_000) for number in range(999)]
    large = town.statuses(*filler, status(sent["message_id"], "delivered"))
    assert len(large) > 3_000_000
    assert (await town.call(account_id, large)).status_code == 200
    assert await town.status(sent["log_id"]) == "delivered"
    assert (await town.call(account_id, b'{"x":"' + b"x" * 5_000_000 + b'"}')).status_code == 413


async def test_a_paused_line_still_hears(town: Town) -> None:
    account_id = await town.add()
    sent = (await town.send(account_id)).json()
    assert (await town.client.post(f"{BASE}/hesaplar/{account_id}/duraklat")).status_code == 200
    assert (await town.call(account_id, town.statuses(status(sent["message_id"], "read")))).status_code == 200
    assert await town.status(sent["log_id"]) == "read"


async def test_no_secret_reaches_the_log(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        account_id = await town.add()
        town.fake.graph.fail_next(131026)
        await town.send(account_id)
        town.fake.graph.fail_next(190)
        await town.send(account_id, mesaj="gizli metin")
    assert not any(word in caplog.text for word in (TOKEN, SECRET, WORD, "gizli metin", "905321234567"))


@pytest.fixture
def real_door(town: Town) -> Callable[[int], Any]:
    """Let the fake's calls reach the app over a real socket, in the fake's own thread."""
    import asyncio

    from aiohttp import web

    loop = asyncio.get_event_loop()

    async def open_door(account_id: int) -> None:
        async def pass_on(request: web.Request) -> web.Response:
            body, signature = await request.read(), request.headers["X-Hub-Signature-256"]
            told = asyncio.run_coroutine_threadsafe(town.call(account_id, body, signature), loop)
            return web.Response(status=(await asyncio.wrap_future(told)).status_code)

        app = web.Application()
        app.router.add_post("/", pass_on)
        town.fake.graph.callbacks.habits = Habits(pauses=(0.05,))
        town.fake.graph.callbacks.urls[NUMBER] = await town.fake.open_door(app) + "/"

    return open_door
