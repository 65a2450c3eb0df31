"""The accounts."""

from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.token import Permission

URL = f"{BASE}/hesaplar"
SECOND = {"isim": "İkinci", "tur": "sandbox"}
ROW = ["id", "isim", "telefon", "durum", "varsayilan", "tur", "kod", "eylem", "son_baglanti"]


async def add(client: httpx2.AsyncClient, **change: Any) -> int:
    answer = await client.post(URL, json=SECOND | change)
    account_id: int = answer.json()["data"]["id"]
    return account_id


async def test_the_list_has_the_seeds_keys_first(client: httpx2.AsyncClient) -> None:
    answer = await client.get(URL)
    (row,) = answer.json()["data"]
    assert list(row) == ROW
    assert (row["telefon"], row["durum"], row["varsayilan"]) == ("+905000000000", "connected", True)
    assert (row["tur"], row["kod"], row["eylem"]) == ("sandbox", None, None)


async def test_an_account_is_added_and_the_default_stays(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=SECOND)
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert list(made)[: len(ROW)] == ROW
    assert answer.headers["Location"] == f"{URL}/{made['id']}"
    assert (made["isim"], made["varsayilan"], made["acik"]) == ("İkinci", False, True)
    assert made["araliklar"] == {"tekli": {"en_az": 0.2, "en_cok": 0.2}, "toplu": {"en_az": 0.2, "en_cok": 0.2}}
    assert (await client.get(answer.headers["Location"])).json()["data"]["id"] == made["id"]
    assert [row["varsayilan"] for row in (await client.get(URL)).json()["data"]] == [True, False]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tur": "telegram"}, "tur"),
        ({"tur": None}, "tur"),
        ({"isim": ""}, "isim"),
        ({"isim": "  "}, "isim"),
        ({"isim": "x" * 101}, "isim"),
        ({"isim": 5}, "isim"),
    ],
)
async def test_a_bad_account_is_refused(client: httpx2.AsyncClient, change: dict[str, Any], field: str) -> None:
    answer = await client.post(URL, json=SECOND | change)
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0]["alan"] == field
    assert len((await client.get(URL)).json()["data"]) == 1


async def test_only_what_is_given_changes(client: httpx2.AsyncClient) -> None:
    account_id = await add(client)
    change = {"araliklar": {"toplu": {"en_az": 6, "en_cok": 14.5}}, "belirsiz": "vazgec"}
    answer = await client.patch(f"{URL}/{account_id}", json=change)
    assert answer.status_code == 200
    row = answer.json()["data"]
    assert row["araliklar"] == {"tekli": {"en_az": 0.2, "en_cok": 0.2}, "toplu": {"en_az": 6.0, "en_cok": 14.5}}
    assert (row["isim"], row["belirsiz"]) == ("İkinci", "vazgec")
    row = (await client.patch(f"{URL}/{account_id}", json={"isim": "Muhasebe"})).json()["data"]
    assert (row["isim"], row["belirsiz"]) == ("Muhasebe", "vazgec")
    assert (await client.patch(f"{URL}/{account_id}", json={})).json()["data"] == row


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"isim": ""}, "isim"),
        ({"belirsiz": "sil"}, "belirsiz"),
        ({"araliklar": {"tekli": {"en_az": 2, "en_cok": 1}}}, "araliklar.tekli.en_cok"),
        ({"araliklar": {"tekli": {"en_az": -1, "en_cok": 1}}}, "araliklar.tekli.en_az"),
        ({"araliklar": {"tekli": {"en_az": "1", "en_cok": 1}}}, "araliklar.tekli.en_az"),
        ({"araliklar": {"tekli": {"en_az": 1}}}, "araliklar.tekli.en_cok"),
        ({"araliklar": {"tekli": {"en_az": 1, "en_cok": 3_601}}}, "araliklar.tekli.en_cok"),
        ({"araliklar": [1]}, "araliklar"),
    ],
)
async def test_a_bad_change_is_refused(
    client: httpx2.AsyncClient, server: Server, change: dict[str, Any], field: str
) -> None:
    answer = await client.patch(f"{URL}/{server.account.id}", json=change)
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0]["alan"] == field


async def test_the_default_changes_by_an_explicit_act(client: httpx2.AsyncClient) -> None:
    account_id = await add(client)
    for _ in range(2):
        answer = await client.post(f"{URL}/{account_id}/varsayilan")
        assert (answer.status_code, answer.json()["data"]["varsayilan"]) == (200, True)
    assert [row["varsayilan"] for row in (await client.get(URL)).json()["data"]] == [False, True]


async def test_a_paused_line_says_what_to_do(client: httpx2.AsyncClient, server: Server) -> None:
    for _ in range(2):
        paused = (await client.post(f"{URL}/{server.account.id}/duraklat")).json()["data"]
        assert (paused["durum"], paused["kod"], paused["eylem"]) == ("disconnected", "kapali", "devam")
        assert paused["acik"] is False
    for _ in range(2):
        resumed = (await client.post(f"{URL}/{server.account.id}/devam")).json()["data"]
        assert (resumed["durum"] in {"connecting", "connected"}, resumed["acik"]) == (True, True)
        assert resumed["kod"] is None
        assert resumed["eylem"] is None


async def test_an_account_is_removed_once_it_has_nothing_left_to_do(client: httpx2.AsyncClient, server: Server) -> None:
    account_id = await add(client)
    await server.house.sessions.step(server.clock.now())  # its line exists from the next step on
    assert (await client.post(f"{URL}/{account_id}/duraklat")).status_code == 200
    asked = {"telefon": "+905321234567", "mesaj": "sırada", "hesap_id": account_id}
    log_id = (await client.post(f"{BASE}/gonder", json=asked, headers={"Prefer": "wait=0"})).json()["log_id"]
    answer = await client.delete(f"{URL}/{account_id}")
    assert (answer.status_code, answer.json()["kod"]) == (409, "sirada_mesaj_var")
    await client.post(f"{BASE}/gonderimler/{log_id}/iptal")
    assert (await client.delete(f"{URL}/{account_id}")).json() == {"ok": True, "uyari": None}
    assert (await client.get(f"{URL}/{account_id}")).status_code == 404
    assert (await client.delete(f"{URL}/{account_id}")).status_code == 404
    row = (await client.get(f"{BASE}/durum/{log_id}")).json()["data"]
    assert (row["durum"], row["deneme"]) == ("cancelled", True)


async def test_a_token_sees_its_own_accounts(client: httpx2.AsyncClient, connect: Connect, server: Server) -> None:
    second = await add(client)
    async with connect(await server.token(account_ids=frozenset({second}))) as limited:
        assert [row["id"] for row in (await limited.get(URL)).json()["data"]] == [second]
        foreign = f"{URL}/{server.account.id}"
        assert (await limited.get(foreign)).status_code == 404
        assert (await limited.patch(foreign, json={"isim": "x"})).status_code == 404
        assert (await limited.delete(foreign)).status_code == 404
        for verb in ("varsayilan", "duraklat", "devam"):
            assert (await limited.post(f"{foreign}/{verb}")).status_code == 404
        assert (await limited.post(URL, json=SECOND)).status_code == 403


async def test_changing_accounts_needs_its_permission(connect: Connect, server: Server) -> None:
    async with connect(await server.token(permissions=frozenset({Permission.READ}))) as reader:
        assert (await reader.get(URL)).status_code == 200
        assert (await reader.post(URL, json=SECOND)).status_code == 403
        for verb in ("varsayilan", "duraklat", "devam"):
            assert (await reader.post(f"{URL}/{server.account.id}/{verb}")).status_code == 403
        assert (await reader.delete(f"{URL}/{server.account.id}")).status_code == 403
