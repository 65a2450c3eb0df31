"""What people may ask about themselves, over HTTP."""

import httpx2
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.token import Permission

NUMBER = "+905321234567"
PERSON = f"{BASE}/kisiler/%2B905321234567"


async def test_a_number_is_found_however_it_is_written(client: httpx2.AsyncClient) -> None:
    await client.post(f"{BASE}/gonder", json={"telefon": NUMBER, "mesaj": "Merhaba", "isim": "Ayşe"})
    for written in ("%2B905321234567", "05321234567", "0532%20123%2045%2067", "5321234567"):
        held = (await client.get(f"{BASE}/kisiler/{written}")).json()["data"]
        assert held["telefon"] == NUMBER
        assert [(each["mesaj"], each["isim"]) for each in held["mesajlar"]] == [("Merhaba", "Ayşe")]
        assert held["mesajlar"][0]["olaylar"]


async def test_what_was_forgotten_cannot_be_sent_again(client: httpx2.AsyncClient) -> None:
    sent = (await client.post(f"{BASE}/gonder", json={"telefon": NUMBER, "mesaj": "Merhaba"})).json()
    assert (await client.delete(PERSON)).status_code == 200
    row = (await client.get(f"{BASE}/gonderimler/{sent['log_id']}")).json()["data"]
    assert (row["alici"], row["mesaj"], row["isim"]) == ("silindi", "", None)
    assert row["durum"] in {"sent", "delivered", "read"}, "what became of it stays"
    again = await client.post(f"{BASE}/gonderimler/{sent['log_id']}/yeniden-gonder")
    assert (again.status_code, again.json()["kod"]) == (409, "icerik_silindi")
    assert (await client.get(f"{BASE}/durum/{sent['log_id']}")).status_code == 200


async def test_a_hold_stands_in_the_way(client: httpx2.AsyncClient) -> None:
    await client.post(f"{BASE}/gonder", json={"telefon": NUMBER, "mesaj": "Merhaba"})
    held = await client.post(f"{PERSON}/saklama", json={"neden": "2026/114 E."})
    assert held.json()["data"]["neden"] == "2026/114 E."
    refused = await client.delete(PERSON)
    assert (refused.status_code, refused.json()["kod"]) == (409, "yasal_saklama")
    assert (await client.get(PERSON)).json()["data"]["yasal_saklama"]["neden"] == "2026/114 E."
    assert (await client.delete(f"{PERSON}/saklama")).status_code == 200
    assert (await client.delete(f"{PERSON}/saklama")).status_code == 404
    assert (await client.delete(PERSON)).json()["data"]["mesaj"] == 1


async def test_a_message_on_its_way_is_waited_for(server: Server, client: httpx2.AsyncClient) -> None:
    slow = "+905000000004"
    sent = (
        await client.post(f"{BASE}/gonder", json={"telefon": slow, "mesaj": "a"}, headers={"Prefer": "wait=0"})
    ).json()
    while (await client.get(f"{BASE}/durum/{sent['log_id']}")).json()["data"]["durum"] == "queued":
        await server.clock.sleep_until(server.clock.monotonic() + 0.01)
    refused = await client.delete(f"{BASE}/kisiler/{slow.replace('+', '%2B')}")
    assert (refused.status_code, refused.json()["kod"]) == (409, "mesaj_yolda")
    assert int(refused.headers["retry-after"]) > 0


async def test_who_did_it_is_written_down(client: httpx2.AsyncClient) -> None:
    await client.get(PERSON)
    await client.delete(PERSON)
    await client.post(f"{BASE}/ret-listesi", json={"telefon": NUMBER})
    page = (await client.get(f"{BASE}/denetim?limit=3")).json()
    assert [entry["ne"] for entry in page["data"]] == ["ret.eklendi", "kisi.silindi", "kisi.disa_aktarildi"]
    assert {(entry["yol"], entry["adres"], entry["kim"]) for entry in page["data"]} == {("api", "192.0.2.7", "test")}
    assert NUMBER[3:] not in str(page)
    older = (await client.get(f"{BASE}/denetim?limit=3&sonra={page['sonraki']}")).json()
    assert [entry["ne"] for entry in older["data"]] == ["anahtar.uretildi"]
    destroyed = (await client.get(f"{BASE}/imha")).json()["data"]
    (row,) = [row for row in destroyed if row["neden"] != "sure_doldu"]  # at night the hours have their own
    assert (row["neden"], row["bitis"] is None) == ("kisi_istedi", False)


async def test_who_sees_only_some_accounts_may_none_of_it(server: Server, connect: Connect) -> None:
    limited = connect(await server.token(account_ids=frozenset({1})))
    reader = connect(await server.token(permissions=frozenset({Permission.READ})))
    for asker in (limited, reader):
        for method, path in (
            ("GET", PERSON),
            ("DELETE", PERSON),
            ("POST", f"{PERSON}/saklama"),
            ("DELETE", f"{PERSON}/saklama"),
            ("GET", f"{BASE}/denetim"),
            ("GET", f"{BASE}/imha"),
        ):
            answer = await asker.request(method, path, json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()["kod"]) == (403, "yetki_yok"), (method, path)


async def test_what_is_no_number_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{BASE}/kisiler/0532%2012")
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_telefon")
