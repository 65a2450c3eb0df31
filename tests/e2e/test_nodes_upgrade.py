"""A gateway of today and one of a later version, whose schema is a newer one, on one PostgreSQL.

The rule: the later one changes nothing while an older gateway has the database, and that one goes on. One that has lost
the database for so long that the schema was changed meanwhile stands aside, whatever it had in hand.
"""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from tests.e2e.pair import ARRIVED, TAKEOVER, Nodes, add_accounts, nodes
from tests.proof.newer import NEWER, newer_program
from tests.store.server import Server as Postgres

from guvercin.store.schema import HEAD

ACCOUNTS = 2

pytestmark = pytest.mark.e2e


def schema(pair: Nodes) -> str:
    [(found,)] = pair.sql("SELECT version_num FROM alembic_version")
    return str(found)


def has_all(pair: Nodes, number: int) -> bool:
    return set(pair.owners().values()) == {pair.name(number)} and len(pair.owners()) == ACCOUNTS


def test_a_newer_program_waits_for_an_older_one_and_an_older_one_stands_aside(
    cluster: Postgres, tmp_path: Path
) -> None:
    with nodes(cluster, tmp_path, "surum") as pair:
        older, newer = pair.servers
        newer.environment["PYTHONPATH"] = newer_program(tmp_path / "tomorrow")
        older.start()
        pair.token = older.token()
        client = pair.client(0)
        accounts = add_accounts(client, 1)
        client.set_gap(0.05, *accounts)
        pair.until(lambda: has_all(pair, 0), within=TAKEOVER, what="all accounts")
        numbers = [f"+90533000{place:04}" for place in range(120)]
        for place, account in enumerate(accounts):
            people = [{"telefon": number} for number in numbers[place::2]]
            asked = {"alicilar": people, "mesaj": "Toplu", "hesap_id": account}
            assert client.post("/toplu-gonder", asked, Prefer="respond-async").status == 202

        # While the older one runs, the newer one says what to do, and changes nothing.
        refused = newer.refuses()
        assert "Another gateway runs on this database" in refused.said
        assert "the same version" in refused.said
        assert schema(pair) == HEAD
        assert client.post("/gonder", {"telefon": "+905329000001", "mesaj": "Sürer"}, Prefer="wait=5").json["ok"]

        # Frozen and cut off in mid-batch, it has the database no more: the newer one may begin.
        older.send_signal(signal.SIGSTOP)
        assert older.process is not None
        try:
            left = len(pair.arrived())
            assert left < len(numbers), "the batch was over too soon to mean anything"
            pair.cut(0)
            newer.start()
            assert schema(pair) == NEWER
            pair.until(lambda: has_all(pair, 1), within=TAKEOVER, what="the taking over")
        finally:
            os.kill(older.process.pid, signal.SIGCONT)

        # Awake again, it takes nothing and promises nothing on a schema that it doesn't know.
        answer = pair.client(0).post("/gonder", {"telefon": "+905329999999", "mesaj": "Yok"}, Prefer="respond-async")
        assert (answer.status, answer.code) == (503, "kayit_yapilamadi"), answer.text
        assert answer.headers["Retry-After"]
        pair.until(lambda: not older.is_ready(), within=5.0, what="its word that it can't be used")
        assert pair.client(1).post("/gonder", {"telefon": "+905329000002", "mesaj": "Yeni"}, Prefer="wait=5").json["ok"]
        pair.client(1).set_gap(0.0, *accounts)
        open_ = "SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'unknown') LIMIT 1"
        pair.until(lambda: not pair.sql(open_), within=30, what="the end of everything")
        assert has_all(pair, 1)
        assert "a newer version has changed the schema" in older.said("err")
        assert older.stop() == 0
        assert "A newer Güvercin has written this database" in older.refuses().said

        times = Counter(arrival.number for arrival in pair.arrived())
        assert times == dict.fromkeys([*numbers, "+905329000001", "+905329000002"], 1)
        assert {status for (status,) in pair.sql("SELECT DISTINCT status FROM message")} <= ARRIVED
