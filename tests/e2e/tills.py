"""Clients that send without a pause, and the book of everything that they were promised.

Laws
1. An order is asked until it is answered, word for word, however often the server goes away meanwhile: that is what a
   client does that timed out. Its reference is its own, so that the log shows how many messages became of it.
2. The book keeps every answer. Nothing in it comes from the server's own files.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import Any

from tests.e2e.server import Answer, Client, Gone, Server

BATCH = 50
TILLS = 6

SLOW, STUMBLING, LOST, LOST_FOR_GOOD, MUDDLED = (f"+9050000000{number}" for number in ("04", "06", "07", "08", "12"))


@dataclass(slots=True, kw_only=True)
class Order:
    """One request: its words, how often it was asked, and the id that was promised for it (log_id or toplu_id)."""

    reference: str
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    numbers: tuple[str, ...]
    asked: int = 0
    id: int | None = None


@dataclass(slots=True)
class Book:
    """What was asked and promised. Tills of several threads write in it."""

    orders: list[Order] = field(default_factory=list)
    unanswered: list[Order] = field(default_factory=list)
    special: list[Order] = field(default_factory=list)
    """Orders that the next till takes first."""
    surprises: list[str] = field(default_factory=list)
    refusals: Collection[str] = ()
    """The codes with which an order may be refused: it is asked again then."""

    def promised(self) -> list[Order]:
        """Answer every order that heard 200 or 202."""
        return [order for order in self.orders if order.id is not None]

    def hear(self, order: Order, answer: Answer) -> None:
        """Write an answer down. A promise that is made again must be the same."""
        if answer.code in self.refusals:
            self.unanswered.append(order)
            return
        if answer.status not in {200, 202} or answer.json["ok"] is not True:
            self.surprises.append(f"{order} was answered {answer.status} {answer.text}")
            return
        is_batch = order.path == "/toplu-gonder"
        found = int(answer.headers["Location"].rpartition("/")[2]) if is_batch else int(answer.json["log_id"])
        if order.id not in {None, found}:
            self.surprises.append(f"{order} was promised again as {found}")
        order.id = found


class Pen:
    """Writes orders. `name` begins every reference; the same name and the same chance write the same orders."""

    def __init__(self, name: str, rng: Random, accounts: tuple[int, ...]) -> None:
        self._name = name
        self._rng = rng
        self._accounts = accounts
        self._count = 0

    def order(self) -> Order:
        """Write an order to somebody, in one of the ways in which clients ask."""
        return self.single(f"+90532123{self._rng.randrange(400):04}", self._rng.choice(self._accounts))

    def single(self, number: str, account: int, *, prefer: str | None = None) -> Order:
        """Write an order to a number. `prefer` settles how long its till waits."""
        reference = self._next()
        headers = {"Prefer": prefer or self._rng.choice(("respond-async", "wait=0", "wait=1", "handling=strict"))}
        if self._rng.random() < 0.5:
            headers["Idempotency-Key"] = reference
        body = {"telefon": number, "mesaj": f"Sipariş {reference}", "hesap_id": account, "referans": reference}
        return Order(reference=reference, path="/gonder", body=body, headers=headers, numbers=(number,))

    def batch(self, account: int) -> Order:
        """Write a bulk order. It has a key: without one, only an unfinished batch is known again."""
        reference = self._next()
        numbers = tuple(f"+90533{self._rng.randrange(10**5):05}{place:02}" for place in range(BATCH))
        return Order(
            reference=reference,
            path="/toplu-gonder",
            body={
                "alicilar": [{"telefon": number} for number in numbers],
                "mesaj": "Toplu",
                "hesap_id": account,
                "referans": reference,
            },
            headers={"Prefer": self._rng.choice(("respond-async", "wait=1")), "Idempotency-Key": reference},
            numbers=numbers,
        )

    def _next(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"


@contextmanager
def tills_at_work(server: Server, token: str, book: Book, pens: list[Pen]) -> Iterator[None]:
    """Let a till for every pen send until its server is gone. The body of the `with` must end the server."""
    lock = threading.Lock()

    def work(pen: Pen) -> None:
        client = Client(server.port, token)
        while True:
            with lock:
                waiting = book.special or book.unanswered
                order = waiting.pop(0) if waiting else pen.order()
                if not order.asked:
                    book.orders.append(order)
            order.asked += 1
            try:
                answer = client.ask("POST", f"/api/v1/whatsapp{order.path}", order.body, order.headers)
            except Gone:
                with lock:
                    book.unanswered.append(order)
                return
            with lock:
                book.hear(order, answer)

    threads = [threading.Thread(target=work, args=(pen,)) for pen in pens]
    for thread in threads:
        thread.start()
    try:
        yield
    except BaseException:
        server.kill()  # the tills only end with it
        raise
    finally:
        for thread in threads:
            thread.join()
