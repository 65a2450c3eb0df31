"""A linked phone as its owner lives with it: the real server, the real engine, and a server in WhatsApp's place."""

import json
from collections import Counter
from random import Random  # noqa: TID251 -- each round has its own seed

import pytest
from tests.conftest import Figures
from tests.e2e.phones import (
    add_phone,
    link,
    linking,
    state,
    until_connected,
    until_seen,
)
from tests.e2e.server import API, Client, Server, monotonic
from tests.rounds import rounds
from tests.transports.web.bedside import Bedside

from guvercin.testing.whatsapp.phones import Phone

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]

SEEN = {"delivered", "read"}

PEOPLE = 9
"""Of each round. An account may ask about two hundred numbers a day, and every one here is new to it."""


def test_the_whole_way_of_a_linked_phone(phones: Server, side: Bedside) -> None:
    token = phones.token()
    phones.start()
    client = phones.client(token)
    account = add_phone(client)
    own, first, second, third = (side.person() for _ in range(4))

    # Linked by QR; the code is drawn too, and nobody keeps it.
    assert client.post(f"/hesaplar/{account}/bagla", {}).status == 200
    found = linking(phones, client, account, "gosteriliyor")
    assert found["gecerlilik"] is not None
    picture = client.ask("GET", f"{API}/hesaplar/{account}/bagla/qr.svg")
    assert picture.headers["Cache-Control"] == "no-store"
    assert picture.text.startswith("<?xml")
    side.call_now(own.scan(found["qr"]))
    until_connected(phones, client, account)
    assert state(client, account)["telefon"] == f"+{own.number}"
    assert not state(client, account)["varsayilan"]
    again = client.post(f"/hesaplar/{account}/bagla", {})
    assert (again.status, again.code) == (409, "zaten_bagli")

    # A message that names no account is for people now, and nobody has chosen yet.
    refused = client.post("/gonder", {"telefon": f"+{first.number}", "mesaj": "Merhaba"})
    assert (refused.status, refused.code) == (503, "hesap_yok")
    assert client.post(f"/hesaplar/{account}/varsayilan", {}).status == 200
    client.set_gap(0, account)

    # The seed's three requests.
    sent = client.post("/gonder", {"telefon": f"+{first.number}", "mesaj": "Faturanız hazır", "tur_id": 1})
    assert sent.json["ok"], sent.text
    assert sent.json["message_id"] == first.inbox[0].id
    assert first.inbox[0].text == "Faturanız hazır"
    bulk = client.post(
        "/toplu-gonder",
        {"alicilar": [{"telefon": f"+{one.number}"} for one in (first, second)], "mesaj": "Duyuru", "tur_id": 10},
    )
    assert bulk.json == {"ok": True, "total": 2, "sent": 2, "failed": 0}, bulk.text
    file = client.post(
        "/dosya-gonder", {"telefon": f"+{third.number}", "dosya_yolu": "FTR-001.pdf", "mesaj": "Faturanız"}
    )
    assert file.json["ok"], file.text
    document = third.inbox[0].message.documentWithCaptionMessage.message.documentMessage
    assert (document.fileName, document.caption) == ("FTR-001.pdf", "Faturanız")
    assert side.server.media.fetch(document, "document") == b"%PDF-1.4\n%%EOF\n"
    for log_id in (sent.json["log_id"], file.json["log_id"]):
        assert until_seen(phones, client, log_id) == "read"

    # Killed, and back without a new code.
    phones.kill()
    phones.start()
    client = phones.client(token)
    until_connected(phones, client, account)
    sent = client.post("/gonder", {"telefon": f"+{first.number}", "mesaj": "Hâlâ buradayız"})
    assert sent.json["message_id"], sent.text
    assert [one.text for one in first.inbox] == ["Faturanız hazır", "Duyuru", "Hâlâ buradayız"]

    # What it is and who is there: asked, not remembered.
    health = client.get(f"/hesaplar/{account}/saglik").json["data"]
    assert (health["durum"], health["canli"]) == ("connected", True)
    nobody = side.person()
    nobody.is_registered = False
    for phone, is_there in ((second, True), (nobody, False)):
        looked = client.get(f"/numara-kontrol?telefon=%2B{phone.number}&hesap_id={account}").json["data"]
        assert looked["whatsappta"] is is_there
    refused = client.post("/gonder", {"telefon": f"+{nobody.number}", "mesaj": "Merhaba"})
    assert (refused.status, refused.code) == (422, "numara_whatsappta_degil")
    assert client.post("/gonder", {"telefon": "+905000000001", "mesaj": "x"}).code == "deneme_numarasi"
    assert phones.stop() == 0


def test_a_file_that_somebody_sent_is_fetched_and_outlives_whatsapps_copy(phones: Server, side: Bedside) -> None:
    token = phones.token()
    phones.start()
    client = phones.client(token)
    account = add_phone(client)
    own, customer = side.person(), side.person()
    link(phones, side, client, account, own)
    content = b"%PDF-1.4\n%%EOF\n"
    for name in ("once.pdf", "late.pdf"):
        side.call_now(customer.send_file(own, content + name.encode(), "document", fileName=name))
    phones.until(lambda: len(client.get("/gelen").json["data"]) == 2, within=20, what="the messages")
    late, once = client.get("/gelen").json["data"]
    answer = client.ask("GET", once["medya"]["dosya_url"])
    assert (answer.status, answer.text.encode()) == (200, content + b"once.pdf")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''once.pdf"
    side.server.media.forget()
    gone = client.ask("GET", late["medya"]["dosya_url"])
    assert (gone.status, gone.code) == (410, "gelen_dosya_yok")
    assert client.ask("GET", once["medya"]["dosya_url"]).status == 200, "our own copy asks nobody"


def test_another_number_takes_nothing_over_by_itself(phones: Server, side: Bedside) -> None:
    token = phones.token()
    phones.start()
    client = phones.client(token)
    account = add_phone(client)
    first, other, customer = (side.person() for _ in range(3))
    link(phones, side, client, account, first)
    assert client.post(f"/hesaplar/{account}/baglantiyi-kes", {}).status == 200
    left = state(client, account)
    assert (left["durum"], left["kod"], left["eylem"]) == ("disconnected", "bagli_degil", "bagla")
    message = {"telefon": f"+{customer.number}", "mesaj": "Bakiye", "hesap_id": account}
    log_id = client.post("/gonder", message, Prefer="respond-async").json["log_id"]
    link(phones, side, client, account, other)
    held = client.get(f"/durum/{log_id}").json["data"]
    assert (held["durum"], held["neden"]) == ("queued", "numara_degisti")
    assert customer.inbox == []
    assert phones.cli("kayit", "birak", str(log_id)).returncode == 0
    assert until_seen(phones, client, log_id) == "read"
    assert [one.sender.phone for one in customer.inbox] == [other]


def test_linking_with_a_code_from_the_terminal(phones: Server, side: Bedside) -> None:
    phones.start()
    token = phones.token()
    client = phones.client(token)
    account = add_phone(client)
    own = side.person()
    begun = client.post(f"/hesaplar/{account}/bagla", {"yontem": "kod", "telefon": f"+{own.number}"})
    assert begun.status == 200, begun.text
    found = linking(phones, client, account, "gosteriliyor")
    assert found["qr"] is None
    side.call_now(own.type_code(found["kod"]))
    until_connected(phones, client, account)
    told = phones.cli("hesap", "bagla", str(account))
    assert told.returncode == 1
    assert "Already linked" in told.stderr or "linked to this account already" in told.stderr
    health = json.loads(phones.cli("hesap", "saglik", str(account), "--json").stdout)
    assert health["data"]["canli"] is True


def test_the_server_killed_in_mid_batch_loses_and_doubles_nothing(
    phones: Server, side: Bedside, figures: Figures
) -> None:
    token = phones.token()
    phones.start()
    client = phones.client(token)
    account = add_phone(client)
    link(phones, side, client, account, side.person())
    client.set_gap(0, account)
    count = rounds(3, 20)
    people = [side.person() for _ in range(PEOPLE * count)]
    back: list[float] = []
    for number in range(count):
        rng = Random(number)
        group = people[number * PEOPLE : (number + 1) * PEOPLE]
        asked = client.post(
            "/toplu-gonder",
            {
                "alicilar": [{"telefon": f"+{one.number}"} for one in group],
                "mesaj": f"Tur {number}",
                "hesap_id": account,
            },
            Prefer="respond-async",
        )
        assert asked.status == 202, asked.text
        phones.live(rng.uniform(0.05, 1.0))
        phones.kill()
        began = monotonic()
        phones.start()
        client = phones.client(token)
        until_connected(phones, client, account)
        back.append(monotonic() - began)
    phones.until(lambda: not client.pages("durum=queued") and not client.pages("durum=sending"), within=60, what="end")
    rows = client.pages(f"hesap_id={account}")
    phones.until(lambda: all_settled(client, account, people), within=60, what="evidence")
    rows = client.pages(f"hesap_id={account}")
    arrived = Counter(one.to.number for one in side.server.received if one.to in people and one.to is not None)
    assert max(arrived.values()) == 1, "somebody got it twice"
    states = Counter(row["durum"] for row in rows)
    assert len(rows) == len(people)
    for row in rows:
        number = row["alici"].removeprefix("+")
        if row["durum"] in {"sent", "delivered", "read"}:
            assert arrived[number] == 1, row
        else:
            assert (row["durum"], arrived[number]) == ("unknown", 0), row
    assert states["unknown"] <= count
    figures(kills=count, messages=len(people), unknown=states["unknown"], slowest_return=round(max(back), 1))


def all_settled(client: Client, account: int, people: list[Phone]) -> bool:
    """Say whether no doubt is left of a message that did arrive."""
    there = {f"+{one.number}" for one in people if one.inbox}
    return not any(row["alici"] in there for row in client.pages(f"hesap_id={account}&durum=unknown"))
