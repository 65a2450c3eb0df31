"""The first minutes, and what must never be said: a token is shown once, and no log knows a number or a text."""

import re
import stat
from pathlib import Path

import pytest
from tests.e2e.server import API, Server

pytestmark = pytest.mark.e2e

TOKEN = re.compile(r"gv_[0-9a-f]{64}")
REFUSED = {"telefon": "+905321234567", "mesaj": "Reddedilen gizli cümle"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_a_terminal_the_first_token_lies_in_a_private_file(server: Server) -> None:
    server.start()
    said = server.said()
    assert TOKEN.findall(said) == []
    file = server.folder / "ilk-anahtar.txt"
    assert str(file) in said
    assert (mode(server.folder), mode(file)) == (0o700, 0o600)
    assert [path for path in server.folder.rglob("*") if mode(path) & 0o077] == [], "others may look in"
    first = server.first_token()
    assert server.client(first).get("/hesaplar").status == 200
    server.stop()

    server.start()
    assert server.first_token() == first
    assert [token["ad"] for token in server.told("anahtar", "liste")["data"]] == ["ilk anahtar"]
    assert TOKEN.findall(server.said()) == []


def test_in_a_terminal_the_first_token_is_shown_once(server: Server) -> None:
    screen = server.spawn_in_terminal()
    server.until(lambda: "Ctrl+C" in screen.text, within=30, what="the greeting")
    (token,) = set(TOKEN.findall(screen.text))
    assert not (server.folder / "ilk-anahtar.txt").exists()
    assert server.client(token).get("/hesaplar").status == 200
    assert server.stop() == 0
    screen.close()

    screen = server.spawn_in_terminal()
    server.until(lambda: "Ctrl+C" in screen.text, within=30, what="the greeting")
    assert TOKEN.findall(screen.text) == []
    assert server.stop() == 0
    screen.close()
    assert [token["ad"] for token in server.told("anahtar", "liste")["data"]] == ["ilk anahtar"]


def test_a_folder_that_others_could_read_is_closed(server: Server) -> None:
    server.folder.mkdir(mode=0o755)
    server.start()
    assert mode(server.folder) == 0o700


def test_no_log_knows_a_token_a_number_or_a_text(tmp_path: Path) -> None:
    """Everything that can be asked wrongly and rightly, at the most talkative level."""
    with Server(tmp_path / "veri", GUVERCIN_LOG_LEVEL="debug") as server:
        server.start("--ornek")
        token = server.first_token()
        client = server.client(token)
        wrong = "gv_" + "0" * 64
        file = {"telefon": "+905321234567", "dosya_yolu": "faturalar/FTR-001.pdf"}
        for number in ("+905321234567", "0532 123 45 67", "+90 532 12", *(f"+9050000000{n:02}" for n in range(1, 13))):
            body = {"telefon": number, "mesaj": "Gizli cümle", "isim": "Ayşe Gizli"}
            client.post("/gonder", body, Prefer="wait=0", Idempotency_Key="gizli-anahtar")
            client.post("/gonder", {**body, "referans": number}, Prefer="wait=0")
        client.post("/gonder", {"telefon": ["+905321234567"], "mesaj": {"gizli": "Gizli cümle"}})
        client.post("/gonder", '{"telefon": "+905321234567", "mesaj": "Gizli cümle"'.encode())
        client.post("/toplu-gonder", {"alicilar": [{"telefon": "+905321234567"}], "mesaj": "Gizli"}, Prefer="wait=0")
        client.post("/dosya-gonder", file, Prefer="wait=0")
        client.post("/dosya-gonder", {**file, "dosya_yolu": "../../gizli.pdf"})
        client.post("/iptal", {"referans": "+905321234567"})
        for path in ("/gonderimler?telefon=%2B905321234567", "/+905321234567", "/durum/905321234567", "/durum/1"):
            client.get(path)
        server.client(wrong).get("/hesaplar")
        client.ask("GET", f"{API}/hesaplar?token={token}")
        server.limit_files(20_000)  # logs are smaller than this, the database is larger
        client.post("/gonder", {"telefon": "+905321234567", "mesaj": "Reddedilen gizli cümle"})
        client.post("/dosya-gonder", {**file, "mesaj": "Gizli"})
        client.post("/hesaplar", {"isim": "Gizli Hesap", "tur": "sandbox"})
        server.limit_files(-1)
        server.until(server.is_ready, within=10, what="readiness")
        assert server.stop() == 0
        for words in (("durum", "1", "--ayrinti"), ("anahtar", "liste"), ("gonder", "0532 12", "Gizli", "--ayrinti")):
            said = server.cli(*words, GUVERCIN_LOG_LEVEL="debug")
            assert TOKEN.search(said.stdout + said.stderr) is None
            assert "Gizli" not in said.stderr, said.stderr

        printed, logged = server.said("out"), server.said("err")
        assert "store_unavailable" in logged, "the fault was told of"
        for secret in (token, wrong, "321234567", "izli", "DENEME-", "Ayşe"):
            assert secret not in printed + logged, [line for line in logged.splitlines() if secret in line]
        assert "500000000" not in logged, "the number in the command that is printed is nobody's"
