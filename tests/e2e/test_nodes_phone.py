"""A linked phone among several gateways: any of them is asked about it, one runs it, and no other can."""

from pathlib import Path

import pytest
from tests.e2e.conftest import played_by
from tests.e2e.pair import TAKEOVER, TTL, nodes
from tests.e2e.phones import add_phone, linking, until_connected, until_seen
from tests.store.server import Server as Postgres
from tests.transports.web.bedside import Bedside

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]


def test_a_linked_phone_stays_with_the_gateway_that_has_its_session(
    cluster: Postgres, side: Bedside, tmp_path: Path
) -> None:
    with nodes(cluster, tmp_path, "telefon", **played_by(side, tmp_path)) as pair:
        pair.start()
        own, friend = side.person(), side.person()
        account = add_phone(pair.client(0))
        pair.until(lambda: pair.owners().get(account) is not None, within=TAKEOVER, what="a gateway for the phone")
        home = 0 if pair.owners()[account] == pair.name(0) else 1
        other, client = pair.servers[1 - home], pair.client(1 - home)

        # Asked of the gateway that doesn't run it.
        assert client.post(f"/hesaplar/{account}/bagla", {}).status == 200
        side.call_now(own.scan(linking(other, client, account, "gosteriliyor")["qr"]))
        until_connected(other, client, account)
        client.set_gap(0, account)
        first = client.post("/gonder", {"telefon": f"+{friend.number}", "mesaj": "Merhaba", "hesap_id": account})
        assert first.json["ok"], first.text

        # Its gateway is lost: everything moves but the phone, whose messages wait.
        pair.servers[home].kill()
        pair.until(lambda: pair.owners()[1] == pair.name(1 - home), within=TAKEOVER, what="the sandbox's move")
        waiting = client.post(
            "/gonder",
            {"telefon": f"+{friend.number}", "mesaj": "Bekler", "hesap_id": account},
            Prefer="respond-async",
        ).json["log_id"]
        other.live(2 * TTL)
        assert pair.owners()[account] is None
        assert client.pages(f"hesap_id={account}")[0]["durum"] == "queued"

        # Back on its own folder, without a new code.
        pair.servers[home].start()
        until_connected(other, client, account)
        assert until_seen(other, client, waiting) == "read"
        assert pair.owners()[account] == pair.name(home)
        assert [each.text for each in friend.inbox] == ["Merhaba", "Bekler"]
