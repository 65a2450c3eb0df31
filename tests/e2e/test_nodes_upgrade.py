"""A gateway of today and one of a later version, whose schema is a newer one, on one PostgreSQL.

The rule: where older programs can live with the later one's schema, gateways are replaced one by one, forth and back.
Where they can't, the later one changes nothing while an older gateway has the database, and that one goes on; one that
has lost the database for so long that the schema was changed meanwhile stands aside, whatever it had in hand.
"""

import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import Figures
from tests.e2e.callers import Told, callers
from tests.e2e.pair import ARRIVED, TAKEOVER, Nodes, add_accounts, nodes
from tests.e2e.server import Client
from tests.proof.newer import NEWER, newer_program
from tests.store.server import Server as Postgres

from guvercin.store.schema import HEAD
from guvercin.transports.ledger import arrivals

ACCOUNTS = 2

pytestmark = pytest.mark.e2e


def schema(pair: Nodes) -> str:
    [(found,)] = pair.sql("SELECT version_num FROM alembic_version")
    return str(found)


def has_all(pair: Nodes, number: int) -> bool:
    return set(pair.owners().values()) == {pair.name(number)} and len(pair.owners()) == ACCOUNTS


def ledger(pair: Nodes, number: int) -> int:
    """Answer how many messages have left by one gateway."""
    return len(arrivals(pair.shelf / "sandbox" / f"{pair.name(number)}.jsonl"))


def order(client: Client, accounts: Sequence[int], count: int) -> list[str]:
    """Ask for a batch over each account; answers everybody who is to be written to."""
    numbers: list[str] = []
    for account in accounts:
        own = [f"+9053300{account:02}{place:03}" for place in range(count)]
        asked = {"alicilar": [{"telefon": number} for number in own], "mesaj": "Toplu", "hesap_id": account}
        assert client.post("/toplu-gonder", asked, Prefer="respond-async").status == 202
        numbers += own
    return numbers


def share_and_send(pair: Nodes) -> None:
    """Wait until both have their share, and see that both send."""
    pair.until(lambda: pair.counts() == [2, 2], within=3 * TAKEOVER, what="an even share")
    sent = [ledger(pair, each) for each in range(2)]
    pair.until(lambda: all(ledger(pair, each) > sent[each] for each in range(2)), within=10, what="sends of both")


def replace(pair: Nodes, number: int, program: str | None) -> None:
    """Replace one gateway by another program, null: today's."""
    server = pair.servers[number]
    assert server.stop() == 0
    server.environment.pop("PYTHONPATH", None)
    if program is not None:
        server.environment["PYTHONPATH"] = program
    server.start()
    share_and_send(pair)


def replace_beside_a_reader(pair: Nodes, number: int, program: str, address: str, told: Told) -> None:
    """Replace one while somebody reads for long: that keeps the newer one waiting, and nobody else."""
    import psycopg

    server = pair.servers[number]
    assert server.stop() == 0
    server.environment["PYTHONPATH"] = program
    looked = server.cli("anahtar", "liste")  # no command changes the schema under others
    assert (looked.returncode, "Another gateway runs" in looked.stderr) == (1, True), looked.stdout
    tried = "SELECT 1 FROM pg_stat_activity WHERE strpos(query, 'pg_sleep(') > 0 AND pid <> pg_backend_pid()"
    with psycopg.connect(address) as reader:
        reader.execute("SELECT 1 FROM message LIMIT 1").fetchall()
        server.spawn()
        pair.until(lambda: pair.sql(tried) != [], within=30, what="a first try")
        server.kill()  # in the middle of it, at any moment: nothing of it stays
        pair.until(lambda: pair.sql(tried) == [], within=10, what="the end of its sessions")
        server.spawn()
        pair.until(lambda: pair.sql(tried) != [], within=30, what="a first try of the next")
        promised = len(told.promised)
        pair.until(lambda: len(told.promised) > promised + 2, within=10, what="promises meanwhile")
        assert schema(pair) == HEAD
    server.until(server.is_ready, within=30, what="readiness")
    share_and_send(pair)


def test_gateways_are_replaced_one_by_one_and_back(cluster: Postgres, tmp_path: Path, figures: Figures) -> None:
    tomorrow = newer_program(tmp_path / "tomorrow", expands=True)
    with nodes(cluster, tmp_path, "degisim") as pair:
        pair.start()
        older = pair.servers[0]
        accounts = add_accounts(pair.client(0), 3)
        pair.client(0).set_gap(0.1, *accounts)
        pair.until(lambda: pair.counts() == [2, 2], within=TAKEOVER, what="an even share")
        numbers = order(pair.client(0), accounts, 400)
        with callers(pair.servers, pair.token, accounts[0], first=5_330_100_000, move=True) as told:
            pair.until(lambda: len(pair.arrived()) > 20, within=20, what="the middle of the batch")
            replace_beside_a_reader(pair, 1, tomorrow, cluster.url("degisim"), told)
            assert schema(pair) == NEWER

            # The older one has heard of it, once, and goes on; both say which they are.
            found = {each["ad"]: each for each in older.told("doktor")["data"]}
            assert (found["veritabani"]["durum"], NEWER in found["veritabani"]["bulgu"]) == ("sari", True)
            assert all(f"schema {each})" in found["dugumler"]["bulgu"] for each in (HEAD, NEWER)), found["dugumler"]
            assert older.said("err").count("newer_version_began") == 1
            replace(pair, 0, tomorrow)
            replace(pair, 1, None)  # and the way back
            assert schema(pair) == NEWER
            assert len(pair.arrived()) < len(numbers) + len(told.promised), "all was over too soon to mean anything"
        assert told.surprises == []

        pair.client(1).set_gap(0.0, *accounts)
        open_ = "SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'unknown') LIMIT 1"
        pair.until(lambda: not pair.sql(open_), within=120, what="the end of everything")
        times = Counter(arrival.number for arrival in pair.arrived())
        assert times == dict.fromkeys([*numbers, *told.promised], 1)
        assert {status for (status,) in pair.sql("SELECT DISTINCT status FROM message")} <= ARRIVED
        said = "".join(server.said("err") for server in pair.servers)
        assert "cached plan" not in said
        assert "Traceback" not in said
        figures(recipients=len(times), promised=len(told.promised), heard_503=told.refused, moved_on=told.moved)


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
