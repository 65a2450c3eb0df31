"""What a linked phone costs: the real engine, against the WhatsApp test server on the same machine."""

import tempfile
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Figure, micro, middle, milli, share
from bench.load import drive, request
from bench.server import API, CLOCK, Server, served
from guvercin.testing.whatsapp.bed import Bed, running
from guvercin.testing.whatsapp.devices import LinkedDevice

_PEOPLE = 10
_MESSAGES = 300
_CUTS = 5
_OWN = "905301112233"


async def linked() -> list[Figure]:
    """Send through a linked phone without gaps, from `gonder` to WhatsApp's acknowledgement, and cut its line."""
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as folder:
        async with (
            running(Path(folder) / "whatsapp", CLOCK) as bed,
            served(settings=bed.environment) as server,
        ):
            account, device = await _link(server, bed)
            people = [f"+90532000{number:04}" for number in range(_PEOPLE)]
            for person in people:  # the first message to each asks for numbers and keys
                await _send(server, account, person)
            before, waits = server.cpu(), []
            for number in range(_MESSAGES):
                began = CLOCK.monotonic()
                await _send(server, account, people[number % _PEOPLE])
                waits.append(CLOCK.monotonic() - began)
            cost = (server.cpu() - before) / _MESSAGES
            healed = [await _cut(server, bed, account, device) for _ in range(_CUTS)]
    return [
        Figure(name="accept to WhatsApp's acknowledgement, p50", value=milli(middle(waits))),
        Figure(name="… p95", value=milli(share(waits, 0.95)), wanted="≤ 300 ms"),
        Figure(name="our own CPU a message, receipts included (the worker's is not in it)", value=micro(cost)),
        Figure(name="sending again after its socket was cut, p50", value=milli(middle(healed))),
        Figure(name="… the longest", value=milli(max(healed)), wanted="≤ 5,000 ms"),
    ]


async def _link(server: Server, bed: Bed) -> tuple[int, LinkedDevice]:
    """Add an account, link a phone to it, and let it send without gaps."""
    bed.server.welcomes_strangers = True
    phone = bed.server.add_phone(_OWN)
    account = int((await _ask(server, "POST", "/hesaplar", {"isim": "Telefon", "tur": "web"}))["id"])
    link = await _ask(server, "POST", f"/hesaplar/{account}/bagla", {"yontem": "qr"})
    while not link["qr"]:
        await CLOCK.sleep_until(CLOCK.monotonic() + 0.1)
        link = await _ask(server, "GET", f"/hesaplar/{account}/bagla")
    device = await phone.scan(link["qr"])
    while (await _ask(server, "GET", f"/hesaplar/{account}"))["durum"] != "connected":
        await CLOCK.sleep_until(CLOCK.monotonic() + 0.1)
    gap = {"en_az": 0.0, "en_cok": 0.0}
    await _ask(server, "PATCH", f"/hesaplar/{account}", {"araliklar": {"tekli": gap, "toplu": gap}})
    return account, device


async def _cut(server: Server, bed: Bed, account: int, device: LinkedDevice) -> float:
    """Break the connection, and answer the seconds until a message is acknowledged again."""
    connection = device.connection
    if connection is None:
        raise RuntimeError("the phone is not connected")
    began = CLOCK.monotonic()
    await connection.cut()
    await _send(server, account, f"+90533000{len(bed.server.received) % 10_000:04}")
    return CLOCK.monotonic() - began


async def _send(server: Server, account: int, person: str) -> None:
    number = f"{CLOCK.monotonic():.6f}"
    body = {"telefon": person, "mesaj": f"Deneme {number}", "hesap_id": account, "referans": number, "tur_id": 1}
    answer = await _ask(server, "POST", "/gonder", body)
    if not answer.get("message_id"):
        raise RuntimeError(f"it was not acknowledged: {answer}")


async def _ask(server: Server, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Ask for one thing, demand that it was granted, and answer what came of it."""
    written = b"" if body is None else orjson.dumps(body)
    load = await drive(
        server.port, iter([request(method, API + path, token=server.token, body=written)]), connections=1
    )
    if load.refused:
        raise RuntimeError(load.last.decode())
    answer: dict[str, Any] = orjson.loads(load.last.partition(b"\r\n\r\n")[2])
    found: dict[str, Any] = answer.get("data", answer)
    return found
