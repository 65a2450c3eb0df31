"""The end that is asked for: callers are let go, what is in hand is finished, what waits goes out later."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from random import Random  # noqa: TID251 -- the seed stands beside it
from signal import SIGCONT, SIGINT, SIGSTOP, SIGTERM, Signals

import pytest
from tests.conftest import Figures
from tests.e2e.server import Server, monotonic
from tests.e2e.tills import SLOW, TILLS, Book, Pen, tills_at_work

from guvercin.transports.ledger import arrivals

pytestmark = pytest.mark.e2e

STOP_LIMIT = 12.0
"""Seconds until the end. Less than five are promised, and measured below; the rest is for cores that others use."""

DROPPING = "+905000000010"
"""The line drops at the first try, and comes back."""

WORK = 150
"""Messages that take the sandbox half a minute."""


@pytest.mark.parametrize("signals", [[SIGTERM], [SIGINT, SIGINT]], ids=["SIGTERM", "Ctrl+C twice"])
def test_a_signal_lets_callers_go_and_keeps_what_waits(
    server: Server, signals: list[Signals], figures: Figures
) -> None:
    server.start()
    client = server.client(server.first_token())
    numbers = [f"+90532123{place:04}" for place in range(WORK)]
    many = {"alicilar": [{"telefon": number} for number in numbers], "mesaj": "Yarım dakikalık iş"}
    toplu_id = client.post("/toplu-gonder", many, Prefer="respond-async").json["toplu_id"]

    with ThreadPoolExecutor() as callers:
        one = {"telefon": SLOW, "mesaj": "Acele etme"}
        single = callers.submit(server.client(server.first_token()).post, "/gonder", one)
        bulk = callers.submit(server.client(server.first_token()).post, "/toplu-gonder", many)
        server.until(
            lambda: client.get("/gonderimler?durum=sending&telefon=%2B905000000004").json["data"] != [],
            within=10,
            what="the slow message's turn",
        )
        began = monotonic()
        for number in signals:
            server.send_signal(number)
        answer, counts = single.result(), bulk.result()
        heard_after = monotonic() - began
        code = server.ended(within=STOP_LIMIT)
        figures(callers_heard_s=round(heard_after, 2), ended_s=round(monotonic() - began, 2))

    assert code == 0, server.said("err")
    assert heard_after < STOP_LIMIT / 2, "callers waited for the end"
    assert (answer.status, answer.json["message_id"], answer.json["durum"]) == (200, None, "sending")
    assert counts.status == 200
    assert counts.json["queued"] > 0, counts.text
    assert counts.json["toplu_id"] == toplu_id, "the same list within ten minutes is the same batch"

    server.start()
    client = server.client(server.first_token())
    client.set_gap(0.0, 1)
    slow = f"/durum/{answer.json['log_id']}"
    server.until(
        lambda: client.get(slow).json["data"]["durum"] in {"sent", "delivered", "read"},
        within=20,
        what="the evidence that the slow message had left: its answer came too late to be heard",
    )

    def is_finished() -> bool:
        return bool(client.get(f"/toplu/{toplu_id}").json["data"]["durum"] == "finished")

    server.until(is_finished, within=30, what="the end of the batch")
    data = client.get(f"/toplu/{toplu_id}").json["data"]
    assert (data["total"], data["sent"], data["failed"], data["queued"]) == (WORK, WORK, 0, 0)
    assert sorted(arrival.number for arrival in arrivals(server.arrivals)) == sorted([SLOW, *numbers])


def test_nothing_is_lost_that_was_promised_while_it_closes(server: Server) -> None:
    """Tills don't stop asking: each hears a promise that holds, «kapaniyor», or nobody at all."""
    book = Book(refusals={"kapaniyor"})
    for number in range(3):
        server.start()
        server.client(server.first_token()).set_gap(0.0, 1)
        stop_under_load(server, book, number)
    server.start()
    client = server.client(server.first_token())
    for order in book.promised():
        data = client.get(f"/durum/{order.id}").json["data"]
        assert (data["alici"], data["referans"]) == (*order.numbers, order.reference)
        assert data["durum"] != "unknown", "an end in order leaves nobody in doubt"
    assert book.surprises == []


def stop_under_load(server: Server, book: Book, seed: int) -> None:
    pens = [Pen(f"{seed}.{till}", Random(f"{seed}.{till}"), (1,)) for till in range(TILLS)]
    wanted = len(book.promised()) + 50
    with tills_at_work(server, server.first_token(), book, pens):
        server.until(lambda: len(book.promised()) >= wanted, within=20, what="some promises")
        assert server.stop(within=STOP_LIMIT) == 0, f"seed {seed}"


def test_a_server_that_hangs_keeps_its_folder_and_goes_on(server: Server) -> None:
    """A machine that sleeps, a process that is traced: the lock is held, nothing is sent by anybody else."""
    server.start()
    client = server.client(server.first_token())
    for place in range(5):
        client.post("/gonder", {"telefon": f"+9053212345{place:02}", "mesaj": "Uyku"}, Prefer="respond-async")
    server.send_signal(SIGSTOP)
    try:
        assert server.url in server.refuses().said
    finally:
        server.send_signal(SIGCONT)
    last = client.post("/gonder", {"telefon": "+905321234599", "mesaj": "Uyandı"})
    assert (last.status, len(arrivals(server.arrivals))) == (200, 6)
    assert server.stop() == 0


def has_arrived(server: Server, number: int) -> bool:
    return len(arrivals(server.arrivals)) >= number


def test_a_process_that_slept_keeps_its_pace_and_its_promises(server: Server, figures: Figures) -> None:
    """A laptop that is shut in mid-work: no burst makes up for the time, nothing leaves twice, the line comes back."""
    gap, count = 0.25, 15
    server.start()
    client = server.client(server.first_token())
    client.set_gap(gap, 1)
    numbers = [f"+9053212345{place:02}" for place in range(count)]
    for number in (*numbers[:3], DROPPING, *numbers[3:], SLOW):
        client.post("/gonder", {"telefon": number, "mesaj": "Uyku"}, Prefer="respond-async")
    for nap in range(3):
        server.until(partial(has_arrived, server, 3 + 4 * nap), within=30, what="some work")
        server.send_signal(SIGSTOP)
        try:
            server.live(1.5)
            asleep = len(arrivals(server.arrivals))
            server.live(0.5)
            assert len(arrivals(server.arrivals)) == asleep
        finally:
            server.send_signal(SIGCONT)

    def is_over() -> bool:
        return all(row["durum"] in {"sent", "delivered", "read"} for row in client.pages())

    server.until(is_over, within=30, what="the end of the work")
    arrived = arrivals(server.arrivals)
    assert sorted(it.number for it in arrived) == sorted([*numbers, DROPPING, SLOW]), "lost or doubled"
    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(arrived)]
    assert min(gaps) > gap - 0.02, "a gap was cut short"
    assert client.get("/hesaplar").json["data"][0]["durum"] == "connected"
    figures(naps=3, shortest_gap_s=round(min(gaps), 3))
    assert server.stop() == 0
