"""Run migrations, on a server also beside gateways that can live with them.

Laws
1. Whoever raises the compatible version first has the lock of every schema below it: no gateway that knows only
   such a one runs, nor starts meanwhile.
2. Beside running gateways nothing waits for a table's lock for long: whoever comes after would wait behind it. It is
   given up, everything is rolled back, and begun again. Nor does a step last: one that takes too long is given up.

Loaded only where there is something to migrate: Alembic is heavy.
"""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from guvercin.store.lock import EVENTS, GATEWAY, LOCKS, SCHEMAS, DatabaseOwned
from guvercin.store.telling import SCHEMA_CHANNEL

FIRST = "0019"
"""The migration that brought the rule: programs from before can't run beside a newer one."""

_LOCK_TIMEOUT = "400ms"
"""Less than the second after which PostgreSQL looks for deadlocks, and would end a gateway's question."""

_BESIDE = (
    f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'",
    "SET LOCAL statement_timeout = '15s'",
    "SET LOCAL idle_in_transaction_session_timeout = '5s'",  # whoever is frozen now must not keep all others waiting
)

_TRY = "SELECT pg_try_advisory_xact_lock(%s, %s)"


def compatible_version_after(scripts: ScriptDirectory, found: str | None, head: str) -> str:
    """Answer the oldest schema whose programs can run on it once everything from `found` to `head` is done."""
    steps = [step for step in scripts.iterate_revisions(head, found or "base") if step.revision >= FIRST]
    return max(getattr(step.module, "compatible_version", step.revision) for step in steps)


class Upgrade:
    """The way from one schema to another."""

    def __init__(self, folder: str, found: str | None, head: str) -> None:
        """Read the steps from `found` to `head`."""
        self._config = Config()
        self._config.set_main_option("script_location", folder.replace("%", "%%"))
        self._found = found
        self._head = head
        self._compatible = compatible_version_after(ScriptDirectory.from_config(self._config), found, head)

    def make_room(self, connection: Connection, known: frozenset[str]) -> bool:
        """Have a server's database for this, as far as it is needed; answers whether gateways run on meanwhile.

        DatabaseOwned: one that runs knows less than what can run afterwards. `known` are all schemas of this program.
        """

        def have(kind: int, which: int) -> bool:
            return bool(connection.exec_driver_sql(_TRY, (kind, which)).scalar_one())

        if have(LOCKS, GATEWAY):
            return False
        if self._found is None or self._found < FIRST:
            raise DatabaseOwned
        if not all(have(SCHEMAS, int(each)) for each in sorted(known) if FIRST <= each < self._compatible):
            raise DatabaseOwned
        for statement in _BESIDE:
            connection.exec_driver_sql(statement)
        return True

    def run(self, connection: Connection, *, is_shared: bool) -> None:
        """Do every step, in the transaction that is open. `is_shared`: gateways run on, and are told."""
        if is_shared:  # nobody writes meanwhile: writers would wait in the middle of what they have locked
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, EVENTS))
        self._config.attributes["connection"] = connection
        command.upgrade(self._config, self._head)
        connection.exec_driver_sql(f"UPDATE alembic_version SET compatible_version = '{self._compatible}'")  # noqa: S608 -- our own
        if is_shared:
            connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (SCHEMA_CHANNEL, self._head))
