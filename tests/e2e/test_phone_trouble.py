"""What goes wrong with a linked phone in the middle of things, as its owner sees it."""

import json
from collections import Counter
from datetime import datetime

import pytest
from tests.e2e.phones import add_phone, link, state, until_connected, until_seen
from tests.e2e.server import Client, Server
from tests.transports.web.bedside import Bedside

from guvercin.core.pacing import SLOWED
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.testing.whatsapp.phones import Phone

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]

BATCH = 8

GAP = 0.4
"""Seconds between two messages of a batch that is interrupted by a ban."""


def linked(server: Server, side: Bedside) -> tuple[Client, int, Phone]:
    server.start()
    client = server.client(server.token())
    account, own = add_phone(client), side.person()
    link(server, side, client, account, own)
    client.set_gap(0, account)
    return client, account, own


def batch(client: Client, account: int, people: list[Phone]) -> int:
    asked = client.post(
        "/toplu-gonder",
        {"alicilar": [{"telefon": f"+{one.number}"} for one in people], "mesaj": "Duyuru", "hesap_id": account},
        Prefer="respond-async",
    )
    assert asked.status == 202, asked.text
    return int(asked.json["toplu_id"])


def by_status(client: Client, account: int) -> Counter[str]:
    return Counter(row["durum"] for row in client.pages(f"hesap_id={account}"))


def test_banned_in_mid_batch_the_rest_is_held_and_goes_on_after_the_ban(
    phones: Server,
    side: Bedside,
) -> None:
    client, account, own = linked(phones, side)
    client.set_gap(GAP, account)
    people = [side.person() for _ in range(BATCH)]
    side.server.faults.add(
        Fault(at=Point.MESSAGE, act=Act.CUT_AFTER, skip=2, account=own.number),
        Fault(
            at=Point.LOGIN, act=Act.REFUSE, code="402", account=own.number, attrs=(("code", "104"), ("expire", "15"))
        ),
    )
    toplu = batch(client, account, people)
    phones.until(lambda: state(client, account)["durum"] == "banned", within=30, what="the ban")
    banned = state(client, account)
    assert (banned["kod"], banned["eylem"]) == ("yasak_ayni_mesaj", "bekle")
    health = client.get(f"/hesaplar/{account}/saglik").json["data"]
    assert health["bitis_iso"] is not None
    told = phones.cli("hesap", "saglik", str(account)).stdout
    assert "it sent the same message to too many people" in told
    assert "Until:" in told
    assert by_status(client, account)["queued"] >= BATCH - 3

    until_connected(phones, client, account)
    assert client.get(f"/toplu/{toplu}").json["data"]["durum"] == "paused", "a human is asked before the rest goes"
    assert client.post(f"/toplu/{toplu}/devam", {}).status == 200
    phones.until(lambda: by_status(client, account)["read"] == BATCH, within=60, what="the rest")
    assert [len(one.inbox) for one in people] == [1] * BATCH
    # The day after a ban is slow: WhatsApp took each of the rest a fourfold gap after the one before it.
    sent = sorted(datetime.fromisoformat(row["gonderim_zamani_iso"]) for row in client.pages(f"toplu_id={toplu}"))
    after = [moment for moment in sent if moment >= datetime.fromisoformat(health["bitis_iso"])]
    assert len(after) >= BATCH - 3
    took = (after[-1] - after[0]).total_seconds()
    assert took >= (len(after) - 1) * SLOWED * GAP - 1, after  # the log tells whole seconds


def test_unlinked_on_the_phone_in_mid_batch_the_rest_waits_for_a_new_link(
    phones: Server,
    side: Bedside,
) -> None:
    client, account, own = linked(phones, side)
    people = [side.person() for _ in range(BATCH)]
    side.server.faults.add(Fault(at=Point.MESSAGE, act=Act.REMOVED, skip=2, account=own.number))
    batch(client, account, people)
    phones.until(lambda: state(client, account)["kod"] == "cikarildi", within=30, what="the unlinking")
    assert by_status(client, account)["queued"] >= BATCH - 3
    link(phones, side, client, account, own)
    phones.until(lambda: not by_status(client, account)["queued"], within=60, what="the rest")
    phones.until(lambda: not by_status(client, account)["sending"], within=60, what="the rest")
    assert max(len(one.inbox) for one in people) == 1
    assert sum(len(one.inbox) for one in people) >= BATCH - 1
    unknown = {row["alici"] for row in client.pages(f"hesap_id={account}") if row["durum"] == "unknown"}
    assert all(len(one.inbox) == 1 for one in people if f"+{one.number}" not in unknown)


def test_a_removed_account_is_off_the_phone_and_nothing_of_its_session_stays(
    phones: Server,
    side: Bedside,
) -> None:
    client, account, own = linked(phones, side)
    to = side.person()
    sent = client.post("/gonder", {"telefon": f"+{to.number}", "mesaj": "Son", "hesap_id": account})
    assert until_seen(phones, client, sent.json["log_id"]) == "read"
    gone = client.ask("DELETE", f"/api/v1/whatsapp/hesaplar/{account}")
    assert gone.json == {"ok": True, "uyari": None}, gone.text
    phones.until(lambda: not own.devices, within=10, what="the phone's list")
    assert not (phones.folder / "web" / str(account)).exists()
    assert client.get(f"/durum/{sent.json['log_id']}").json["data"]["durum"] == "read"


def test_a_removed_account_whose_line_is_down_says_what_is_left_to_do(
    phones: Server,
    side: Bedside,
) -> None:
    client, account, own = linked(phones, side)
    assert client.post(f"/hesaplar/{account}/duraklat", {}).status == 200
    told = phones.cli("hesap", "sil", str(account), "--evet", "--json")
    assert json.loads(told.stdout) == {"ok": True, "uyari": "telefonda_kaldi"}
    assert "the phone still lists this device" in told.stderr
    assert "Linked devices" in told.stderr
    assert own.devices
    assert not (phones.folder / "web" / str(account)).exists()


def test_what_a_phone_cannot_carry_is_refused_before_it_is_accepted(
    phones: Server,
    side: Bedside,
) -> None:
    client, account, _ = linked(phones, side)
    to = side.person()
    refused = client.post("/gonder", {"telefon": f"+{to.number}", "mesaj": "x" * 4097, "hesap_id": account})
    assert (refused.status, refused.code) == (422, "uzun_mesaj")
    again = phones.cli("hesap", "bagla", str(account))
    assert again.returncode == 1
    assert "linked to this account already" in again.stderr
    assert "baglantiyi-kes" in again.stderr
    assert client.pages(f"hesap_id={account}") == []
    assert to.inbox == []
