"""Callers who go on asking while a database is away, and keep what they were told."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.server import API, POLL, Client, Gone, Server


@dataclass(slots=True)
class Told:
    """What callers heard: the id that was promised for each number, how often they heard 503, what else there was.

    `moved`: how often nobody was there, and they went to the next gateway.
    """

    promised: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    moved: int = 0
    surprises: list[str] = field(default_factory=list)


@contextmanager
def callers(servers: Sequence[Server], token: str, account: int, *, first: int, move: bool = False) -> Iterator[Told]:
    """Let somebody at each gateway send one message after the other while the body of the `with` runs.

    Each order is asked, word for word and with its key, until it is promised: then once more, at the next gateway. A
    caller may hear a promise or «503, come back»; numbers begin with `first`, a thousand for each caller. Those who
    `move` ask at the next gateway where they find nobody, as a proxy before several does.
    """
    told, is_over = Told(), threading.Event()

    def work(place: int) -> None:
        lines = [Client(server.port, token) for server in (*servers[place:], *servers[:place])]
        number = first + place * 1_000
        while not is_over.is_set():
            turns = [[*lines[turn:], *lines[:turn]] if move else [lines[turn]] for turn in range(len(lines))]
            promises = [_ask(turn, f"+90{number}", account, told) for turn in turns]
            if None in promises:
                break
            if len(set(promises)) > 1:
                told.surprises.append(f"+90{number} was promised as {promises}")
            number += 1
        for line in lines:
            line.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(servers))]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def _ask(lines: Sequence[Client], number: str, account: int, told: Told) -> int | None:
    """Ask until there is a promise; null: something else was said, or nothing for a minute's worth of asking."""
    body = {"telefon": number, "mesaj": "Sipariş", "hesap_id": account}
    headers = {"Idempotency-Key": f"s-{number}", "Prefer": "wait=1"}
    pause, at = threading.Event(), 0
    for _ in range(round(60 / POLL)):
        try:
            answer = lines[at].ask("POST", f"{API}/gonder", body, headers)
        except Gone as trouble:
            if len(lines) > 1:
                at = (at + 1) % len(lines)
                told.moved += 1
                pause.wait(POLL)
                continue
            told.surprises.append(f"{number}: {trouble}")
            return None
        if answer.status == 200 and answer.json["ok"] is True:
            told.promised[number] = int(answer.json["log_id"])
            return told.promised[number]
        if answer.status != 503 or not answer.headers["Retry-After"]:
            told.surprises.append(f"{number}: {answer.status} {answer.text}")
            return None
        told.refused += 1
        pause.wait(POLL)
    told.surprises.append(f"{number}: no promise in a minute")
    return None
