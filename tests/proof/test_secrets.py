"""On the real server: no secret in any byte that leaves it, and no bound that raw bytes can get around."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.e2e.server import API, Client, Server, monotonic

from guvercin.api.app import document
from guvercin.api.connections import ROOM

pytestmark = pytest.mark.e2e

READ = 256 * 1024
"""What one read of a socket may hold: counted by nobody before the bound is looked at."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("secrets") / "veri", GUVERCIN_LOG_LEVEL="debug") as server:
        server.start("--ornek")
        yield server


def everything(client: Client) -> Iterator[str]:
    """Ask for every documented operation and every page, well and badly; answer all that comes back but a first body.

    The ids are small, so that most of them are there.
    """
    bodies = (
        {"telefon": "+905000000001", "mesaj": "a", "isim": "x", "tur": "sandbox", "referans": "R"},
        {"alicilar": [{"telefon": "+905000000001"}], "mesaj": "a"},
        {"telefon": "+905000000001", "dosya_yolu": "faturalar/FTR-001.pdf"},
        {"telefon": 1, "mesaj": []},
    )
    for path, operations in document()["paths"].items():
        for method in operations:
            if method == "delete":
                continue
            where = path.replace("{logId}", "1").replace("{log_id}", "1").replace("{batch_id}", "1")
            for body in bodies if method in {"post", "patch"} else (None,):
                answer = client.ask(
                    method.upper(), where.replace("{account_id}", "1"), body, {"Prefer": "respond-async"}
                )
                assert answer.status < 500 or answer.code == "desteklenmiyor", answer.text
                yield answer.text + str(answer.headers)
    for page in ("/belge", "/hatalar", "/hatalar/anahtar_gecersiz", "/openapi.json", "/yok", "/"):
        answer = client.ask("GET", page)
        yield answer.text + str(answer.headers)


def test_no_secret_leaves_in_any_byte(server: Server) -> None:
    """Every route, every command, every log, every file and every argument; only the file of the first token has it."""
    secret = server.first_token()
    wrong = "gv_" + "5ec2e7" * 10
    parts = (secret, secret[20:], wrong, wrong[20:])
    seen = list(everything(server.client(secret)))
    seen += everything_refused(server, wrong)
    assert server.process is not None
    for folder in Path("/proc").glob("[0-9]*"):  # our own processes: what others see of them in a list
        with suppress(OSError):
            if folder.stat().st_uid == os.geteuid() and b"guvercin" in (line := (folder / "cmdline").read_bytes()):
                seen.append(line.decode("utf-8", "replace"))
    for words in (("anahtar", "liste", "--hepsi", "--json"), ("doktor", "--json"), ("durum",), ("kayit", "--json")):
        done = server.cli(*words, GUVERCIN_TOKEN=secret)
        seen += [done.stdout, done.stderr]
    seen.append(server.cli("kayit", "--ayrinti", GUVERCIN_TOKEN=wrong).stderr)
    backup = server.folder.with_name("yedek.tar")
    assert server.cli("yedek", str(backup)).returncode == 0
    seen.append(backup.read_bytes().decode("latin-1"))
    files = [path for path in server.folder.rglob("*") if path.is_file() and path.name != "ilk-anahtar.txt"]
    assert {path.name for path in files} >= {"guvercin.db", "guvercin.lock", "sandbox.jsonl"}
    seen += [path.read_bytes().decode("latin-1") for path in files]
    seen.append(server.said())
    for text in seen:
        for part in parts:
            assert part not in text, text[max(0, text.index(part) - 200) :][:300]
    for path in [*files, server.folder / "ilk-anahtar.txt", server.folder]:
        if path == server.folder or path.name == "ilk-anahtar.txt":
            assert path.stat().st_mode & 0o077 == 0


def everything_refused(server: Server, wrong: str) -> list[str]:
    client = server.client(wrong)
    answers = [client.get("/hesaplar") for _ in range(12)]
    assert {answer.status for answer in answers} == {401, 429}
    return [answer.text + str(answer.headers) for answer in answers]


# -- raw bytes


def raw(server: Server, *pieces: bytes, within: float = 20.0) -> bytes:
    """Send bytes as they are, and answer everything that comes back before the line is closed."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=within) as line, suppress(OSError):
        with suppress(OSError):  # closed by the other side while we write: what it said can still be read
            for piece in pieces:
                line.sendall(piece)
        while chunk := line.recv(65_536):
            answer += chunk
    return answer


def request(path: str, *headers: bytes, method: str = "GET") -> bytes:
    return b"\r\n".join([f"{method} {path} HTTP/1.1".encode(), b"Host: x", b"Connection: close", *headers, b"", b""])


MEGABYTE = b"x" * 1_000_000
ENDLESS = {
    "many headers": [
        b"GET /saglik HTTP/1.1\r\nHost: x\r\n",
        *[b"X-%d: " % n + b"y" * 1_000 + b"\r\n" for n in range(9_999)],
    ],
    "one header": [b"GET /saglik HTTP/1.1\r\nHost: x\r\nX: ", *[MEGABYTE] * 30],
    "an address": [b"GET /", *[MEGABYTE] * 30],
    "trailers": [
        b"POST /api/v1/whatsapp/gonder HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        *[b"X-%d: " % n + b"y" * 1_000 + b"\r\n" for n in range(9_999)],
    ],
    "a chunk's extension": [
        b"POST /api/v1/whatsapp/gonder HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;x=",
        *[MEGABYTE] * 30,
    ],
}


@pytest.mark.parametrize("what", ENDLESS)
def test_nothing_beside_the_body_is_endless(server: Server, what: str) -> None:
    assert server.process is not None
    resident = Path(f"/proc/{server.process.pid}/statm")
    before = int(resident.read_text().split()[1])
    began = monotonic()
    answer = raw(server, *ENDLESS[what])
    assert monotonic() - began < 15, "the line was closed, not left"
    assert answer == b"" or answer.split(b" ")[1] in {b"400", b"401", b"431"}, answer[:200]
    grown = (int(resident.read_text().split()[1]) - before) * os.sysconf("SC_PAGE_SIZE")
    assert grown < 8 * 1024 * 1024, f"{grown} bytes were kept"
    assert raw(server, request("/saglik")).startswith(b"HTTP/1.1 200 "), "and it goes on"


def test_a_large_head_within_the_bound_is_read(server: Server) -> None:
    padding = b"X-Padding: " + b"x" * (ROOM - 1_000)
    assert raw(server, request("/saglik", padding)).startswith(b"HTTP/1.1 200 ")


def test_a_body_in_small_chunks_is_a_body(server: Server) -> None:
    """Chunk marks count against the bound, and a body of its bulk makes room for them."""
    token = b"Authorization: Bearer " + server.first_token().encode()
    body = b'{"telefon": "+905321110001", "mesaj": "a", "x": "' + b"y" * 500_000 + b'"}'
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for n in range(0, len(body), 50) if (piece := body[n : n + 50])]
    kind = b"Content-Type: application/json\r\nTransfer-Encoding: chunked"
    answer = raw(
        server, request(f"{API}/gonder", token, kind, method="POST"), b"".join(chunks), b"0\r\n\r\n", within=20
    )
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:300]


SMUGGLED = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    "a length that is none": b"Content-Length: +5",
    "a folded header": b"X: a\r\n b: c",
    "a space before the colon": b"Transfer-Encoding : chunked",
    "a control character": b"X-Request-Id: a\x1b[31m",
    "a NUL": b"X: a\0b",
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_what_two_readers_would_read_differently_is_refused(server: Server, what: str) -> None:
    answer = raw(server, request(f"{API}/gonder", SMUGGLED[what], method="POST"), b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "path",
    [
        "//api/v1/whatsapp/hesaplar",
        "/api/v1/whatsapp/./hesaplar",
        "/api/v1/whatsapp/x/../hesaplar",
        "/%2e%2e/api/v1/whatsapp/hesaplar",
        "/api/v1/whatsapp/hesaplar;x=1",
        "/api/v1/whatsapp/hesaplar%00",
        "/belge/../../etc/passwd",
    ],
)
def test_a_tricky_path_is_just_unknown(server: Server, path: str) -> None:
    token = b"Authorization: Bearer " + server.first_token().encode()
    assert raw(server, request(path, token)).startswith(b"HTTP/1.1 404 ")


def test_it_speaks_http_and_nothing_else(server: Server) -> None:
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13"
    assert not raw(server, request("/saglik", upgrade), within=2).startswith(b"HTTP/1.1 101 ")
    assert raw(server, request("/saglik", method="TRACE")).startswith(b"HTTP/1.1 405 ")
    assert b"server:" not in raw(server, request("/saglik")).lower()
