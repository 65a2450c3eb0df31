"""A server with phones linked to it, as its owner sees it: what the tests of linked phones share."""

from typing import Any

from tests.e2e.server import Client, Server
from tests.transports.web.bedside import Bedside

from guvercin.testing.whatsapp.phones import Phone


def add_phone(client: Client) -> int:
    added = client.post("/hesaplar", {"isim": "Mağaza", "tur": "web"})
    assert added.status == 201, added.text
    assert added.json["data"]["telefon"] is None
    return int(added.json["data"]["id"])


def linking(server: Server, client: Client, account: int, wanted: str) -> dict[str, Any]:
    """Wait until linking has come so far."""
    found: dict[str, Any] = {}

    def has_come() -> bool:
        found.update(client.get(f"/hesaplar/{account}/bagla").json["data"])
        return bool(found["durum"] == wanted)

    server.until(has_come, within=30, what=f"linking: {wanted}")
    return found


def link(server: Server, side: Bedside, client: Client, account: int, phone: Phone) -> None:
    begun = client.post(f"/hesaplar/{account}/bagla", {"yontem": "qr"})
    assert begun.status == 200, begun.text
    found = linking(server, client, account, "gosteriliyor")
    side.call_now(phone.scan(found["qr"]))
    until_connected(server, client, account)
    assert linking(server, client, account, "baglandi")["telefon"] == f"+{phone.number}"


def state(client: Client, account: int) -> dict[str, Any]:
    (found,) = [one for one in client.get("/hesaplar").json["data"] if one["id"] == account]
    assert isinstance(found, dict)
    return found


def until_connected(server: Server, client: Client, account: int) -> None:
    server.until(lambda: bool(state(client, account)["durum"] == "connected"), within=30, what="the line")


def until_seen(server: Server, client: Client, log_id: int) -> str:
    status = ""

    def is_seen() -> bool:
        nonlocal status
        status = client.get(f"/durum/{log_id}").json["data"]["durum"]
        return bool(status == "read")

    server.until(is_seen, within=20, what="the receipts")
    return status
