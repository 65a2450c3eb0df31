"""Webhooks from a real server to a real receiver, and what is left of them when either is killed, over and over."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 -- each round has its own seed
from typing import Any

import pytest
from tests.conftest import Figures
from tests.e2e.server import Client, Gone, Server, free_port, monotonic
from tests.rounds import rounds

from guvercin.core.hook import HookEvent
from guvercin.store.sqlite import engine_for

pytestmark = pytest.mark.e2e

RECEIVER = Path(__file__).resolve().parents[2] / "examples" / "webhook" / "receiver.py"
HOOKS = "/api/v1/webhooks"
DRAIN_LIMIT = 60.0


class Till:
    """The receiver of the examples, as a shop would run it: a process and a file."""

    def __init__(self, folder: Path, port: int) -> None:
        self.kept = folder / "received.jsonl"
        self.port = port
        self.secret = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhook"

    def start(self) -> None:
        command = [sys.executable, str(RECEIVER), "--port", str(self.port), "--kept", str(self.kept)]
        self.process = subprocess.Popen(
            command, env={"WEBHOOK_SECRET": self.secret}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith(b"http://127.0.0.1:")
        # It says what it takes. To nobody it would say 64 KB, and then wait for somebody to listen.
        self._listener = threading.Thread(target=self.process.stdout.read)
        self._listener.start()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self._listener is not None:
                self._listener.join()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None

    def rows(self) -> list[dict[str, Any]]:
        """Answer what was kept; a line that a kill has cut off was never answered for."""
        lines = self.kept.read_text().splitlines() if self.kept.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def mend(self) -> None:
        """Take away a line that a kill has cut off."""
        if self.kept.exists():
            self.kept.write_text("".join(f"{json.dumps(row)}\n" for row in self.rows()))


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    made = Till(tmp_path, free_port())
    yield made
    made.kill()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "veri", GUVERCIN_WEBHOOK_ALLOW="127.0.0.1") as server:
        yield server


def subscribe(client: Client, till: Till, *events: HookEvent) -> int:
    asked = {"url": till.url, "olaylar": list(events or HookEvent)}
    answer = client.ask("POST", HOOKS, asked)
    assert answer.status == 201, answer.text
    till.secret = answer.json["data"]["secret"]
    return int(answer.json["data"]["id"])


def due(server: Server) -> set[str]:
    """Answer the names of everything that the hook is to hear."""
    kinds = ", ".join(repr(kind.value) for kind in HookEvent)
    with engine_for(server.folder / "guvercin.db", query_only=True).connect() as connection:
        first = connection.exec_driver_sql("SELECT first_id FROM hook").scalar_one()
        rows = connection.exec_driver_sql(f"SELECT id FROM event WHERE id >= {first} AND kind IN ({kinds})")  # noqa: S608 -- our own words
        return {f"msg_{id_}" for (id_,) in rows}


def test_the_first_example_is_delivered_to_the_example_receiver(shop: Server, till: Till) -> None:
    shop.start()
    client = shop.client(shop.first_token())
    subscribe(client, till)
    till.start()
    sent = client.post("/gonder", {"telefon": "+905321234567", "mesaj": "Hello, your invoice is ready."}).json
    shop.until(lambda: len(till.rows()) >= 3, within=20, what="three deliveries")
    assert [row["event"]["type"] for row in till.rows()] == ["mesaj.gonderildi", "mesaj.iletildi", "mesaj.okundu"]
    assert {row["event"]["data"]["log_id"] for row in till.rows()} == {sent["log_id"]}
    assert "invoice" not in till.kept.read_text()
    deliveries = shop.told("webhook", "bildirimler", "1")["data"]
    assert {each["durum"] for each in deliveries} == {"iletildi"}
    assert shop.told("webhook", "dene", "1")["data"]["http"] == 204
    till.secret = "whsec_" + "A" * 43 + "="
    till.kill()
    till.start()
    refused = shop.cli("webhook", "dene", "1")
    assert (refused.returncode, "HTTP 401" in refused.stdout) == (1, True)


def test_without_the_owners_word_no_local_address_is_taken(tmp_path: Path, till: Till) -> None:
    with Server(tmp_path / "kapali") as server:
        server.start()
        client = server.client(server.first_token())
        answer = client.ask("POST", HOOKS, {"url": till.url, "olaylar": ["mesaj.iletildi"]})
        assert (answer.status, answer.json["alanlar"][0]["kod"]) == (422, "adres_kapali")


def test_kill_9_of_server_and_receiver_loses_no_event(shop: Server, till: Till, figures: Figures) -> None:
    kills = rounds(20, 200)
    shop.start()
    token = shop.first_token()
    client = shop.client(token)
    client.set_gap(0, 1)
    subscribe(client, till)
    till.start()
    sent = 0
    for number in range(kills):
        rng = Random(number)
        client = shop.client(token)
        for turn in range(rng.randint(3, 12)):
            ends = rng.choice(("01", "03", "12") * 4 + ("06",))
            try:
                client.post(
                    "/gonder",
                    {"telefon": f"+9050000000{ends}", "mesaj": f"{number}.{turn}"},
                    Prefer="respond-async",
                )
                sent += 1
            except Gone:
                break
        shop.live(rng.uniform(0.02, 0.4))
        if number % 2:
            shop.kill()
            shop.start()
        else:
            till.kill()
            till.mend()
            shop.live(rng.uniform(0.0, 0.3))
            till.start()
    client = shop.client(token)
    # Some go to the number that fails once: two seconds each, one after the other, for they are one person's.
    patience = 60.0 + sent
    shop.until(
        lambda: not client.pages("durum=queued") and not client.pages("durum=sending"), within=patience, what="an end"
    )
    # What an owner does who has mended a receiver: it goes on at once, and doesn't wait for the next try.
    for state in ("kapali", "aktif"):
        assert client.ask("PATCH", f"{HOOKS}/1", {"durum": state}).status == 200
    began = monotonic()
    shop.until(
        lambda: due(shop) <= {row["id"] for row in till.rows()}, within=DRAIN_LIMIT, what=f"all of {len(due(shop))}"
    )
    rows = till.rows()
    assert len({row["id"] for row in rows}) == len(rows), "the receiver of the examples keeps nothing twice"
    assert {row["id"] for row in rows} == due(shop)
    for row in rows:
        assert row["event"]["type"] in set(HookEvent)
    order: dict[int, list[str]] = {}
    for row in rows:
        order.setdefault(row["event"]["data"].get("log_id", 0), []).append(row["event"]["type"])
    figures(kills=kills, messages=sent, events=len(rows), lost=0, drained_in=round(monotonic() - began, 1))
