"""The inbox over HTTP: what people wrote, in pages and narrowed, and what was read of it."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import Inbound
from guvercin.core.token import Permission

AYSE, BORA = "+905321234567", "+905331234567"
INBOX = f"{BASE}/gelen"


async def hear(server: Server, number: int, who: str = AYSE, **more: Any) -> None:
    wrote = Inbound(remote_id=f"I-{number}", sender=who, text=f"Mesaj {number}", at=server.clock.now())
    await server.store.receive_inbound(server.account.id, replace(wrote, **more), now=server.clock.now())


async def test_a_message_as_it_is_listed(server: Server, client: httpx2.AsyncClient) -> None:
    empty = (await client.get(INBOX)).json()
    assert empty == {"ok": True, "data": [], "okunmamis": 0, "sonraki": None}
    await hear(
        server,
        1,
        kind=InboundKind.IMAGE,
        sender_name="Ayşe",
        media=Media(type="image/jpeg", size=48_213),
        text="Bu mu?",
    )
    answer = (await client.get(INBOX)).json()
    (row,) = answer["data"]
    assert list(row) == [
        *("id", "hesap_id", "gonderen", "isim", "tip", "metin", "medya", "message_id", "zaman", "zaman_iso"),
        *("alinma_zamani", "alinma_zamani_iso", "okundu", "okunma_zamani"),
    ]
    assert (row["gonderen"], row["isim"], row["tip"], row["metin"]) == (AYSE, "Ayşe", "gorsel", "Bu mu?")
    assert row["medya"] == {"tur": "image/jpeg", "ad": None, "boyut": 48_213, "dosya_url": None}
    assert (row["message_id"], row["okundu"], row["okunma_zamani"], answer["okunmamis"]) == ("I-1", False, None, 1)
    assert (await client.get(f"{INBOX}/{row['id']}")).json()["data"] == row


async def test_pages_and_filters(server: Server, client: httpx2.AsyncClient) -> None:
    for number in range(5):
        await hear(server, number, (AYSE, BORA)[number % 2])
    first = await client.get(INBOX, params={"limit": 2})
    assert [row["metin"] for row in first.json()["data"]] == ["Mesaj 4", "Mesaj 3"]
    assert first.headers["link"].endswith('rel="next"')
    second = (await client.get(INBOX, params={"limit": 2, "sonra": first.json()["sonraki"]})).json()
    assert [row["metin"] for row in second["data"]] == ["Mesaj 2", "Mesaj 1"]
    of_bora = (await client.get(INBOX, params={"gonderen": "0533 123 45 67"})).json()["data"]
    assert [row["metin"] for row in of_bora] == ["Mesaj 3", "Mesaj 1"]
    assert (await client.get(INBOX, params={"gonderen": "TR.13491"})).json()["data"] == []
    assert (await client.get(INBOX, params={"hesap_id": 99})).json()["data"] == []
    assert len((await client.get(INBOX, params={"baslangic": "2020-01-01"})).json()["data"]) == 5
    assert (await client.get(INBOX, params={"baslangic": "2099-01-01 10:00:00"})).json()["data"] == []


async def test_read_one_by_one_and_all_that_was_seen(server: Server, client: httpx2.AsyncClient) -> None:
    for number in range(4):
        await hear(server, number, (AYSE, BORA)[number % 2])
    ids = [row["id"] for row in (await client.get(INBOX)).json()["data"]]
    for _ in range(2):
        done = (await client.post(f"{INBOX}/{ids[0]}/okundu")).json()
        assert (done["data"]["okundu"], done["data"]["okunma_zamani"] is None) == (True, False)
    left = (await client.get(INBOX, params={"okundu": "false"})).json()
    assert ([row["id"] for row in left["data"]], left["okunmamis"]) == (ids[1:], 3)
    of_ayse = await client.post(f"{INBOX}/okundu", json={"son_id": ids[0], "gonderen": "0532 123 45 67"})
    assert of_ayse.json() == {"ok": True, "adet": 2}
    assert (await client.post(f"{INBOX}/okundu", json={"son_id": ids[-1]})).json()["adet"] == 0
    assert (await client.post(f"{INBOX}/okundu", json={"son_id": ids[0]})).json()["adet"] == 1
    assert (await client.get(INBOX, params={"okundu": "true"})).json()["okunmamis"] == 0


async def test_whom_it_is_shown_to_and_who_may_mark(server: Server, connect: Connect) -> None:
    await hear(server, 1)
    reader = await server.token(permissions=frozenset({Permission.READ}))
    async with connect(reader) as client:
        (row,) = (await client.get(INBOX)).json()["data"]
        assert (await client.post(f"{INBOX}/{row['id']}/okundu")).status_code == 403
        assert (await client.post(f"{INBOX}/okundu", json={"son_id": 1})).status_code == 403
    async with connect(await server.token(permissions=frozenset({Permission.SEND}))) as client:
        assert (await client.get(INBOX)).status_code == 403
    async with connect(await server.token(account_ids=frozenset({99}))) as client:
        assert (await client.get(INBOX)).json() == {"ok": True, "data": [], "okunmamis": 0, "sonraki": None}
        assert (await client.get(f"{INBOX}/{row['id']}")).status_code == 404
        assert (await client.post(f"{INBOX}/{row['id']}/okundu")).status_code == 404
        assert (await client.post(f"{INBOX}/okundu", json={"son_id": 9})).json()["adet"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "okundu=belki", "sonra=x", "baslangic=dün", "hesap_id=0"])
async def test_what_makes_no_sense_is_refused(client: httpx2.AsyncClient, query: str) -> None:
    assert (await client.get(f"{INBOX}?{query}")).status_code == 422


async def test_a_message_that_is_not_there(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"{INBOX}/9")).status_code == 404
    assert (await client.post(f"{INBOX}/9/okundu")).status_code == 404
    assert (await client.post(f"{INBOX}/okundu", json={})).status_code == 422


async def test_the_feed_tells_the_whole_of_it(server: Server, client: httpx2.AsyncClient) -> None:
    await hear(server, 1, sender_name="Ayşe")
    (event,) = (await client.get(f"{BASE}/olaylar?olaylar=mesaj.alindi")).json()["data"]
    (row,) = (await client.get(INBOX)).json()["data"]
    shared = {name: row[name] for name in row if not name.startswith(("alinma", "okun"))}
    assert event["data"] == shared | {"kisaltildi": False}


async def test_the_sandbox_answers_into_the_inbox(server: Server, client: httpx2.AsyncClient) -> None:
    await client.post(f"{BASE}/gonder", json={"telefon": "+905000000005", "mesaj": "Merhaba"})
    rows: list[dict[str, Any]] = []
    for _ in range(200):
        rows = (await client.get(INBOX)).json()["data"]
        if rows:
            break
        await server.clock.sleep_until(server.clock.monotonic() + 0.1)
    assert [(row["gonderen"], row["metin"]) for row in rows] == [("+905000000005", "DUR")]
