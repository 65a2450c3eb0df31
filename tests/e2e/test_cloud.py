"""The official line and a real server process that dies: Meta's statuses settle what nobody heard, and none is lost."""

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.graph_thread import GraphThread
from tests.e2e.server import Client, Server

from guvercin.testing.graph import Act, Answering, Habits

pytestmark = pytest.mark.e2e

NUMBER, TOKEN, SECRET = "100000000000001", "EAAG-gizli", "uygulama-sirri"
FORM = {"sablon_adi": "fatura_hazir", "dil": "tr", "yerler": ["mesaj"]}
CLOUD = {
    "numara_id": NUMBER,
    "isletme_id": "900000000000001",
    "erisim_anahtari": TOKEN,
    "uygulama_sirri": SECRET,
    "dogrulama_sozu": "soz",
    "sablonlar": {"10": FORM},
}
DOOR = "/meta/webhook/2"


@pytest.fixture
def fake() -> Iterator[GraphThread]:
    fake = GraphThread(app_secret=SECRET).start()
    fake.graph.add_number(NUMBER, "+90 850 000 00 01", TOKEN, templates={("fatura_hazir", "tr")})
    fake.graph.callbacks.habits = Habits(pauses=(0.1,))
    yield fake
    fake.stop()


@pytest.fixture
def server(tmp_path: Path, fake: GraphThread) -> Iterator[Server]:
    with Server(tmp_path / "veri", GUVERCIN_GRAPH_URL=fake.url) as server:
        fake.graph.callbacks.urls[NUMBER] = f"http://127.0.0.1:{server.port}{DOOR}"
        yield server


def begin(server: Server) -> Client:
    server.start()
    client = server.client(server.first_token())
    made = client.post("/hesaplar", {"isim": "Bulut", "tur": "cloud", "bulut": CLOUD})
    assert made.status == 201, made.text
    return client


def send(client: Client, number: int) -> int:
    body = {"telefon": f"+90532765{number:04d}", "mesaj": f"Mesaj {number}", "hesap_id": 2}
    log_id: int = client.post("/gonder", body, Prefer="respond-async").json["log_id"]
    return log_id


def states(client: Client) -> set[str]:
    return {row["durum"] for row in client.pages()}


def test_what_kill_9_left_in_doubt_is_settled_by_metas_statuses_alone(server: Server, fake: GraphThread) -> None:
    fake.graph.callbacks.habits = Habits(pauses=(0.1,), after=(1.0, 1.5))
    fake.graph.script = lambda _: Act(answering=Answering.LATE, late=120.0)
    client = begin(server)
    for number in range(12):
        send(client, number)
    server.until(lambda: len(fake.graph.arrivals) == 12, within=20, what="everything is with Meta, and unanswered")
    server.kill()
    fake.graph.script = lambda _: Act()
    server.start()
    again = server.client(server.first_token())
    server.until(lambda: states(again) == {"read"}, within=30, what="every doubt is settled")
    assert len(fake.graph.arrivals) == 12, "nothing was sent again"
    sent = {each.body["biz_opaque_callback_data"]: each.remote_id for each in fake.graph.arrivals}
    assert {str(row["id"]): row["message_id"] for row in again.pages()} == sent


def test_a_status_that_was_answered_survives_kill_9(server: Server, fake: GraphThread) -> None:
    fake.graph.script = lambda _: Act(ladder=())
    client = begin(server)
    for number in range(100):
        send(client, number)
    server.until(lambda: states(client) == {"sent"}, within=30, what="everything is sent")
    for each in fake.graph.arrivals:
        assert call(client, {"id": each.remote_id, "status": "delivered", "timestamp": "1771846200"}) == 200
    server.kill()
    server.start()
    assert states(server.client(server.first_token())) == {"delivered"}


def test_a_file_that_somebody_sent_is_fetched_and_outlives_metas_copy(server: Server, fake: GraphThread) -> None:
    client = begin(server)
    content = b"%PDF-1.4\n%%EOF\n"

    async def send_file() -> str:
        return fake.graph.send_file_to(
            NUMBER, "905321230009", content, kind="document", media_type="application/pdf", filename="sipariş.pdf"
        )

    fake.wait(send_file())
    server.until(lambda: bool(client.get("/gelen").json["data"]), within=20, what="the message")
    (row,) = client.get("/gelen").json["data"]
    answer = client.ask("GET", row["medya"]["dosya_url"])
    assert (answer.status, answer.text.encode()) == (200, content)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''sipari%C5%9F.pdf"
    fake.graph.forget_media()
    server.kill()
    server.start()
    again = server.client(server.first_token()).ask("GET", row["medya"]["dosya_url"])
    assert (again.status, again.text.encode()) == (200, content)


def call(client: Client, status: dict[str, Any]) -> int:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, "statuses": [status]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, sha256).hexdigest()
    return client.ask("POST", DOOR, body, {"X-Hub-Signature-256": signature}).status
