"""kill -9 while it accepts: whatever was answered yes is there afterwards, whole, and the database is sound.

It says nothing of a power cut: a killed process leaves its writes to the kernel.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded
from typing import IO, Any

import pytest
from tests.contracts.desk import Desk
from tests.rounds import rounds
from tests.store.children import child

from guvercin.core.message import Status
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore

ACCEPTING = Path(__file__).with_name("accepting.py")


class Tills:
    """Processes that accept, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.process = child(ACCEPTING, folder)
        self.names = piped(self.process.stdin)
        self.lines = piped(self.process.stdout)

    def accept_until_killed(self, name: str, acknowledged: int) -> list[list[str]]:
        """Let one accept and kill it after so many acknowledgements; answers all that it has told."""
        self.names.write(f"{name}\n")
        self.names.flush()
        pid = 0
        told: list[list[str]] = []
        for text in self.lines:
            match text.split():
                case ["pid", word]:
                    pid = int(word)
                case ["dead"]:
                    assert len(told) >= acknowledged, f"{name} died by itself"
                    return told
                case words:
                    told.append(words)
            if pid and len(told) >= acknowledged:
                os.kill(pid, signal.SIGKILL)
                acknowledged, pid = len(told), 0
        raise AssertionError(piped(self.process.stderr).read())

    def end(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


def piped(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@pytest.fixture
def tills(folder: Path) -> Iterator[Tills]:
    started = Tills(folder)
    yield started
    started.end()


async def test_what_was_acknowledged_survives_a_kill(desk: Desk, folder: Path, tills: Tills) -> None:
    rng = Random(9)
    messages: dict[int, str] = {}
    batches: dict[int, int] = {}
    for number in range(rounds(20, 200)):
        await desk.store.close()
        acknowledged = rng.randrange(1, 120)
        for kind, word, rest in await asyncio.to_thread(tills.accept_until_killed, f"r{number}", acknowledged):
            if kind == "m":
                assert int(word) not in messages, f"round {number}: an id was given out twice"
                messages[int(word)] = rest
            else:
                batches[int(word)] = int(rest)
        await desk.store.open()
        assert not await desk.store.is_older_copy()
        await desk.store.recover(now=desk.now, limit=1_000)
        check(folder / FILE_NAME, messages, batches)
    rows = {row.id: row for row in await desk.rows()}
    assert not [row for row in rows.values() if row.status is Status.SENDING]
    assert {row.content.text for row in rows.values() if row.id in messages} == set(messages.values())


def check(path: Path, messages: dict[int, str], batches: dict[int, int]) -> None:
    with engine_for(path).connect() as connection:
        raw: Any = connection.connection.driver_connection

        def ask(question: str) -> dict[int, object]:
            return dict(raw.execute(question).fetchall())

        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        stored = ask("SELECT id, body FROM message")
        assert messages.items() <= stored.items()
        # Every row has its event; every key its row; every batch all of its rows, acknowledged or not.
        accepted = ask("SELECT message_id, count(*) FROM event WHERE kind = 'mesaj.kabul_edildi' GROUP BY 1")
        assert accepted == dict.fromkeys(stored, 1)
        keys = ask("SELECT message_id, key FROM idempotency_key")
        assert messages.items() <= keys.items()
        assert keys.keys() <= stored.keys()
        whole = ask("SELECT batch_id, count(*) FROM message WHERE batch_id > 0 GROUP BY batch_id")
        assert batches.items() <= whole.items()
        assert set(whole.values()) <= {20}
        assert set(whole) == set(ask("SELECT id, 1 FROM batch"))
        assert ask("SELECT token_id, accepted FROM token_use") == ({1: len(keys)} if keys else {})


async def test_the_store_that_comes_after_a_kill_is_like_any_other(desk: Desk, folder: Path, tills: Tills) -> None:
    await desk.store.close()
    await asyncio.to_thread(tills.accept_until_killed, "r", 50)
    after = Desk(SqliteStore(folder))
    await after.store.open()
    await after.store.recover(now=after.now, limit=1_000)
    doubts = await after.store.in_doubt(now=after.now, limit=1_000)
    assert len(doubts) <= 1  # one line, one message in hand
    assert await after.next_id() is not None
    await after.store.close()
