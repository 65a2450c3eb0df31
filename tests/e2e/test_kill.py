"""kill -9 under load, over and over on one data folder: nothing that was promised is lost, nothing arrives twice.

A kill doesn't test what the disk keeps in a power cut: it tests that nothing is promised too early, that what was in
hand is put in order by the next start, and that a client that asks again is known again.
"""

from collections import Counter, defaultdict
from random import Random  # noqa: TID251 -- each round has its own seed
from statistics import median
from typing import Any

import pytest
from tests.conftest import Figures
from tests.e2e.server import Client, Gone, Server, monotonic
from tests.e2e.tills import (
    LOST,
    LOST_FOR_GOOD,
    MUDDLED,
    SLOW,
    STUMBLING,
    TILLS,
    Book,
    Order,
    Pen,
    tills_at_work,
)
from tests.rounds import rounds

from guvercin.store.sqlite import engine_for
from guvercin.transports.ledger import arrivals

pytestmark = pytest.mark.e2e

SETTLE_LIMIT = 60.0
"""Seconds after a start within which every doubt that has evidence is settled."""

ARRIVED = {"sent", "delivered", "read"}


def test_kill_9_under_load_loses_and_doubles_nothing(server: Server, figures: Figures) -> None:
    token = server.token()
    book = Book()
    waits: list[float] = []
    count = rounds(20, 500)
    accounts: tuple[int, ...] = ()
    checked = 0
    for number in range(count):
        rng = Random(number)
        try:
            if rng.random() < 0.2:  # a kill in the middle of a start
                server.spawn()
                server.live(rng.uniform(0.1, 1.0))
                server.kill()
            waits.append(first_200(server, token))
            client = server.client(token)
            accounts = accounts or three_accounts(client)
            checked += audit(client, book, checked)
            pens = [Pen(f"{number}.{till}", Random(f"{number}.{till}"), accounts) for till in range(TILLS)]
            book.special += specials(Pen(f"{number}.x", rng, accounts), number, accounts)
            with tills_at_work(server, token, book, pens):
                server.live(rng.uniform(0.1, 1.2))
                server.kill()
            assert book.surprises == []
        except BaseException as error:
            error.add_note(f"round {number} of {count}: its seed is its number")
            raise

    waits.append(first_200(server, token))
    client = server.client(token)
    settled = settle(server, client)
    audit(client, book, 0)
    balance(server, client, book)
    cut_short = stop_and_look(server)
    figures(
        rounds=count,
        promises=len(book.promised()),
        asked_again=sum(order.asked > 1 for order in book.orders),
        arrivals=len(arrivals(server.arrivals)),
        cut_short=cut_short,
        first_200_median_s=round(median(waits), 2),
        first_200_longest_s=round(max(waits), 2),
        settled_after_s=round(settled, 1),
    )


def test_a_batch_outlives_its_servers(server: Server, figures: Figures) -> None:
    """Killed or asked to end, again and again, until everybody has been written to exactly once."""
    size, ends = rounds(300, 1_000), rounds(6, 50)
    rng = Random(size)
    server.start()
    token = server.first_token()
    client = server.client(token)
    client.set_gap(0.02, 1)
    numbers = [f"+90532123{place:04}" for place in range(size)]
    many = {"alicilar": [{"telefon": number} for number in numbers], "mesaj": "Toplu"}
    toplu_id = client.post("/toplu-gonder", many, Prefer="respond-async").json["toplu_id"]

    def counts() -> dict[str, Any]:
        found: dict[str, Any] = server.client(token).get(f"/toplu/{toplu_id}").json["data"]
        assert found["total"] == size == found["sent"] + found["failed"] + found["queued"], found
        return found

    for _ in range(ends):
        server.live(rng.uniform(0.0, 0.4))
        counts()
        if rng.random() < 0.5:
            server.kill()
        else:
            assert server.stop() == 0
        server.start()
    assert counts()["durum"] == "running", "the ends came too late to mean anything"
    server.client(token).set_gap(0.0, 1)
    server.until(
        lambda: counts()["durum"] == "finished" and counts()["queued"] == 0, within=SETTLE_LIMIT, what="its end"
    )
    assert counts()["sent"] == size
    assert sorted(arrival.number for arrival in arrivals(server.arrivals)) == numbers
    figures(rounds=ends, recipients=size)


def test_a_batch_without_gaps_outlives_kill_9(server: Server, figures: Figures) -> None:
    """Each kill comes a few arrivals after the last one: all of them meet the same batch at full speed."""
    size, kills = rounds(200, 1_000), rounds(8, 50)
    rng = Random(size)
    server.start()
    token = server.first_token()
    server.client(token).set_gap(0.0, 1)
    numbers = [f"+90532124{place:04}" for place in range(size)]
    many = {"alicilar": [{"telefon": number} for number in numbers], "mesaj": "Toplu"}
    toplu_id = server.client(token).post("/toplu-gonder", many, Prefer="respond-async").json["toplu_id"]
    for _ in range(kills):
        wanted = len(arrivals(server.arrivals)) + rng.randint(1, size // kills // 2)
        while len(arrivals(server.arrivals)) < wanted:
            server.live(0.001)
        server.kill()
        server.spawn()
    last = len(arrivals(server.arrivals))
    assert last < size, "the kills came too late to mean anything"
    server.until(server.is_ready, within=SETTLE_LIMIT, what="readiness")
    client = server.client(token)

    def is_finished() -> bool:
        data = client.get(f"/toplu/{toplu_id}").json["data"]
        assert data["total"] == size == data["sent"] + data["failed"] + data["queued"], data
        return bool(data["durum"] == "finished" and data["sent"] == size)

    server.until(is_finished, within=SETTLE_LIMIT, what="its end")
    assert sorted(arrival.number for arrival in arrivals(server.arrivals)) == numbers
    cut_short = stop_and_look(server)
    assert cut_short <= kills
    figures(rounds=kills, recipients=size, arrived_before_the_last_kill=last, cut_short=cut_short)


def first_200(server: Server, token: str) -> float:
    """Start, and answer after how many seconds the first message was accepted."""
    began = monotonic()
    server.spawn()
    client = Client(server.port, token)

    def is_accepted() -> bool:
        try:
            message = {"telefon": "+905000000003", "mesaj": f"Açılış {began}", "referans": "acilis"}
            return client.post("/gonder", message, Prefer="wait=0").status == 200
        except Gone:
            return False

    server.until(is_accepted, within=30, what="the first 200")
    client.close()
    return monotonic() - began


def three_accounts(client: Client) -> tuple[int, ...]:
    """Add two accounts to the first one, and let all of them send without a gap."""
    added = [client.post("/hesaplar", {"isim": name, "tur": "sandbox"}).json["data"]["id"] for name in ("B", "C")]
    client.set_gap(0.0, 1, *added)
    return (1, *added)


def specials(pen: Pen, number: int, accounts: tuple[int, ...]) -> list[Order]:
    """Write the orders that every round has few of: each number that acts out a trouble, and a batch."""
    one, two, three = accounts
    orders = [
        pen.single(STUMBLING, accounts[number % 3]),
        pen.single(LOST, one),
        pen.single(MUDDLED, three),
    ]
    if number % 3 == 0:
        orders.append(pen.single(SLOW, two))
    if number % 5 == 0:
        # Whoever waits for this one outwaits every round. Without a key a repetition is known for five minutes only.
        orders.append(pen.single(LOST_FOR_GOOD, three, prefer="wait=0"))
    if number % 2 == 0:
        orders.append(pen.batch(accounts[number // 2 % 3]))
    return orders


def audit(client: Client, book: Book, since: int) -> int:
    """Ask for every message that was promised, from the book's order `since` on; answers how many orders were read."""
    orders = book.orders[since:]
    for order in orders:
        if order.id is None:
            continue
        if order.path == "/toplu-gonder":
            data = client.get(f"/toplu/{order.id}").json["data"]
            assert data["total"] == len(order.numbers) == data["sent"] + data["failed"] + data["queued"], data
            continue
        answer = client.get(f"/durum/{order.id}")
        assert answer.status == 200, f"{order}: {answer.text}"
        data = answer.json["data"]
        assert (data["alici"], data["referans"]) == (*order.numbers, order.reference), f"{order}: {data}"
    return len(orders)


def settle(server: Server, client: Client) -> float:
    """Wait until nothing is in hand or in doubt but what can't be known. Answers how many seconds that took."""
    began = monotonic()

    def is_settled() -> bool:
        open_rows = [row for status in ("unknown", "queued", "sending") for row in client.pages(f"durum={status}")]
        return all(row["durum"] == "unknown" and row["alici"] == LOST_FOR_GOOD for row in open_rows)

    server.until(is_settled, within=SETTLE_LIMIT, what="the end of every doubt")
    return monotonic() - began


def balance(server: Server, client: Client, book: Book) -> None:
    """Compare the book, the log and what has arrived: all three tell of the same messages."""
    rows = client.pages()
    log = {row["id"]: row for row in rows}
    of_reference: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        of_reference[row["referans"]].append(row["id"])
    for order in book.orders:
        found = of_reference.pop(order.reference, [])
        assert len(found) in ({len(order.numbers)} if order.id is not None else {0, len(order.numbers)}), order
        if order.id is None:
            continue
        if order.path == "/gonder":
            assert found == [order.id], order
            continue
        data = client.get(f"/toplu/{order.id}").json["data"]
        assert (data["durum"], data["total"], data["queued"]) == ("finished", len(order.numbers), 0), data
        assert data["sent"] + data["failed"] == data["total"], data
        assert sorted(log[id_]["alici"] for id_ in found) == sorted(order.numbers)
    assert set(of_reference) == {"acilis"}, "the log holds messages that nobody has asked for"

    arrived = arrivals(server.arrivals)
    twice = [id_ for id_, times in Counter(arrival.message_id for arrival in arrived).items() if times > 1]
    assert twice == [], [log[id_] for id_ in twice]
    assert all(log[arrival.message_id]["alici"] == arrival.number for arrival in arrived)
    left = {row["id"] for row in rows if row["durum"] in ARRIVED or row["durum"] == "unknown"}
    assert left == {arrival.message_id for arrival in arrived}
    assert {row["durum"] for row in rows} <= {*ARRIVED, "unknown"}


def stop_and_look(server: Server) -> int:
    """Stop, and look into the database: it is sound, nothing is in hand. Answers how many sends the kills cut short."""
    assert server.stop() == 0
    with engine_for(server.folder / "guvercin.db", query_only=True).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        statuses = set(connection.exec_driver_sql("SELECT DISTINCT status FROM message").scalars())
        assert not {"sending", "queued"} & statuses, statuses
        cut_short = connection.exec_driver_sql(
            "SELECT at, account_id, count(*) FROM event WHERE kind = 'mesaj.belirsiz' "
            "AND detail ->> 'neden' = 'yarida_kaldi' GROUP BY at, account_id"
        ).all()
    assert all(count == 1 for *_, count in cut_short), "a kill left more than one message of an account in hand"
    return len(cut_short)
