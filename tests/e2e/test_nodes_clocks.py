"""Two gateways on one PostgreSQL whose wall clocks are fourteen minutes apart, neither of them right."""

import os
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from tests.e2e.pair import ARRIVED, Nodes, add_accounts, nodes
from tests.e2e.server import START_LIMIT, monotonic
from tests.e2e.skewed import skewed
from tests.e2e.tills import STUMBLING
from tests.store.server import Server as Postgres

from guvercin.gateway.clock import SystemClock

pytestmark = pytest.mark.e2e

BEHIND, AHEAD = -7 * 60, 7 * 60
PLANNED_IN = timedelta(seconds=3)
TOLERANCE = 2.0
"""Seconds by which what is planned may come early: the gateways' own tolerance, and their looks."""

PATIENCE = 40.0
"""Seconds in which a machine with other things to do gets to everything: far less than the clocks are wrong, and less
than what lives for a minute."""

LEASE = 3.0
"""Seconds: longer than a gateway stands still for want of a core."""


def epochs(pair: Nodes) -> dict[str, int]:
    return dict(pair.sql("SELECT subject, epoch FROM lease"))


def test_wrong_clocks_move_no_lease_and_no_moment(cluster: Postgres, tmp_path: Path) -> None:
    with nodes(cluster, tmp_path, "saat", GUVERCIN_LEASE_SECONDS=str(LEASE)) as pair:
        for server, seconds in zip(pair.servers, (BEHIND, AHEAD), strict=True):
            server.spawn(before=skewed(seconds))
        for server in pair.servers:
            server.until(server.is_ready, within=START_LIMIT, what="readiness")
        pair.token = pair.servers[0].token()
        accounts = add_accounts(pair.client(0), 3)
        pair.until(lambda: pair.counts() == [2, 2], within=LEASE + 5, what="an even share")
        theirs = [account for account, owner in pair.owners().items() if owner == pair.name(1)]

        # What lives for a minute, and what is planned, asked of each about each one's accounts.
        before, began = epochs(pair), monotonic()
        due = SystemClock().now() + PLANNED_IN
        short = [f"+9053210000{place}{account}" for place in range(2) for account in accounts]
        planned = [f"+9053220000{place}{account}" for place in range(2) for account in accounts]
        for place in range(2):
            for account in accounts:
                body = {"mesaj": "Merhaba", "hesap_id": account}
                for own in (
                    {"telefon": f"+9053210000{place}{account}", "gecerlilik_dk": 1},
                    {"telefon": f"+9053220000{place}{account}", "planlanan_zaman": due.isoformat()},
                ):
                    answer = pair.client(place).post("/gonder", {**body, **own}, Prefer="respond-async")
                    assert answer.status == 202, answer.text
        pair.until(lambda: numbers(pair) >= set(short), within=PATIENCE, what="what lives for a minute")
        soonest = PLANNED_IN.total_seconds() - TOLERANCE
        assert monotonic() - began > soonest or not numbers(pair) & set(planned), "planned messages went early"
        pair.until(lambda: numbers(pair) >= set(planned), within=PATIENCE, what="what was planned")
        assert epochs(pair) == before, "a lease moved without need"

        # The one that is ahead is frozen in mid-batch, with a second try planned by its clock; the other goes on.
        body = {"telefon": STUMBLING, "mesaj": "Takılır", "hesap_id": theirs[0]}
        assert pair.client(0).post("/gonder", body, Prefer="respond-async").status == 202
        tried = "SELECT 1 FROM message WHERE waits_for = 'tekrar_deneme'"
        pair.until(lambda: bool(pair.sql(tried)), within=PATIENCE, what="the first try of one that stumbles")
        pair.client(0).set_gap(0.02, *accounts)
        many = [f"+90533000{place:04}" for place in range(48)]
        for place, account in enumerate(accounts):
            people = [{"telefon": number} for number in many[place::4]]
            asked = {"alicilar": people, "mesaj": "Toplu", "hesap_id": account, "gecerlilik_dk": 1}
            assert pair.client(place % 2).post("/toplu-gonder", asked, Prefer="respond-async").status == 202
        frozen = pair.servers[1]
        assert frozen.process is not None
        frozen.send_signal(signal.SIGSTOP)
        try:
            pair.until(lambda: pair.counts() == [4, 0], within=LEASE + 5, what="the taking over")
            pair.servers[0].live(LEASE / 2)
        finally:
            os.kill(frozen.process.pid, signal.SIGCONT)
        open_ = "SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'unknown') LIMIT 1"
        pair.until(lambda: not pair.sql(open_), within=20, what="the end of everything")
        times = Counter(arrival.number for arrival in pair.arrived())
        assert times == dict.fromkeys([*short, *planned, *many, STUMBLING], 1)
        assert {status for (status,) in pair.sql("SELECT DISTINCT status FROM message")} <= ARRIVED


def numbers(pair: Nodes) -> set[str]:
    return {arrival.number for arrival in pair.arrived()}
