"""The examples do what they say: each is run as its reader would run it, against a real server."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.server import Client, Server

from guvercin.store.sqlite import engine_for

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

LANGUAGES = {
    "curl": ["bash", str(EXAMPLES / "curl" / "gonder.sh")],
    "python": [sys.executable, str(EXAMPLES / "python" / "gonder.py")],
    "php": ["php", str(EXAMPLES / "php" / "gonder.php")],
    "csharp": ["dotnet", "run", "--project", str(EXAMPLES / "csharp")],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all languages; it speaks Turkish to those who ask for nothing else."""
    with Server(tmp_path_factory.mktemp("e2e") / "veri") as server:
        server.start()
        yield server


@pytest.fixture
def client(shop: Server) -> Client:
    return shop.client(shop.first_token())


@pytest.fixture(params=sorted(LANGUAGES))
def command(request: pytest.FixtureRequest) -> list[str]:
    command = LANGUAGES[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")  # its language; the others show the same
    return command


def run(command: list[str], shop: Server, token: str, url: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env={**shop.environment, "GUVERCIN_URL": url or shop.url, "GUVERCIN_TOKEN": token},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def newest(client: Client) -> int:
    """Answer the newest log_id, 0 for an empty log."""
    rows = client.get("/gonderimler?limit=1").json["data"]
    return int(rows[0]["id"]) if rows else 0


def keys_of(shop: Server, log_id: int) -> list[str]:
    """Answer the idempotency keys that made a message."""
    with engine_for(shop.folder / "guvercin.db", query_only=True).connect() as connection:
        asked = "SELECT key FROM idempotency_key WHERE message_id = ?"
        return list(connection.exec_driver_sql(asked, (log_id,)).scalars())


def test_sends_once_and_waits_for_delivery(command: list[str], shop: Server, client: Client) -> None:
    before = newest(client)
    done = run(command, shop, shop.first_token())

    assert (done.stderr, done.returncode) == ("", 0)
    shown = re.fullmatch(r"log_id: (\d+)\ndurum: (delivered|read)\n", done.stdout)
    assert shown is not None, done.stdout
    log_id = int(shown[1])
    assert log_id == newest(client) == before + 1, "one message, and a new one"
    assert len(keys_of(shop, log_id)) == 1
    data = client.get(f"/gonderimler/{log_id}").json["data"]
    assert (data["alici"], data["mesaj"], data["isim"]) == ("+905000000001", "Merhaba, faturanız hazır.", "Ayşe")


def test_names_the_refusal(command: list[str], shop: Server, client: Client) -> None:
    before = newest(client)
    done = run(command, shop, "gv_" + "0" * 64)

    assert done.stdout == ""
    assert re.fullmatch(r"anahtar_gecersiz: \S.*", done.stderr.strip())
    assert done.returncode == 1
    assert newest(client) == before


def test_asks_for_a_token(command: list[str], shop: Server, client: Client) -> None:
    before = newest(client)
    done = run(command, shop, "")

    assert done.returncode == 1
    assert "guvercin anahtar uret" in done.stderr
    assert newest(client) == before


def test_says_that_nobody_answers(command: list[str], shop: Server) -> None:
    done = run(command, shop, "gv_ornek", url="http://127.0.0.1:1")

    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr
