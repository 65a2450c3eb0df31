"""Gateways that share one PostgreSQL and one folder, as two machines would: each with a data folder of its own."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.server import POLL, Client, Gone, Server, monotonic
from tests.store.server import Server as Postgres

from guvercin.transports.ledger import Arrival, arrivals

TTL = 1.0
TAKEOVER = TTL + 5.0
ARRIVED = {"sent", "delivered", "read"}


class Nodes:
    """Several gateways of one shop."""

    def __init__(self, servers: Sequence[Server], cluster: Postgres, database: str, shelf: Path) -> None:
        self.servers = servers
        self.shelf = shelf
        self._cluster = cluster
        self._database = database
        self.token = ""

    def start(self) -> None:
        """Start all of them. The token works on each."""
        for server in self.servers:
            server.start()
        self.token = self.servers[0].token()

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Ask the database."""
        import psycopg

        with psycopg.connect(self._cluster.url(self._database), autocommit=True) as connection:
            answered = connection.execute(statement.encode(), values)
            return answered.fetchall() if answered.description else []

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Keep everybody from a table."""
        import psycopg

        with psycopg.connect(self._cluster.url(self._database)) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield

    def cut(self, number: int) -> None:
        """Cut every session that a gateway has to its database."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", f"node{number}")

    def owners(self) -> dict[int, str | None]:
        """Answer who has which account, as far as it isn't over."""
        rows = self.sql(
            "SELECT substr(subject, 9)::int, CASE WHEN until > extract(epoch FROM clock_timestamp()) * 1000 "
            "THEN node END FROM lease WHERE subject LIKE 'account:%%' ORDER BY 1"
        )
        return dict(rows)

    def name(self, number: int) -> str:
        """Answer what a gateway is called in the rows."""
        return (self.servers[number].folder / "guvercin.node").read_text("ascii").strip()

    def counts(self) -> list[int]:
        """Answer how many accounts each gateway has."""
        found = Counter(self.owners().values())
        return [found[self.name(number)] for number in range(len(self.servers))]

    def client(self, number: int = 0) -> Client:
        """Open a connection to one of them."""
        return self.servers[number].client(self.token)

    def alive(self) -> Client:
        """Open a connection to one that answers."""
        for server in self.servers:
            if server.process is not None and server.is_ready():
                return server.client(self.token)
        raise AssertionError("no gateway answers")

    def until(self, condition: Callable[[], bool], *, within: float, what: str) -> float:
        """Wait until something holds, and answer after how many seconds it did. A gateway may be down meanwhile."""
        began = monotonic()
        bell = SystemBell()
        while True:
            try:
                if condition():
                    return monotonic() - began
            except Gone:
                pass
            if monotonic() - began > within:
                said = "\n".join(server.said("err")[-3_000:] for server in self.servers)
                raise AssertionError(f"{what} did not come within {within} s\n{self.owners()}\n{said}")
            bell.wait(POLL)

    def arrived(self) -> list[Arrival]:
        """Answer what has arrived in the sandboxes of all of them."""
        return [each for path in sorted((self.shelf / "sandbox").glob("*.jsonl")) for each in arrivals(path)]


class SystemBell:
    """Waits for nothing but time."""

    def wait(self, seconds: float) -> None:
        import threading

        threading.Event().wait(seconds)


@contextmanager
def nodes(cluster: Postgres, folder: Path, database: str, count: int = 2, /, **environment: str) -> Iterator[Nodes]:
    """Lend so many gateways that have not been started, on a database that nobody has used."""
    cluster.create(database)
    shelf = folder / "ortak"
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                Server(
                    folder / f"veri{number}",
                    **{
                        "GUVERCIN_DATABASE_URL": f"{cluster.url(database)}&application_name=node{number}",
                        "GUVERCIN_SHARED_DIR": str(shelf),
                        "GUVERCIN_LEASE_SECONDS": str(TTL),
                        **environment,
                    },
                )
            )
            for number in range(count)
        ]
        yield Nodes(servers, cluster, database, shelf)


def add_accounts(client: Client, count: int) -> list[int]:
    """Add sandbox accounts to the one that is there, without gaps; answer all of them."""
    for number in range(count):
        added = client.post("/hesaplar", {"isim": f"Hat {number}", "tur": "sandbox"})
        assert added.status == 201, added.text
    accounts = [row["id"] for row in client.get("/hesaplar").json["data"]]
    client.set_gap(0.0, *accounts)
    return accounts


__all__ = ["ARRIVED", "TAKEOVER", "TTL", "Nodes", "SystemBell", "add_accounts", "nodes"]
