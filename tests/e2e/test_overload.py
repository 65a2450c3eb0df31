"""More callers than can be served, and callers who are slow: whoever is taken is served, and the rest hears so at once.

What the process holds is read from /proc, so these tests need Linux. How long an accepted request takes under load is
measured by `python -m bench overload`; here stands what must hold on any machine.
"""

import select
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.conftest import Figures
from tests.e2e.server import API, Answer, Client, Gone, Server, monotonic
from tests.rounds import rounds

from guvercin.store.sqlite import engine_for

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]

CROWD = 200
PATIENCE = 2.0
"""Seconds that the server under test waits for a slow caller."""

ROOM = 60_000_000
"""Bytes by which a server may grow under any of this. Two thousand callers at 20 kB each, and then some."""


def rss(server: Server) -> int:
    """Answer the bytes that the process keeps in memory."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def descriptors(server: Server) -> int:
    """Answer how many descriptors the process holds: one for each connection, and its files."""
    assert server.process is not None
    return sum(1 for _ in Path(f"/proc/{server.process.pid}/fd").iterdir())


def message(reference: str) -> dict[str, str]:
    return {"telefon": "+905321234567", "mesaj": f"Kalabalık {reference}", "referans": reference}


def send(client: Client, reference: str) -> Answer:
    return client.post("/gonder", message(reference), Prefer="respond-async")


def is_sent_away(answer: Answer) -> bool:
    return (answer.status, answer.code) == (503, "kuyruk_dolu") and int(answer.headers["Retry-After"]) > 0


def serves(server: Server, token: str) -> float:
    """Ask for something over a new connection, and answer the seconds that it took."""
    began = monotonic()
    client = Client(server.port, token, timeout=10)
    with closing(client):
        assert send(client, f"yeni-{began}").status == 202
    return monotonic() - began


@contextmanager
def connections(server: Server, number: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open connections that say this and nothing more."""
    with ExitStack() as stack:
        opened = []
        for _ in range(number):
            opened.append(stack.enter_context(socket.socket()))
            opened[-1].settimeout(10)
            opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # what isn't read stays with the server
            opened[-1].connect(("127.0.0.1", server.port))
            opened[-1].sendall(said)
        yield opened


def is_cut(connection: socket.socket) -> bool:
    """Say whether the server has ended a connection. Nothing is read."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))


# -- too many


def test_two_hundred_at_full_speed_hear_promises_that_hold(server: Server, figures: Figures) -> None:
    each = rounds(10, 100)
    server.start()
    token = server.first_token()
    before = rss(server)
    waits: list[float] = []
    promised: dict[str, int] = {}
    sent_away: set[str] = set()

    def till(number: int) -> None:
        client = Client(server.port, token)
        with closing(client):
            for place in range(each):
                reference = f"{number}-{place}"
                began = monotonic()
                answer = send(client, reference)
                if answer.status == 202:
                    waits.append(monotonic() - began)
                    promised[reference] = answer.json["log_id"]
                else:
                    assert is_sent_away(answer), answer.text
                    sent_away.add(reference)

    with ThreadPoolExecutor(CROWD) as tills:
        list(tills.map(till, range(CROWD)))
    grown = rss(server) - before
    assert found(server) == promised, "what was promised is there, what was refused is not"
    assert not sent_away & promised.keys()
    assert grown < ROOM
    waits.sort()
    p99 = waits[int(len(waits) * 0.99)]
    assert p99 < 10, "whoever is taken is served, on any machine"
    figures(
        connections=CROWD,
        accepted=len(promised),
        sent_away=len(sent_away),
        accepted_p50_s=round(waits[len(waits) // 2], 3),
        accepted_p99_s=round(p99, 3),
        grown_by_mb=round(grown / 1e6, 1),
    )
    assert server.stop() == 0


def found(server: Server) -> dict[str, int]:
    """Answer the log's ids by reference, as the file has them."""
    with engine_for(server.folder / "guvercin.db", query_only=True).connect() as connection:
        rows = connection.exec_driver_sql("SELECT reference, id FROM message").all()
    assert len({reference for reference, _ in rows}) == len(rows), "something was accepted twice"
    return {reference: int(id_) for reference, id_ in rows}


def test_a_crowd_before_a_database_that_stands_still_is_sent_away_in_time(server: Server, figures: Figures) -> None:
    """The few who came first are kept and served; nobody after them is left to wait, and nothing of theirs is kept."""
    server.start()
    token = server.first_token()
    first, late = CROWD // 2, CROWD // 2
    clients = [server.client(token) for _ in range(CROWD)]
    with ThreadPoolExecutor(CROWD) as tills:
        warm = list(tills.map(lambda client: client.get("/hesaplar").status, clients))
        assert set(warm) == {200}
        with engine_for(server.folder / "guvercin.db").connect() as holder:
            holder.exec_driver_sql("BEGIN IMMEDIATE")
            early = [tills.submit(send, client, f"ilk-{place}") for place, client in enumerate(clients[:first])]
            server.live(0.5)
            began = monotonic()
            answers = list(tills.map(send, clients[first:], [f"son-{place}" for place in range(late)]))
            heard_after = monotonic() - began
            assert not any(answer.done() for answer in early), "nobody is promised what can't be written"
            assert server.is_ready() is False
            holder.exec_driver_sql("ROLLBACK")
        kept = [answer.result() for answer in early]
    assert all(is_sent_away(answer) for answer in answers), {answer.text for answer in answers}
    assert all(answer.status == 202 for answer in kept), {answer.text for answer in kept}
    assert found(server).keys() == {f"ilk-{place}" for place in range(first)}
    assert heard_after < 5, "they were left to wait"
    figures(sent_away=late, all_heard_after_s=round(heard_after, 2))
    server.until(server.is_ready, within=10, what="readiness")
    assert serves(server, token) < 5


def test_more_connections_than_it_holds_hear_so(tmp_path: Path) -> None:
    most, spare = 50, 50
    with Server(tmp_path / "veri", GUVERCIN_MAX_CONNECTIONS=str(most), GUVERCIN_REQUEST_TIMEOUT="3") as server:
        server.start()
        inside = server.client(server.first_token())
        assert send(inside, "içeride").status == 202
        with connections(server, most - 1):
            with closing(Client(server.port, server.first_token(), timeout=5)) as late:
                answer = send(late, "fazla")
                assert is_sent_away(answer), answer.text
                assert answer.headers["Connection"] == "close"
            with connections(server, spare + 10) as beyond:
                server.until(lambda: sum(map(is_cut, beyond)) >= 10, within=5, what="the end of those beyond")
            assert send(inside, "hâlâ içeride").status == 202
            server.until(server.is_ready, within=20, what="room again: the silent ones are cut off")
        assert found(server).keys() == {"içeride", "hâlâ içeride"}


FEW_DESCRIPTORS = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_fewer_descriptors_than_callers_lose_nothing(server: Server) -> None:
    """The system allows 256: the server serves as many callers as that leaves room for, and goes on writing."""
    server.start(before=(sys.executable, "-c", FEW_DESCRIPTORS))
    token = server.first_token()
    inside = server.client(token)
    promised = [send(inside, "önce").json["log_id"]]
    with connections(server, 400):
        promised += [send(inside, f"arada-{place}").json["log_id"] for place in range(20)]
        with pytest.raises(Gone):
            send(server.client(token, timeout=3), "dışarıda")
    server.until(server.is_ready, within=10, what="readiness")
    assert sorted(found(server).values()) == promised
    assert serves(server, token) < 5
    assert server.stop() == 0
    assert "Traceback" not in server.said("err")


# -- too slow


HEAD = f"POST {API}/gonder HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def asks(token: str, path: str = f"{API}/hesaplar") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def begins_body(token: str) -> bytes:
    return f"{HEAD}Authorization: Bearer {token}\r\nContent-Length: 500000\r\n\r\n{{".encode()


Story: TypeAlias = tuple[Callable[[str], bytes], bytes]

SLOW: dict[str, Story] = {
    "says nothing": (lambda _: b"", b""),
    "a head that drips": (lambda _: HEAD.encode(), b"X-Drip: 1\r\n"),
    "a body that drips": (begins_body, b" "),
    "a second request that drips": (lambda token: asks(token) + HEAD.encode(), b"X-Drip: 1\r\n"),
    "empty lines between requests": (asks, b"\r\n"),
    "answers not taken": (lambda token: asks(token, "/openapi.json") * 16, asks("", "/openapi.json")),
}
"""What callers say at first, and what they say again and again."""


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("slow") / "veri", GUVERCIN_REQUEST_TIMEOUT=str(PATIENCE)) as server:
        server.start()
        yield server


@pytest.mark.parametrize("story", SLOW)
def test_slow_callers_are_cut_off_and_hold_up_nobody(impatient: Server, story: str) -> None:
    server, token = impatient, impatient.first_token()
    before, held = rss(server), descriptors(server)
    opening, drip = SLOW[story]
    waits = []

    def are_cut() -> bool:
        waits.append(serves(server, token))
        for connection in slow:
            with suppress(OSError):  # it was cut, or takes no more
                connection.send(drip, socket.MSG_DONTWAIT)
        return descriptors(server) < held + 10

    with connections(server, 100, opening(token)) as slow:
        assert not are_cut()
        server.until(are_cut, within=10 * PATIENCE, what="the end of the slow ones")
    assert max(waits) < 5, "others had to wait"
    assert rss(server) - before < ROOM
    assert "Traceback" not in server.said("err")


def test_requests_ahead_of_their_answers_are_bounded(impatient: Server) -> None:
    server, token = impatient, impatient.first_token()
    before = rss(server)
    with connections(server, 50, asks(token) * 500) as greedy:
        server.until(lambda: all(map(is_cut, greedy)), within=5, what="the end of the greedy")
    assert rss(server) - before < ROOM
    assert serves(server, token) < 5


@pytest.mark.parametrize("flood", [b"X-One: " + b"x" * 70_000, b"X-Many: 1\r\n" * 7_000], ids=["one", "many"])
def test_a_head_without_end_is_not_kept(impatient: Server, flood: bytes) -> None:
    with connections(impatient, 1, HEAD.encode()) as (connection,), suppress(OSError):
        for _ in range(1_000):
            connection.sendall(flood)
        raise AssertionError("the server takes 70 MB of head")
    assert serves(impatient, impatient.first_token()) < 5


def test_a_thousand_idle_connections_hold_up_nobody(server: Server, figures: Figures) -> None:
    server.start()
    token = server.first_token()
    before = rss(server)
    asked = f"GET {API}/hesaplar HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    with connections(server, 990, asked) as idle:
        for connection in idle:
            assert connection.recv(12) == b"HTTP/1.1 200"
        waits = sorted(serves(server, token) for _ in range(20))
        grown = rss(server) - before
    figures(connections=len(idle), median_s=round(waits[10], 3), grown_by_mb=round(grown / 1e6, 1))
    assert waits[-1] < 5
    assert grown < ROOM
    assert server.stop() == 0
