"""Several gateways on one PostgreSQL, as real processes that are killed, stopped, cut off and asked to end.

Whatever happens to one of them, or to the database under all: nobody is written to twice, nobody is left out, and
everything is run again in time.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 -- each round has its own seed

import pytest
from tests.conftest import Figures
from tests.e2e.callers import callers
from tests.e2e.pair import ARRIVED, TAKEOVER, TTL, Nodes, add_accounts, nodes
from tests.e2e.server import Client, Server, monotonic
from tests.rounds import rounds
from tests.store.server import Server as Postgres

pytestmark = pytest.mark.e2e


@pytest.fixture
def pair(cluster: Postgres, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Nodes]:
    with nodes(cluster, tmp_path, f"db{abs(hash(request.node.name))}") as pair:
        pair.start()
        yield pair


def order(client: Client, account: int, numbers: list[str], words: str = "Toplu") -> int:
    """Ask for a batch over one account."""
    many = {"alicilar": [{"telefon": number} for number in numbers], "mesaj": words, "hesap_id": account}
    answer = client.post("/toplu-gonder", many, Prefer="respond-async")
    assert answer.status == 202, answer.text
    return int(answer.json["toplu_id"])


def is_over(pair: Nodes) -> bool:
    """Say whether nothing is queued, in hand or in doubt."""
    return pair.sql("SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'unknown') LIMIT 1") == []


def check_once(pair: Nodes, numbers: list[str]) -> None:
    """See that each number was written to once, by the sandboxes' own memory and by the log."""
    times = Counter(arrival.number for arrival in pair.arrived())
    assert {number: count for number, count in times.items() if count > 1} == {}
    assert sorted(set(numbers) - times.keys()) == []
    statuses = dict(pair.sql("SELECT status, count(*) FROM message GROUP BY status"))
    assert set(statuses) <= ARRIVED, statuses


def test_accounts_are_shared_out_and_any_gateway_takes_calls(pair: Nodes) -> None:
    one, two = pair.client(0), pair.client(1)
    accounts = add_accounts(one, 5)
    pair.until(lambda: pair.counts() == [3, 3], within=TAKEOVER, what="an even share")
    for place, account in enumerate(accounts):
        for which, client in enumerate((one, two)):
            began = monotonic()
            body = {"telefon": f"+9053212300{place}{which}", "mesaj": "Merhaba", "hesap_id": account}
            answer = client.post("/gonder", body)
            assert answer.json["message_id"].startswith("DENEME-"), answer.text
            assert monotonic() - began < 5, "whoever waits hears of what another gateway sent"
    assert len(pair.arrived()) == 2 * len(accounts)
    assert [running(pair.client(number)) for number in range(2)] == [3, 3]

    assert pair.servers[1].stop() == 0  # what it had goes to the other, which is told of it
    pair.until(lambda: pair.counts() == [6, 0], within=2.0, what="the handing over")
    pair.servers[1].start()
    pair.until(lambda: pair.counts() == [3, 3], within=TAKEOVER, what="an even share again")


def running(client: Client) -> int:
    """Answer how many accounts a gateway says that it runs."""
    lines = client.ask("GET", "/metrics").text.splitlines()
    return next(round(float(line.split()[1])) for line in lines if line.startswith("guvercin_accounts "))


def stands(client: Client, path: str, state: str) -> bool:
    """Say whether an account's line is in this state."""
    return bool(client.ask("GET", path).json["data"]["durum"] == state)


def test_a_call_about_a_line_finds_the_gateway_that_runs_it(pair: Nodes) -> None:
    accounts = add_accounts(pair.client(0), 3)
    pair.until(lambda: pair.counts() == [2, 2], within=TAKEOVER, what="an even share")
    api = "/api/v1/whatsapp/hesaplar"
    for number in range(2):
        client = pair.client(number)
        for account in accounts:
            for deed, state in (("duraklat", "disconnected"), ("devam", "connected")):
                assert client.ask("POST", f"{api}/{account}/{deed}", {}).status == 200
                pair.until(partial(stands, client, f"{api}/{account}", state), within=5, what="the line")
            assert client.ask("GET", f"{api}/{account}/saglik").status == 200
    added = pair.client(1).post("/hesaplar", {"isim": "Yeni", "tur": "sandbox"}).json["data"]["id"]
    assert pair.client(0).ask("POST", f"{api}/{added}/duraklat", {}).status == 200

    found = {each["ad"]: each for each in pair.servers[0].told("doktor")["data"]}["dugumler"]
    assert found["durum"] == "yesil"
    assert all(f"({server.url}, " in found["bulgu"] for server in pair.servers)


def test_a_batch_outlives_a_gateway_that_is_killed(pair: Nodes, figures: Figures) -> None:
    accounts = add_accounts(pair.client(0), 3)
    pair.until(lambda: pair.counts() == [2, 2], within=TAKEOVER, what="an even share")
    pair.client(0).set_gap(0.02, *accounts)
    numbers = [f"+9053212{account:02}{place:03}" for account in accounts for place in range(100)]
    for account in accounts:
        order(pair.client(0), account, [number for number in numbers if number[8:10] == f"{account:02}"])
    pair.until(lambda: len(pair.arrived()) > 40, within=20, what="the middle of the batch")
    pair.servers[1].kill()
    assert len(pair.arrived()) < len(numbers), "the kill came too late to mean anything"
    took = pair.until(lambda: pair.counts() == [4, 0], within=TAKEOVER, what="the taking over")
    pair.until(lambda: is_over(pair), within=60, what="the end of the batch")
    check_once(pair, numbers)
    figures(recipients=len(numbers), taken_over_after_s=round(took, 2))


def test_a_gateway_without_the_shared_folder_is_refused(pair: Nodes, tmp_path: Path) -> None:
    address = pair.servers[0].environment["GUVERCIN_DATABASE_URL"]
    with Server(tmp_path / "yabanci", GUVERCIN_DATABASE_URL=address) as stranger:
        assert "Another gateway runs on this database" in stranger.refuses().said


ACCOUNTS = 4
"""The one that is there, and the three that are added."""

KINDS = ("kill", "stop", "cut", "term", "fast", "immediate", "stop")
"""What happens: to a gateway, and in «fast» and «immediate» to PostgreSQL, as those ways to end it are called."""


def test_whatever_happens_to_a_gateway_nobody_is_written_to_twice(
    pair: Nodes, cluster: Postgres, figures: Figures
) -> None:
    accounts = add_accounts(pair.client(0), 3)
    pair.client(0).set_gap(0.03, *accounts)
    count = rounds(10, 100)
    numbers: list[str] = []
    longest = longest_return = 0.0
    restarts = 0
    for number in range(count):
        rng = Random(number)
        try:
            fresh = [f"+90533{number:03}{place:04}" for place in range(60)]
            numbers += fresh
            victim = rng.randrange(2)
            for place, account in enumerate(accounts):
                order(pair.alive(), account, fresh[place::4], f"Tur {number}")
            kind = KINDS[number] if number < len(KINDS) else rng.choice(KINDS)
            if kind in {"fast", "immediate"}:
                restarts += 1
                took, called = database_trouble(pair, cluster, kind, number, rng)
                longest_return, numbers = max(longest_return, took), numbers + called
            else:
                longest = max(longest, trouble(pair, victim, kind, rng))
            pair.until(lambda: is_over(pair), within=60, what="the end of the round")
        except BaseException as error:
            error.add_note(f"round {number} of {count}: its seed is its number")
            raise
    check_once(pair, numbers)
    figures(
        rounds=count,
        recipients=len(numbers),
        longest_takeover_s=round(longest, 2),
        database_restarts=restarts,
        longest_return_s=round(longest_return, 2),
    )


def database_trouble(pair: Nodes, cluster: Postgres, how: str, number: int, rng: Random) -> tuple[float, list[str]]:
    """End PostgreSQL under all gateways and start it again, while callers go on asking.

    Answers how long after its start everything was run again, and to whom the callers' messages go.
    """
    alive = pair.servers[0]
    with callers(pair.servers, pair.token, 1, first=5_340_000_000 + number * 10_000) as told:
        alive.live(rng.uniform(0.0, 0.3))
        cluster.stop(how)
        try:
            alive.live(rng.uniform(0.0, 1.5 * TTL))  # shorter than a lease, and longer
            for server in pair.servers:
                refused = server.client(pair.token).post("/gonder", {"telefon": "+905359999999", "mesaj": "Yok"})
                assert (refused.status, refused.code) == (503, "kayit_yapilamadi"), refused.text
                assert refused.headers["Retry-After"]
        finally:
            cluster.start()
        took = pair.until(
            lambda: sum(pair.counts()) == ACCOUNTS and all(server.is_ready() for server in pair.servers),
            within=TAKEOVER,
            what="everything after the database came back",
        )
        alive.live(0.1)
    assert told.surprises == []
    return took, list(told.promised)


def trouble(pair: Nodes, victim: int, kind: str, rng: Random) -> float:
    """Let something happen to a gateway; answers how long the other one needed to have everything."""
    server = pair.servers[victim]
    assert server.process is not None
    server.live(rng.uniform(0.0, 0.3))
    takes_over = {0: [4, 0], 1: [0, 4]}[1 - victim]
    match kind:
        case "kill":
            server.kill()
            took = pair.until(lambda: pair.counts() == takes_over, within=TAKEOVER, what="the taking over")
            server.start()
        case "stop":
            server.send_signal(signal.SIGSTOP)
            try:
                took = pair.until(lambda: pair.counts() == takes_over, within=TAKEOVER, what="the taking over")
            finally:
                os.kill(server.process.pid, signal.SIGCONT)
        case "cut":
            for _ in range(3):
                pair.cut(victim)
                server.live(rng.uniform(0.0, 0.2))
            took = 0.0
        case _:
            assert server.stop() == 0
            took = pair.until(lambda: pair.counts() == takes_over, within=2.0, what="the handing over")
            server.start()
    return took
