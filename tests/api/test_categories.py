"""Categories over HTTP: the preset, what may be changed of it, and one's own."""

from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

URL = f"{BASE}/turler"
SERVICE = {"ad": "Servis Randevusu", "sessiz_saat": True, "gecerlilik_dk": 720, "oncelik": "yuksek"}


async def rows(client: httpx2.AsyncClient) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in (await client.get(URL)).json()["data"]}


async def test_the_categories_are_those_of_the_preset(client: httpx2.AsyncClient) -> None:
    found = await rows(client)
    assert list(found) == list(range(1, 11))
    assert list(found[9]) == ["id", "kod", "ad", "ticari", "sessiz_saat", "gecerlilik_dk", "oncelik"]
    assert (found[9]["kod"], found[9]["ticari"], found[9]["oncelik"]) == ("kampanya", True, "en_dusuk")
    assert (found[10]["kod"], found[10]["gecerlilik_dk"]) == ("genel", 24 * 60)


async def test_one_of_ones_own_is_defined_changed_and_dropped(client: httpx2.AsyncClient) -> None:
    made = await client.put(f"{URL}/11", json=SERVICE)
    assert (made.status_code, made.json()["data"]) == (
        200,
        {"id": 11, "kod": "servis_randevusu", "ticari": False, **SERVICE},
    )
    assert (await client.put(f"{URL}/11", json={"ad": "Bakım", "ticari": True})).json()["data"] == {
        "id": 11,
        "kod": "servis_randevusu",
        "ad": "Bakım",
        "ticari": True,
        "sessiz_saat": True,
        "gecerlilik_dk": 720,
        "oncelik": "yuksek",
    }
    assert list(await rows(client)) == list(range(1, 12))
    assert (await client.delete(f"{URL}/11")).json() == {"ok": True}
    assert list(await rows(client)) == list(range(1, 11))
    assert (await client.delete(f"{URL}/11")).status_code == 404


async def test_one_without_a_speaking_name_goes_by_its_number(client: httpx2.AsyncClient) -> None:
    for id_, body, told in ((12, {}, ("tur_12", "Tür 12")), (13, {"ad": "…"}, ("tur_13", "…"))):
        made = (await client.put(f"{URL}/{id_}", json=body)).json()["data"]
        assert (made["kod"], made["ad"]) == told


async def test_how_a_preset_is_sent_may_change_and_what_it_is_may_not(client: httpx2.AsyncClient) -> None:
    changed = await client.put(f"{URL}/1", json={"sessiz_saat": True, "gecerlilik_dk": 60, "oncelik": "dusuk"})
    assert changed.json()["data"] == {
        "id": 1,
        "kod": "fatura",
        "ad": "Fatura",
        "ticari": False,
        "sessiz_saat": True,
        "gecerlilik_dk": 60,
        "oncelik": "dusuk",
    }
    for id_, body, field in ((9, {"ticari": False}, "ticari"), (1, {"ad": "Fiş"}, "ad"), (1, {"kod": "fis"}, "kod")):
        refused = await client.put(f"{URL}/{id_}", json=body)
        assert (refused.status_code, refused.json()["alanlar"][0]["alan"]) == (422, field)
        assert refused.json()["alanlar"][0]["kod"] == "hazir_tur"
    assert (await client.delete(f"{URL}/1")).status_code == 200
    assert (await rows(client))[1]["gecerlilik_dk"] == 48 * 60


@pytest.mark.parametrize(
    ("id_", "body", "field", "fault"),
    [
        (11, {"ad": "  "}, "ad", "bos"),
        (11, {"ad": "Yeni", "kod": "fatura"}, "kod", "kullanimda"),
        (11, {"ad": "Yeni", "kod": "Ş"}, "kod", None),
        (11, {"ad": "Yeni", "gecerlilik_dk": 43_201}, "gecerlilik_dk", None),
        (11, {"ad": "Yeni", "oncelik": "acil"}, "oncelik", "secenek"),
        (100, {"ad": "Yeni"}, "tur_id", "gecersiz_tur"),
    ],
)
async def test_a_bad_definition_is_refused_at_its_field(
    client: httpx2.AsyncClient, id_: int, body: dict[str, Any], field: str, fault: str | None
) -> None:
    before = await rows(client)
    refused = await client.put(f"{URL}/{id_}", json=body)
    assert (refused.status_code, refused.json()["alanlar"][0]["alan"]) == (422, field)
    assert fault is None or refused.json()["alanlar"][0]["kod"] == fault
    assert await rows(client) == before


async def test_a_token_of_some_accounts_changes_nothing_for_all(server: Server, connect: Connect) -> None:
    async with connect(await server.token(account_ids=frozenset({server.account.id}))) as limited:
        assert (await limited.put(f"{URL}/11", json=SERVICE)).status_code == 403
        assert (await limited.delete(f"{URL}/1")).status_code == 403
        assert list(await rows(limited)) == list(range(1, 11))


async def test_a_message_follows_its_category_from_the_moment_of_the_change(
    server: Server, client: httpx2.AsyncClient, connect: Connect
) -> None:
    body = {"telefon": "+905321234567", "mesaj": "Yarın", "tur_id": 11}
    record = await client.post(f"{BASE}/gonder", json=body)
    told = (await client.get(f"{BASE}/gonderimler/{record.json()['log_id']}")).json()["data"]
    assert told["uyari"] == "bilinmeyen_tur"

    async with connect(await server.token(strict_categories=True)) as strict:
        assert (await strict.post(f"{BASE}/gonder", json=body)).json()["kod"] == "gecersiz_tur"
        await client.put(f"{URL}/11", json={**SERVICE, "gecerlilik_dk": 7})
        sent = await strict.post(f"{BASE}/gonder", json={**body, "mesaj": "Öbür gün"})
    assert sent.status_code == 200
    message = await server.store.message(sent.json()["log_id"])
    assert message is not None
    assert (message.expires_at - message.created_at).total_seconds() == 7 * 60
    assert message.warning is None
