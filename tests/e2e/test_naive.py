"""The integrator that everybody has: a time-out of three seconds, three retries, no key, and a number that takes five.

Its software knows nothing of us but the contract's first example. Whatever the server does meanwhile, a message that it
asked for four times is one row and arrives once.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 -- each round has its own seed

import pytest
from tests.conftest import Figures
from tests.e2e.server import Client, Gone, Server
from tests.e2e.tills import SLOW
from tests.rounds import rounds

from guvercin.store.sqlite import engine_for
from guvercin.transports.ledger import arrivals

pytestmark = pytest.mark.e2e

TILLS = 8
TIMEOUT, TRIES = 3.0, 4
PAUSE = 0.2
"""Seconds before a till asks again when nobody listens. That counts as no try: nothing was said."""

SETTLE_LIMIT = 90.0


@dataclass(slots=True)
class Hopes:
    """What one till has asked for: by text, the tries and every log_id that it was told."""

    tries: Counter[str] = field(default_factory=Counter)
    told: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    repeats: int = 0
    surprises: list[str] = field(default_factory=list)


@contextmanager
def naive_tills(server: Server, token: str, accounts: list[int]) -> Iterator[list[Hopes]]:
    """Let a till for each account ask for one message after the other until the block ends, server or no server."""
    is_over = threading.Event()

    def ask(hopes: Hopes, text: str, account: int) -> None:
        while hopes.tries[text] < TRIES and not is_over.is_set():
            client = Client(server.port, token, timeout=TIMEOUT)
            try:
                answer = client.post("/gonder", {"telefon": SLOW, "mesaj": text, "hesap_id": account})
            except Gone as gone:
                if isinstance(gone.__cause__, ConnectionRefusedError):
                    is_over.wait(PAUSE)
                else:
                    hopes.tries[text] += 1
                continue
            finally:
                client.close()
            hopes.tries[text] += 1
            if answer.status != 200 or answer.json["ok"] is not True:
                hopes.surprises.append(f"{text} was answered {answer.status} {answer.text}")
                return
            hopes.told[text].add(answer.json["log_id"])
            hopes.repeats += answer.headers["Tekrar"] == "1"
            return

    def work(hopes: Hopes, account: int) -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            ask(hopes, f"Fişiniz {account}-{number}", account)

    all_hopes = [Hopes() for _ in accounts]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(all_hopes, accounts, strict=True)]
    for thread in threads:
        thread.start()
    try:
        yield all_hopes
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_who_asks_four_times_without_a_key_is_served_once(server: Server, figures: Figures) -> None:
    kills = rounds(5, 50)
    server.start()
    token = server.first_token()
    client = server.client(token)
    added = [
        client.post("/hesaplar", {"isim": f"Kasa {n}", "tur": "sandbox"}).json["data"]["id"] for n in range(TILLS - 1)
    ]
    accounts = [1, *added]
    client.set_gap(0.0, *accounts)
    with naive_tills(server, token, accounts) as all_hopes:
        for number in range(kills):
            server.live(Random(number).uniform(0.5, 5.0))
            server.kill()
            server.start()
        server.live(8.0)  # enough for a time-out and the repetition that is answered

    client = server.client(token)

    def is_settled() -> bool:
        return not any(client.pages(f"durum={status}") for status in ("queued", "sending", "unknown"))

    server.until(is_settled, within=SETTLE_LIMIT, what="the end of everything that was asked for")
    assert server.stop() == 0
    with engine_for(server.folder / "guvercin.db", query_only=True).connect() as connection:
        rows = connection.exec_driver_sql("SELECT body, id, status FROM message").all()
    assert [hopes.surprises for hopes in all_hopes] == [[]] * TILLS
    ids = {text: int(id_) for text, id_, _ in rows}
    assert len(ids) == len(rows), "a second row"
    told = {text: found for hopes in all_hopes for text, found in hopes.told.items()}
    assert {text: {ids[text]} for text in told} == told, "another row than the one that was promised"
    arrived = Counter(arrival.message_id for arrival in arrivals(server.arrivals))
    assert arrived == Counter(ids.values()), "what is in the log has arrived once, and nothing else"
    assert {status for *_, status in rows} <= {"sent", "delivered", "read"}
    tries = Counter(count for hopes in all_hopes for count in hopes.tries.values())
    repeats = sum(hopes.repeats for hopes in all_hopes)
    assert repeats > 0, "nobody was served by a repetition: this showed nothing"
    figures(kills=kills, messages=len(rows), asked_more_than_once=tries.total() - tries[1], answered_as_repeats=repeats)
