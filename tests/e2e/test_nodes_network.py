"""A gateway whose network is cut: no word reaches it or leaves it, and nobody tells it so.

It runs in a network of its own (tests/e2e/island.py). Messages leave the sandbox by a file, which is cut off from
nothing: a gateway that didn't stop by its own clock would go on sending what another has taken over.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random  # noqa: TID251 -- each round has its own seed

import pytest
from tests.conftest import Figures
from tests.e2e.callers import callers
from tests.e2e.island import POSTGRES, Island, island
from tests.e2e.pair import TAKEOVER, TTL, Nodes, add_accounts, nodes
from tests.e2e.server import Gone
from tests.e2e.test_nodes import check_once, is_over, order
from tests.rounds import rounds
from tests.store.server import Server as Postgres

pytestmark = pytest.mark.e2e

ACCOUNTS = 4
DATABASE = "kopuk"

BACK = 30.0
"""Seconds: what a connection into the void may take to be given up, and a lease."""

NOTICED = 27.0
"""Seconds after which the cut gateway has given up every connection that it had, and some attempts at new ones."""

LONG = 9
"""Which round of ten is cut for so long."""


@dataclass(slots=True)
class Apart:
    """Two gateways, each in a network of its own."""

    pair: Nodes
    islands: list[Island]


@pytest.fixture
def apart(cluster: Postgres, tmp_path: Path) -> Iterator[Apart]:
    with nodes(cluster, tmp_path, DATABASE) as pair, ExitStack() as stack:
        islands = []
        for number, server in enumerate(pair.servers):
            try:
                islands.append(stack.enter_context(island(server.port, cluster.folder / f".s.PGSQL.{POSTGRES}")))
            except LookupError as trouble:
                pytest.skip(str(trouble))
            outside = server.environment["GUVERCIN_DATABASE_URL"]
            address = f"postgresql://guvercin@127.0.0.1:{POSTGRES}/{DATABASE}?application_name=node{number}"
            server.environment["GUVERCIN_DATABASE_URL"] = address
            server.start(before=islands[-1].before)
            server.environment["GUVERCIN_DATABASE_URL"] = outside  # the terminal's commands are given there
        pair.token = pair.servers[0].token()
        yield Apart(pair, islands)
        for server in pair.servers:
            server.kill()  # before the network that it lives in


def test_a_gateway_whose_network_is_cut_stops_by_itself(apart: Apart, figures: Figures) -> None:
    pair = apart.pair
    accounts = add_accounts(pair.client(0), ACCOUNTS - 1)
    pair.client(0).set_gap(0.03, *accounts)
    count = rounds(4, 40)
    numbers: list[str] = []
    takeovers, returns = [], []
    for number in range(count):
        rng = Random(number)
        try:
            pair.until(lambda: pair.counts() == [2, 2], within=BACK, what="an even share")
            victim = number % 2
            cut_off, alive = pair.servers[victim], pair.servers[1 - victim]
            fresh = [f"+90533{number:03}{place:04}" for place in range(80)]
            numbers += fresh
            for place, account in enumerate(accounts):
                order(pair.client(number % 2), account, fresh[place::4], f"Tur {number}")
            with callers([alive], pair.token, accounts[0], first=5_340_000_000 + number * 10_000) as told:
                alive.live(rng.uniform(0.0, 0.3))
                apart.islands[victim].cut()
                try:
                    takeovers.append(takeover(pair, 1 - victim) if number % 4 < 3 else blink(pair, rng))
                    with pytest.raises(Gone):
                        cut_off.client(pair.token, timeout=1).get("/hesaplar")
                    if number % 10 == LONG:
                        alive.live(NOTICED)
                finally:
                    apart.islands[victim].heal()
                returns.append(pair.until(cut_off.is_ready, within=BACK, what="its return"))
            assert told.surprises == []
            numbers += told.promised
            pair.until(lambda: is_over(pair), within=60, what="the end of the round")
        except BaseException as error:
            error.add_note(f"round {number} of {count}: its seed is its number")
            raise
    check_once(pair, numbers)
    figures(
        rounds=count,
        recipients=len(numbers),
        longest_takeover_s=round(max(takeovers), 2),
        longest_return_s=round(max(returns), 2),
    )


def takeover(pair: Nodes, to: int) -> float:
    """Wait until a gateway has everything; answers how many seconds it took."""
    return pair.until(
        lambda: pair.counts() == [ACCOUNTS * (to == place) for place in range(2)],
        within=TAKEOVER,
        what="the taking over",
    )


def blink(pair: Nodes, rng: Random) -> float:
    """Be cut off for a moment that a lease outlives; nobody takes anything over."""
    pair.servers[0].live(rng.uniform(0.1, 0.7) * TTL)
    return 0.0
