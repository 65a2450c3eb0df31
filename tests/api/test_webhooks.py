"""Webhooks over HTTP: as the vendor's own page prints them, then ours."""

import json
from typing import Any

import httpx2
import pytest
from standardwebhooks import Webhook
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.call import Called, CallTrouble
from guvercin.core.hook import HookEvent

ROOT = "/api/v1/webhooks"
ASKED = {"url": "https://magaza.example/webhook", "olaylar": ["mesaj.iletildi", "mesaj.basarisiz"]}
GIVEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def until(client: httpx2.AsyncClient, path: str, condition: Any) -> Any:
    """Ask until the answer's data is as wanted; each ask lets the loops turn."""
    data: Any = None
    for _ in range(2_000):
        data = (await client.get(path)).json()["data"]
        if condition(data):
            return data
    raise AssertionError(f"it did not come about: {data}")


async def test_it_is_saved_and_listed_as_the_vendor_prints_it(client: httpx2.AsyncClient) -> None:
    answer = await client.post(ROOT, json={**ASKED, "secret": GIVEN})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ROOT}/1"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "success": True,
        "data": {"id": 1, "url": ASKED["url"], "olaylar": ["mesaj.basarisiz", "mesaj.iletildi"], "secret": GIVEN},
        "message": "Webhook kaydedildi.",
    }
    listed = await client.get(ROOT)
    (row,) = listed.json()["data"]
    assert list(row)[:4] == ["id", "url", "olaylar", "durum"]
    assert row["durum"] == "aktif"
    assert "whsec_" not in listed.text + (await client.get(f"{ROOT}/1")).text


async def test_a_secret_is_made_where_none_is_given_and_each_is_another(client: httpx2.AsyncClient) -> None:
    secrets = {(await client.post(ROOT, json=ASKED)).json()["data"]["secret"] for _ in range(3)}
    assert len(secrets) == 3
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in secrets)


@pytest.mark.parametrize(
    ("changed", "field", "fault"),
    [
        ({"url": "http://magaza.example/"}, "url", "https_gerekli"),
        ({"url": "https://192.168.1.5/"}, "url", "adres_kapali"),
        ({"url": "https://127.0.0.1/"}, "url", "adres_kapali"),
        ({"url": "https://169.254.169.254/"}, "url", "adres_kapali"),
        ({"url": "https://magaza.example:22/"}, "url", "kapi_kapali"),
        ({"url": "https://u:p@magaza.example/"}, "url", "adres_okunamadi"),
        ({"url": "magaza.example"}, "url", "gecersiz"),
        ({"url": None}, "url", "tip"),
        ({"olaylar": []}, "olaylar", "kisa"),
        ({"olaylar": ["fatura.olusturuldu"]}, "olaylar.0", "secenek"),
        ({"secret": "whsec_YQ=="}, "secret", "gecersiz_sir"),
        ({"secret": "abc"}, "secret", "gecersiz"),
        ({"hesaplar": []}, "hesaplar", "kisa"),
    ],
)
async def test_what_is_wrong_is_named(client: httpx2.AsyncClient, changed: Any, field: str, fault: str) -> None:
    answer = await client.post(ROOT, json=ASKED | changed)
    assert answer.status_code == 422
    assert [(each["alan"], each["kod"]) for each in answer.json()["alanlar"]] == [(field, fault)]
    assert (await client.get(ROOT)).json()["data"] == []


async def test_a_message_is_delivered_signed_and_shown(server: Server, client: httpx2.AsyncClient) -> None:
    made = (await client.post(ROOT, json={"url": ASKED["url"], "olaylar": list(HookEvent)})).json()["data"]
    sent = await client.post(
        f"{BASE}/gonder", json={"telefon": "+905321234567", "mesaj": "Hello, your invoice is ready."}
    )
    rows = await until(
        client, f"{ROOT}/{made['id']}/bildirimler", lambda data: len(data) >= 2 and data[-1]["durum"] == "iletildi"
    )
    assert rows[-1]["log_id"] == sent.json()["log_id"]
    await until(client, f"{ROOT}/{made['id']}/bildirimler", lambda data: data and data[-1]["durum"] == "iletildi")
    url, body, headers = server.receiver.taken[0]
    assert url == ASKED["url"]
    heard = Webhook(made["secret"]).verify(body, dict(headers))
    assert (heard["type"], heard["data"]["log_id"]) == ("mesaj.gonderildi", sent.json()["log_id"])
    assert headers["webhook-id"] == rows[-1]["webhook_id"]
    assert b"invoice" not in body


async def test_a_refusal_is_shown_and_delivered_again_by_hand(server: Server, client: httpx2.AsyncClient) -> None:
    made = (await client.post(ROOT, json={"url": ASKED["url"], "olaylar": ["mesaj.gonderildi"]})).json()["data"]
    server.receiver.answers = lambda _: Called(trouble=CallTrouble.REFUSED, status=500)
    await client.post(f"{BASE}/gonder", json={"telefon": "+905321234567", "mesaj": "a"})
    path = f"{ROOT}/{made['id']}/bildirimler"
    (row,) = await until(client, path, lambda data: data and data[0]["durum"] == "bekliyor")
    assert (row["http"], row["neden"], row["deneme_sayisi"]) == (500, "olumsuz_yanit", 1)
    assert row["sonraki_deneme"] > row["son_deneme"]
    assert (await client.get(f"{ROOT}/{made['id']}")).json()["data"]["durum"] == "hata_veriyor"
    server.receiver.answers = lambda _: Called(trouble=None, status=200)
    again = await client.post(f"{path}/{row['id']}/yeniden")
    assert again.json() == {"success": True, "message": "Yeniden iletiliyor."}
    await until(client, path, lambda data: data[0]["durum"] == "iletildi")
    assert {headers["webhook-id"] for _, _, headers in server.receiver.heard} == {row["webhook_id"]}


async def test_it_is_changed_closed_opened_and_removed(server: Server, client: httpx2.AsyncClient) -> None:
    await client.post(ROOT, json=ASKED)
    changed = await client.patch(f"{ROOT}/1", json={"url": "https://yeni.example/", "durum": "kapali"})
    assert (changed.json()["data"]["url"], changed.json()["data"]["durum"]) == ("https://yeni.example/", "kapali")
    assert changed.json()["data"]["neden"] == "sahibi_kapatti"
    assert (await client.patch(f"{ROOT}/1", json={"durum": "aktif"})).json()["data"]["durum"] == "aktif"
    renewed = await client.post(f"{ROOT}/1/secret", json={})
    assert renewed.json()["data"]["secret"].startswith("whsec_")
    gone = await client.delete(f"{ROOT}/1", headers={"Accept-Language": "en"})
    assert gone.json() == {"success": True, "message": "Webhook removed."}
    assert (await client.delete(f"{ROOT}/1")).status_code == 404
    assert (await client.get(ROOT)).json()["data"] == []
    assert server.receiver.heard == []


async def test_it_is_tried_out(server: Server, client: httpx2.AsyncClient) -> None:
    made = (await client.post(ROOT, json=ASKED)).json()["data"]
    tried = (await client.post(f"{ROOT}/1/dene")).json()["data"]
    assert (tried["kabul"], tried["http"], json.loads(tried["giden"])["type"]) == (True, 200, "webhook.deneme")
    _, body, headers = server.receiver.taken[0]
    Webhook(made["secret"]).verify(body, dict(headers))
    server.receiver.answers = lambda _: Called(trouble=CallTrouble.CERTIFICATE)
    tried = (await client.post(f"{ROOT}/1/dene")).json()["data"]
    assert (tried["kabul"], tried["neden"], tried["mesaj"]) == (False, "sertifika_gecersiz", "Sertifika geçersiz.")


async def test_there_are_only_so_many(client: httpx2.AsyncClient) -> None:
    answers = [await client.post(ROOT, json=ASKED) for _ in range(51)]
    assert {answer.status_code for answer in answers[:-1]} == {201}
    assert (answers[-1].status_code, answers[-1].json()["kod"]) == (409, "cok_fazla_webhook")


async def test_a_limited_token_sees_and_makes_its_own(
    server: Server, connect: Connect, client: httpx2.AsyncClient
) -> None:
    await client.post(ROOT, json=ASKED)
    async with connect(await server.token(account_ids=frozenset({server.account.id}))) as limited:
        assert (await limited.get(ROOT)).json()["data"] == []
        assert (await limited.post(ROOT, json=ASKED)).status_code == 201
        (row,) = (await limited.get(ROOT)).json()["data"]
        assert row["hesaplar"] == [server.account.id]
        foreign = await limited.post(ROOT, json={**ASKED, "hesaplar": [server.account.id, 99]})
        assert foreign.status_code == 404
    assert len((await client.get(ROOT)).json()["data"]) == 2
