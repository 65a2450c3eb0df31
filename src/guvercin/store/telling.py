"""What gateways of one database tell each other after a commit: it shortens waits, and nothing depends on it.

One NOTIFY for each group commit, written in its transaction, so that it is heard once the commit is durable. It names
what moved; what doesn't fit into PostgreSQL's 8,000 bytes is found by who looks, a second later.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from guvercin.core.event import Standing
from guvercin.core.message import FINISHED, Status, WaitsFor
from guvercin.store.writer import Committed, Tx

CHANNEL = "guvercin"

SCHEMA_CHANNEL = "guvercin_schema"
"""Where whoever has changed the schema says its new version."""

NOTIFY = "SELECT pg_notify(CAST(? AS text), CAST(? AS text))"

_MOST = 100
"""Standings that surely fit into one notice."""

_MOST_LINES = 150

_LISTENS_FOR = 0.25
"""Seconds after which a listener sees whether it is to end."""

_AGAIN_AFTER = 1.0
"""Seconds after which a lost session is opened again."""


def written(node: str, done: Committed) -> str:
    """Write a commit as a notice of gateway `node`. What has ended comes first: somebody waits for that."""
    standings = sorted(done.standings, key=lambda standing: standing.status not in FINISHED)[:_MOST]
    notice = {
        "n": node,
        "s": [
            [each.id, each.account_id, each.batch_id, each.status.value, each.waits_for and each.waits_for.value]
            for each in standings
        ],
        "l": sorted(done.lines)[:_MOST_LINES],
        "r": done.received,
        "m": int(done.moves),
    }
    return orjson.dumps(notice).decode()


def read(text: str) -> tuple[str, Committed]:
    """Read a notice: whose it is, and what it tells. ValueError: it is none of ours."""
    try:
        notice = orjson.loads(text)
        standings = tuple(
            Standing(
                id=message_id,
                account_id=account_id,
                batch_id=batch_id,
                status=Status(status),
                waits_for=None if waits_for is None else WaitsFor(waits_for),
            )
            for message_id, account_id, batch_id, status, waits_for in notice["s"]
        )
        return str(notice["n"]), Committed(
            standings=standings,
            lines=frozenset(notice["l"]),
            received=int(notice["r"]),
            moves=bool(notice["m"]),
            is_ours=False,
        )
    except (KeyError, TypeError) as trouble:
        raise ValueError("no notice of ours") from trouble


class Mouth:
    """Tells the other gateways of a transaction, if there are any."""

    def __init__(self) -> None:
        self.node = ""
        self.has_neighbours = False

    def tell(self, tx: Tx) -> None:
        """Write the notice of a transaction that is about to be committed."""
        if self.has_neighbours and (tx.standings or tx.lines or tx.received):
            done = Committed(tuple(tx.standings), frozenset(tx.lines), received=tx.received)
            tx.execute(NOTIFY, (CHANNEL, written(self.node, done)))


class Ear:
    """Hears what other gateways tell, in a thread and over a session of its own."""

    def __init__(
        self,
        connect: Callable[[], Any],
        node: str,
        heard: Callable[[Committed], None],
        on_schema: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take how the driver's session is opened. `heard` is called in the thread.

        So is `on_schema`, with the version of the schema: at first and whenever somebody has changed it.
        """
        self._connect = connect
        self._node = node
        self._heard = heard
        self._on_schema = on_schema
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guvercin-ear", daemon=True)

    def open(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(Exception), self._connect() as session:  # whoever isn't told finds out by looking
                session.execute(f"LISTEN {CHANNEL}")
                session.execute(f"LISTEN {SCHEMA_CHANNEL}")
                for (found,) in session.execute("SELECT version_num FROM alembic_version"):
                    self._on_schema(found)
                self._listen(session)
            self._closing.wait(_AGAIN_AFTER)

    def _listen(self, session: Any) -> None:
        while not self._closing.is_set():
            for notice in session.notifies(timeout=_LISTENS_FOR):
                if notice.channel == SCHEMA_CHANNEL:
                    self._on_schema(notice.payload)
                    continue
                with suppress(ValueError):
                    node, done = read(notice.payload)
                    if node != self._node:
                        self._heard(done)
