"""`POST /toplu-gonder` and `GET /toplu/{id}`."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.token import Permission

URL = f"{BASE}/toplu-gonder"
ALI, VELI = "+905321234567", "+905339876543"
BATCH: dict[str, Any] = {
    "alicilar": [{"telefon": ALI, "isim": "Ali"}, {"telefon": VELI, "isim": "Veli"}],
    "mesaj": "Bakiye hatırlatma",
    "tur_id": 5,
}
SEED_KEYS = ["ok", "total", "sent", "failed"]
OPEN_KEYS = [*SEED_KEYS, "queued", "toplu_id", "durum_url", "tahmini_bitis"]


def batch_of(*numbers: Any) -> dict[str, Any]:
    return BATCH | {"alicilar": [{"telefon": number} for number in numbers]}


async def records(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    """Every row with its text and file, oldest first."""
    rows = (await client.get(f"{BASE}/gonderimler")).json()["data"]
    return [(await client.get(f"{BASE}/gonderimler/{row['id']}")).json()["data"] for row in reversed(rows)]


async def texts(client: httpx2.AsyncClient) -> dict[str, str]:
    return {row["alici"]: row["mesaj"] for row in await records(client)}


async def test_a_finished_batch_answers_the_seeds_four_keys_and_nothing_else(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=BATCH)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == SEED_KEYS
    assert answer.json() == {"ok": True, "total": 2, "sent": 2, "failed": 0}
    assert answer.headers["Location"].startswith(f"{BASE}/toplu/")
    assert answer.headers["X-Guvercin-Deneme"] == "1"
    batch = (await client.get(answer.headers["Location"])).json()["data"]
    assert (batch["durum"], batch["total"], batch["sent"], batch["queued"]) == ("finished", 2, 2, 0)
    assert batch["tahmini_bitis"] is None


@pytest.mark.usefixtures("paused")
async def test_an_unfinished_batch_tells_the_truth_so_far(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=batch_of(ALI, VELI, "0532 123"), headers={"Prefer": "wait=0"})
    assert answer.status_code == 200
    told = answer.json()
    assert list(told) == OPEN_KEYS
    assert (told["total"], told["sent"], told["failed"], told["queued"]) == (3, 0, 1, 2)
    assert told["durum_url"] == answer.headers["Location"] == f"{BASE}/toplu/{told['toplu_id']}"
    assert answer.headers["Preference-Applied"] == "wait=0"
    batch = (await client.get(told["durum_url"])).json()["data"]
    assert (batch["durum"], batch["neden"], batch["deneme"]) == ("running", "kapali", True)
    assert sum(batch["dagilim"].values()) == batch["total"] == 3


@pytest.mark.usefixtures("paused")
async def test_respond_async_answers_202(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=BATCH, headers={"Prefer": "Respond-Async"})
    assert answer.status_code == 202
    assert list(answer.json()) == OPEN_KEYS
    assert answer.headers["Preference-Applied"] == "respond-async"


async def test_bad_and_repeated_numbers_become_failed_rows_and_the_good_ones_go_on(client: httpx2.AsyncClient) -> None:
    numbers = [ALI, "0532 123 45 67", "hatalı numara", 905339876543, "x" * 300]
    answer = await client.post(URL, json=batch_of(*numbers))
    assert answer.json() == {"ok": True, "total": 5, "sent": 2, "failed": 3}
    batch_id = answer.headers["Location"].rpartition("/")[2]
    rows = (await client.get(f"{BASE}/gonderimler", params={"toplu_id": batch_id})).json()["data"]
    told = [(row["alici"][:20], row["durum"], row["neden"]) for row in reversed(rows)]
    assert told[1] == (ALI, "failed", "mukerrer")
    assert told[2] == ("hatalı numara", "failed", "gecersiz_telefon")
    assert told[4][1:] == ("failed", "gecersiz_telefon")
    assert {row["toplu_id"] for row in rows} == {int(batch_id)}


@pytest.mark.parametrize(
    ("bad", "field", "fault"),
    [
        ({"isim": "Ali"}, "alicilar.1.telefon", "zorunlu"),
        ({"telefon": None}, "alicilar.1.telefon", "yazi_degil"),
        ("+905339876543", "alicilar.1", "tip"),
        (None, "alicilar.1", "tip"),
        ({"telefon": VELI, "isim": 5}, "alicilar.1.isim", "tip"),
        ({"telefon": VELI, "referans": "x" * 101}, "alicilar.1.referans", "uzun"),
    ],
)
async def test_an_item_that_is_no_recipient_refuses_the_whole_call(
    client: httpx2.AsyncClient, server: Server, bad: Any, field: str, fault: str
) -> None:
    answer = await client.post(URL, json=BATCH | {"alicilar": [{"telefon": ALI}, bad]})
    assert answer.status_code == 422
    (told,) = answer.json()["alanlar"]
    assert (told["alan"], told["kod"]) == (field, fault)
    assert await server.rows() == 0


async def test_a_long_list_of_bad_items_is_told_in_short(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=BATCH | {"alicilar": [1] * 9_999})
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert len(answer.json()["alanlar"]) <= 100


@pytest.mark.parametrize("recipients", [[], None, {}, "Ali"])
async def test_a_list_that_is_none_is_refused(client: httpx2.AsyncClient, recipients: Any) -> None:
    answer = await client.post(URL, json=BATCH | {"alicilar": recipients})
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0]["alan"] == "alicilar"


async def test_more_than_ten_thousand_recipients_are_too_many(client: httpx2.AsyncClient, server: Server) -> None:
    answer = await client.post(URL, json=batch_of(*range(905_300_000_000, 905_300_010_001)))
    assert (answer.status_code, answer.json()["kod"]) == (413, "cok_fazla_alici")
    assert await server.rows() == 0


@pytest.mark.usefixtures("paused")
async def test_a_batch_may_be_larger_than_other_bodies(client: httpx2.AsyncClient) -> None:
    recipients = [{"telefon": str(number), "isim": "Ş" * 200} for number in range(905_321_000_000, 905_321_003_000)]
    answer = await client.post(URL, json=BATCH | {"alicilar": recipients}, headers={"Prefer": "respond-async"})
    assert len(answer.request.content) > 1_000_000
    assert (answer.status_code, answer.json()["total"]) == (202, 3_000)


async def test_a_template_is_filled_for_each_recipient(client: httpx2.AsyncClient) -> None:
    recipients = [
        {"telefon": ALI, "isim": "Ali", "degiskenler": {"Tutar TL": "1.250,00", "gün": 3}},
        {"telefon": VELI, "degiskenler": {"tutar_tl": "{isim}"}, "mesaj": "Size özel: {tutar_tl}"},
    ]
    text = "Sayın {isim|müşterimiz}, {tutar tl} TL, {GUN|5} gün. {{KDV}} içinde."
    answer = await client.post(URL, json={"alicilar": recipients, "mesaj": text, "sablon": True})
    assert answer.json() == {"ok": True, "total": 2, "sent": 2, "failed": 0}
    assert await texts(client) == {
        ALI: "Sayın Ali, 1.250,00 TL, 3 gün. {KDV} içinde.",
        VELI: "Size özel: {isim}",
    }


async def test_without_a_template_a_brace_is_a_brace(client: httpx2.AsyncClient) -> None:
    recipients = [{"telefon": ALI, "isim": "Ali"}, {"telefon": VELI, "mesaj": "Size {özel"}]
    answer = await client.post(URL, json={"alicilar": recipients, "mesaj": "Sayın {isim"})
    assert answer.json()["sent"] == 2
    assert await texts(client) == {ALI: "Sayın {isim", VELI: "Size {özel"}


@pytest.mark.parametrize(
    ("text", "item", "told"),
    [
        ("Sayın {isim}", {}, ("alicilar.1", "degisken_yok")),
        ("Sayın {isim", {}, ("mesaj", "acik_ayrac")),
        ("{}", {}, ("mesaj", "adsiz_yer")),
        ("Merhaba", {"mesaj": "{tutar}"}, ("alicilar.1.mesaj", "degisken_yok")),
        ("Merhaba", {"mesaj": "x}"}, ("alicilar.1.mesaj", "acik_ayrac")),
        ("Merhaba", {"dosya_yolu": "/{no}.pdf"}, ("alicilar.1.dosya_yolu", "degisken_yok")),
    ],
)
async def test_a_place_that_nothing_fills_refuses_the_whole_list(
    client: httpx2.AsyncClient, server: Server, text: str, item: dict[str, Any], told: tuple[str, str]
) -> None:
    body = {"alicilar": [{"telefon": ALI, "isim": "Ali"}, {"telefon": VELI} | item], "mesaj": text, "sablon": True}
    answer = await client.post(URL, json=body)
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_sablon")
    assert [(each["alan"], each["kod"]) for each in answer.json()["alanlar"]] == [told]
    assert await server.rows() == 0


async def test_a_text_may_become_too_long_by_what_fills_it(client: httpx2.AsyncClient, server: Server) -> None:
    line = {"telefon": ALI, "degiskenler": {"x": "y" * 4_096}}
    answer = await client.post(URL, json={"alicilar": [line], "mesaj": "a{x}", "sablon": True})
    assert (answer.json()["kod"], answer.json()["alanlar"][0]["alan"]) == ("uzun_mesaj", "alicilar.0.mesaj")
    assert await server.rows() == 0


@pytest.mark.parametrize("value", [12.5, True, ["a"], {"a": 1}])
async def test_what_fills_a_place_is_text_or_a_whole_number(client: httpx2.AsyncClient, value: Any) -> None:
    line = {"telefon": ALI, "degiskenler": {"x": value}}
    answer = await client.post(URL, json={"alicilar": [line], "mesaj": "a", "sablon": True})
    assert answer.status_code == 422
    assert answer.json()["alanlar"][0]["alan"].startswith("alicilar.0.degiskenler")


async def test_a_slip_in_every_line_is_told_a_hundred_times_and_no_more(client: httpx2.AsyncClient) -> None:
    body = batch_of(*range(905_321_000_000, 905_321_001_000)) | {"mesaj": "{borç}", "sablon": True}
    answer = await client.post(URL, json=body)
    assert len(answer.json()["alanlar"]) == 100


async def test_everybody_gets_their_own_file(client: httpx2.AsyncClient, server: Server) -> None:
    for name in ("FTR-1.pdf", "FTR-2.pdf"):
        (server.files / name).write_bytes(b"%PDF-1.4 " + name.encode())
    recipients = [
        {"telefon": ALI, "degiskenler": {"no": 1}},
        {"telefon": VELI, "degiskenler": {"no": 2}},
        {"telefon": "0533 000 00 03", "degiskenler": {"no": 3}},
        {"telefon": "0533 000 00 04", "dosya_yolu": "FTR-1.pdf", "degiskenler": {"no": 9}},
    ]
    body = {"alicilar": recipients, "mesaj": "Faturanız", "dosya_yolu": "/FTR-{no}.pdf", "sablon": True}
    answer = await client.post(URL, json=body)
    assert answer.json() == {"ok": True, "total": 4, "sent": 3, "failed": 1}
    rows = await records(client)
    assert [(row["durum"], row["neden"]) for row in rows if row["alici"] == "+905330000003"] == [
        ("failed", "dosya_acilamadi")
    ]
    assert {row["dosya_adi"] for row in await records(client) if row["durum"] != "failed"} == {"FTR-1.pdf", "FTR-2.pdf"}


async def test_files_in_a_bulk_need_the_right_to_send_files(connect: Connect, server: Server) -> None:
    async with connect(await server.token(permissions=frozenset({Permission.BULK}))) as limited:
        body = {"alicilar": [{"telefon": ALI, "dosya_yolu": "FTR-001.pdf"}], "mesaj": "x"}
        answer = await limited.post(URL, json=body)
        assert (answer.status_code, answer.json()["kod"]) == (403, "yetki_yok")


async def test_the_same_keys_empty_are_fine(client: httpx2.AsyncClient) -> None:
    empty: dict[str, Any] = {"degiskenler": [], "mesaj": None, "dosya_yolu": ""}
    answer = await client.post(URL, json=BATCH | {"sablon": False, "alicilar": [{"telefon": ALI} | empty]})
    assert answer.json() == {"ok": True, "total": 1, "sent": 1, "failed": 0}


@pytest.mark.usefixtures("paused")
async def test_a_token_that_counts_accepted_hears_the_seeds_keys_at_once(connect: Connect, server: Server) -> None:
    async with connect(await server.token(counts_accepted=True)) as old_client:
        answer = await old_client.post(URL, json=batch_of(ALI, VELI, "hatalı"))
        assert answer.status_code == 200
        assert list(answer.json()) == SEED_KEYS
        assert answer.json() == {"ok": True, "total": 3, "sent": 2, "failed": 1}
        assert "Location" in answer.headers


@pytest.mark.usefixtures("paused")
async def test_a_batch_sent_again_answers_the_first_one(client: httpx2.AsyncClient, server: Server) -> None:
    first = await client.post(URL, json=BATCH, headers={"Prefer": "respond-async"})
    again = await client.post(URL, json=BATCH, headers={"Prefer": "respond-async"})
    assert again.headers["Tekrar"] == "1"
    assert again.headers["Location"] == first.headers["Location"]
    keyed = await client.post(URL, json=BATCH, headers={"Prefer": "respond-async", "Idempotency-Key": "liste-1"})
    replay = await client.post(URL, json=BATCH, headers={"Prefer": "respond-async", "Idempotency-Key": '"liste-1"'})
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert replay.headers["Location"] == keyed.headers["Location"]
    other = await client.post(URL, json=BATCH | {"mesaj": "x"}, headers={"Idempotency-Key": "liste-1"})
    assert (other.status_code, other.json()["kod"]) == (422, "tekrar_anahtari_uyusmuyor")
    assert await server.rows() <= 4


async def test_a_planned_batch_answers_at_once_and_says_what_it_waits_for(
    client: httpx2.AsyncClient, server: Server
) -> None:
    tomorrow = (server.clock.now() + timedelta(days=1)).isoformat(timespec="seconds")
    answer = await client.post(URL, json=BATCH | {"planlanan_zaman": tomorrow})
    assert (answer.status_code, answer.json()["queued"]) == (200, 2)
    batch = (await client.get(answer.json()["durum_url"])).json()["data"]
    assert batch["neden"] == "zaman"
    assert (batch["dagilim"]["scheduled"], batch["dagilim"]["queued"]) == (2, 0)


async def test_cancelled_rows_count_as_failed_and_apart(client: httpx2.AsyncClient, server: Server) -> None:
    tomorrow = (server.clock.now() + timedelta(days=1)).isoformat(timespec="seconds")
    asked = BATCH | {"planlanan_zaman": tomorrow, "referans": "HTR-1"}
    url = (await client.post(URL, json=asked)).headers["Location"]
    assert (await client.post(f"{BASE}/iptal", json={"referans": "HTR-1"})).json() == {"ok": True, "adet": 2}
    batch = (await client.get(url)).json()["data"]
    assert (batch["durum"], batch["failed"], batch["dagilim"]["cancelled"], batch["dagilim"]["failed"]) == (
        "finished",
        2,
        2,
        0,
    )


async def test_a_foreign_and_an_unknown_batch_are_not_found(
    client: httpx2.AsyncClient, connect: Connect, server: Server
) -> None:
    url = (await client.post(URL, json=BATCH)).headers["Location"]
    async with connect(await server.token(account_ids=frozenset({999}))) as stranger:
        assert (await stranger.get(url)).status_code == 404
    assert (await client.get(f"{BASE}/toplu/999999")).status_code == 404
    assert (await client.get(f"{BASE}/toplu/abc")).status_code == 404, "as on-kontrol, it is no batch"


# -- what its owner decides afterwards


@pytest.mark.usefixtures("paused")
async def test_a_batch_is_paused_resumed_and_cancelled(client: httpx2.AsyncClient) -> None:
    where = (await client.post(URL, json=BATCH, headers={"Prefer": "respond-async"})).headers["Location"]
    told: dict[str, Any] = {}
    for verb, status, reason in (
        ("duraklat", "paused", "toplu_durduruldu"),
        ("duraklat", "paused", "toplu_durduruldu"),
        ("devam", "running", "kapali"),
        ("devam", "running", "kapali"),
        ("iptal", "cancelled", None),
        ("iptal", "cancelled", None),
        ("devam", "cancelled", None),
        ("duraklat", "cancelled", None),
    ):
        answer = await client.post(f"{where}/{verb}")
        assert answer.status_code == 200, answer.text
        told = answer.json()["data"]
        assert (told["durum"], told["neden"]) == (status, reason), verb
        assert told["total"] == told["sent"] + told["failed"] + told["queued"]
        assert answer.json() == (await client.get(where)).json()
    assert (told["dagilim"]["cancelled"], told["failed"]) == (2, 2)


async def test_a_finished_batch_stays_finished(client: httpx2.AsyncClient) -> None:
    where = (await client.post(URL, json=BATCH)).headers["Location"]
    for verb in ("duraklat", "devam", "iptal"):
        assert (await client.post(f"{where}/{verb}")).json()["data"]["durum"] == "finished"


async def test_a_paused_batch_finishes_once_it_may(client: httpx2.AsyncClient, server: Server) -> None:
    async def hold() -> None:
        await client.post(f"{BASE}/hesaplar/{server.account.id}/duraklat")

    await hold()
    where = (await client.post(URL, json=BATCH, headers={"Prefer": "respond-async"})).headers["Location"]
    await client.post(f"{where}/duraklat")
    await client.post(f"{BASE}/hesaplar/{server.account.id}/devam")
    single = await client.post(f"{BASE}/gonder", json={"telefon": ALI, "mesaj": "Tek"})
    assert single.json()["message_id"], "a single overtakes a batch that is paused"
    assert (await client.get(where)).json()["data"]["queued"] == 2
    await client.post(f"{where}/devam")
    again = await client.post(URL, json=BATCH, headers={"Prefer": "wait=20"})
    assert again.headers["Location"] == where
    assert (await client.get(where)).json()["data"]["durum"] == "finished"


@pytest.mark.usefixtures("paused")
async def test_batches_are_listed_newest_first(client: httpx2.AsyncClient) -> None:
    places = [
        (await client.post(URL, json=batch_of(number), headers={"Prefer": "respond-async"})).headers["Location"]
        for number in (ALI, VELI, "0533 000 00 09")
    ]
    ids = [int(place.rpartition("/")[2]) for place in places]
    first = (await client.get(f"{BASE}/toplu?limit=2")).json()
    assert [each["id"] for each in first["data"]] == [ids[2], ids[1]]
    rest = (await client.get(f"{BASE}/toplu", params={"limit": 2, "sonra": first["sonraki"]})).json()
    assert ([each["id"] for each in rest["data"]], rest["sonraki"]) == ([ids[0]], None)
    assert (await client.get(f"{BASE}/toplu?hesap_id=99")).json()["data"] == []


async def test_a_batch_of_another_s_account_is_not_found(
    client: httpx2.AsyncClient, connect: Connect, server: Server
) -> None:
    where = (await client.post(URL, json=BATCH)).headers["Location"]
    async with connect(await server.token(account_ids=frozenset({99}))) as stranger:
        assert (await stranger.get(f"{BASE}/toplu")).json()["data"] == []
        for verb in ("duraklat", "devam", "iptal"):
            assert (await stranger.post(f"{where}/{verb}")).status_code == 404
