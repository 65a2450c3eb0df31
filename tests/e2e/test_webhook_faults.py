"""Bad receivers before a real server: each is told as what it is, costs nobody else anything, and loses nothing."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.server import Client, Server

from guvercin.core.hook import HookEvent

pytestmark = pytest.mark.e2e

HOOKS = "/api/v1/webhooks"
_ANSWERS = {
    "iyi": b"HTTP/1.1 204 No Content\r\n\r\n",
    "500": b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nyok",
    "yonlendir": b"HTTP/1.1 302 Found\r\nLocation: /iyi\r\nContent-Length: 0\r\n\r\n",
    "kapat": b"",
    "yarim": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nyar",
    "sonsuz": b"HTTP/1.1 200 OK\r\n\r\n",
    "bozuk": b"\x15\x03\x01 not HTTP at all\r\n\r\n",
}


class BadReceiver:
    """Somebody who takes bodies in the way that the path says, until everything is mended."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.taken: dict[str, list[dict[str, Any]]] = {}
        self.is_mended = False
        self._is_over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # who waits in `accept` would go on waiting after a mere close
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._take, args=(connection,), daemon=True).start()

    def _take(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError, IndexError):
            raw = connection.makefile("rb")
            how = raw.readline().split()[1].decode().strip("/")
            length = 0
            while (line := raw.readline().strip()) != b"":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = json.loads(raw.read(length))
            if self.is_mended:
                how = f"{how}:iyi"
            self.taken.setdefault(how, []).append(body)
            if how == "yavas":
                self._is_over.wait(60)
                return
            connection.sendall(_ANSWERS.get(how, _ANSWERS["iyi"]))
            while how == "sonsuz" and not self._is_over.is_set():
                connection.sendall(b"x" * 65_536)


@pytest.fixture
def receiver() -> Iterator[BadReceiver]:
    made = BadReceiver()
    yield made
    made.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "veri", GUVERCIN_WEBHOOK_ALLOW="127.0.0.1") as server:
        yield server


def add(client: Client, url: str, *events: HookEvent) -> int:
    answer = client.ask("POST", HOOKS, {"url": url, "olaylar": list(events)})
    assert answer.status == 201, answer.text
    return int(answer.json["data"]["id"])


def trial(client: Client, hook_id: int) -> dict[str, Any]:
    answer = client.ask("POST", f"{HOOKS}/{hook_id}/dene")
    assert answer.status == 200, answer.text
    return dict(answer.json["data"])


def has_all(receiver: BadReceiver, how: str, sent: set[int]) -> bool:
    return {body["data"]["log_id"] for body in receiver.taken.get(f"{how}:iyi", ())} >= sent


@pytest.mark.parametrize(
    ("how", "is_taken", "status", "why"),
    [
        ("iyi", True, 204, None),
        ("500", False, 500, "olumsuz_yanit"),
        ("yonlendir", False, 302, "yonlendirdi"),
        ("kapat", False, None, "yarida_kesildi"),
        ("yarim", False, None, "yarida_kesildi"),
        ("bozuk", False, None, "yarida_kesildi"),
        ("sonsuz", True, 200, None),
    ],
)
def test_each_fault_is_told_as_what_it_is(
    shop: Server, receiver: BadReceiver, how: str, status: int | None, why: str | None, *, is_taken: bool
) -> None:
    shop.start()
    client = shop.client(shop.first_token())
    tried = trial(client, add(client, f"http://127.0.0.1:{receiver.port}/{how}", HookEvent.SENT))
    assert (tried["kabul"], tried["http"], tried["neden"]) == (is_taken, status, why)
    assert tried["sure_ms"] < 10_000
    assert list(receiver.taken) == [how], "a redirect is not followed"


def test_a_port_without_tls_and_a_name_that_leads_inside(tmp_path: Path, receiver: BadReceiver) -> None:
    with Server(tmp_path / "veri", GUVERCIN_WEBHOOK_ALLOW="127.0.0.1") as server:
        server.start()
        client = server.client(server.first_token())
        tried = trial(client, add(client, f"https://127.0.0.1:{receiver.port}/iyi", HookEvent.SENT))
        assert not tried["kabul"]
        assert tried["neden"] in {"baglanti_yok", "yanit_gelmedi"}, "it hangs up, or waits for more"
    with Server(tmp_path / "kapali") as closed:
        closed.start()
        client = closed.client(closed.first_token())
        tried = trial(client, add(client, "https://localhost:8443/iyi", HookEvent.SENT))
        assert (tried["kabul"], tried["neden"], tried["gelen"]) == (False, "adres_kapali", None)
    assert not receiver.taken


def test_who_answers_nothing_keeps_nobody_waiting_and_loses_nothing(shop: Server, receiver: BadReceiver) -> None:
    shop.start()
    client = shop.client(shop.first_token())
    client.set_gap(0, 1)
    bad = ("yavas", "500", "kapat", "yarim", "yonlendir")
    hooks = [add(client, f"http://127.0.0.1:{receiver.port}/{how}", HookEvent.SENT) for how in (*bad, "iyi")]
    sent = [
        client.post("/gonder", {"telefon": f"+9053212345{number:02}", "mesaj": "Merhaba"}).json["log_id"]
        for number in range(10)
    ]
    shop.until(lambda: len(receiver.taken.get("iyi", ())) >= len(sent), within=10, what="the good one has it all")
    receiver.is_mended = True
    shop.kill()
    shop.start()
    client = shop.client(shop.first_token())
    for hook_id in hooks:  # what an owner does who has mended a receiver
        for state in ("kapali", "aktif"):
            assert client.ask("PATCH", f"{HOOKS}/{hook_id}", {"durum": state}).status == 200
    for how in bad:
        shop.until(partial(has_all, receiver, how, set(sent)), within=60, what=f"everything at {how}")
