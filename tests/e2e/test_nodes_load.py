"""Three gateways and many accounts under a load that stays: every account is run, none by two, and none stands idle."""

import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 -- one seed for the whole load

import pytest
from tests.conftest import Figures
from tests.e2e.pair import TAKEOVER, Nodes, SystemBell, add_accounts, nodes
from tests.e2e.server import Client, Server, monotonic
from tests.e2e.test_nodes import check_once, is_over
from tests.rounds import rounds
from tests.store.server import Server as Postgres

pytestmark = pytest.mark.e2e

NODES = 3
ACCOUNTS = rounds(30, 300)
SECONDS = rounds(8, 600)
A_SECOND = rounds(10, 30)
LEASE = 5.0
"""Seconds: longer than a gateway stands still for want of a core. Nothing is to move here."""


@pytest.fixture
def three(cluster: Postgres, tmp_path: Path) -> Iterator[Nodes]:
    with nodes(cluster, tmp_path, "three", NODES, GUVERCIN_LEASE_SECONDS=str(LEASE)) as three:
        three.start()
        yield three


def cpu(server: Server) -> float:
    """Answer the seconds of a core that a gateway has taken."""
    assert server.process is not None
    taken = Path(f"/proc/{server.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()[11:13]
    return sum(map(int, taken)) / os.sysconf("SC_CLK_TCK")


def idle(three: Nodes) -> list[tuple[int, int]]:
    """Answer which accounts have had something due for longer than a takeover may last, and send nothing."""
    return three.sql(
        "SELECT account_id, count(*) FROM message AS m WHERE status = 'queued' "
        "AND greatest(due_at, created_at) < extract(epoch FROM clock_timestamp()) * 1000 - %s AND NOT EXISTS ("
        "SELECT 1 FROM message AS o WHERE o.account_id = m.account_id AND o.status = 'sending') GROUP BY 1",
        TAKEOVER * 1000,
    )


def is_even(three: Nodes) -> bool:
    counts = three.counts()
    return sum(counts) == ACCOUNTS and max(counts) - min(counts) <= 1


def send(client: Client, account: int, number: str) -> None:
    """Send a message; who is sent away because the cores are full comes again."""
    body = {"telefon": number, "mesaj": "Merhaba", "hesap_id": account}
    while (answer := client.post("/gonder", body, Prefer="respond-async")).code == "kuyruk_dolu":
        SystemBell().wait(0.2)
    assert answer.status == 202, answer.text


def test_many_accounts_on_three_gateways(three: Nodes, figures: Figures) -> None:
    rng = Random(20260223)
    clients = [three.client(number) for number in range(NODES)]
    accounts = add_accounts(clients[0], ACCOUNTS - 1)
    three.until(lambda: is_even(three), within=10 * TAKEOVER, what="an even share")
    before = [cpu(server) for server in three.servers]
    numbers: list[str] = []
    began = monotonic()
    for second in range(SECONDS):
        for _ in range(A_SECOND):
            numbers.append(f"+90532{len(numbers):07}")
            send(rng.choice(clients), rng.choice(accounts), numbers[-1])
        assert is_even(three), f"the shares moved in second {second}: {three.counts()}"
        assert idle(three) == [], f"in second {second}"
        three.until(lambda end=began + second + 1: monotonic() >= end, within=TAKEOVER, what="the next second")  # type: ignore[misc]
    three.until(lambda: is_over(three), within=60, what="the end")
    took = monotonic() - began
    check_once(three, numbers)
    spent = sum(cpu(server) - earlier for server, earlier in zip(three.servers, before, strict=True))
    waits = [float(wait) for (wait,) in three.sql("SELECT sent_at - created_at FROM message ORDER BY 1")]
    figures(
        accounts=ACCOUNTS,
        messages=len(numbers),
        seconds=round(took),
        a_second=round(len(numbers) / took, 1),
        sent_after_ms_median=statistics.median(waits),
        p99=waits[len(waits) * 99 // 100],
        longest=waits[-1],
        cpu_ms_a_message=round(1000 * spent / len(numbers), 1),
    )
