"""The store on a machine whose power goes again and again. Not a test: test_power_cut.py starts it.

    python tests/proof/power_cut.py FOLDER --seeds 0:30 [--cuts 10] [--control off|normal|lie]

One seed is one life of a database: `--cuts` times it is opened, used by the store's own verbs and cut off at a random
change of a file, in the middle of whatever SQLite does there. What the disk would still have is opened again and asked:

1. It is, to the byte of every row, what it was at one commit; not an older one than the last that returned. So nothing
   half done can be in it, and nothing that was acknowledged can be missing.
2. Asked by itself, without that: every acknowledged message, batch, claim and answer is there; every row has its
   event, every batch all its rows, and what an event says last is where its message stands.
3. PRAGMA integrity_check and foreign_key_check find nothing.

The statements and pragmas are the product's own, since the store itself runs here, on apsw in pysqlite3's place. Two
knobs are ours: in most lives the WAL is copied into the database sooner than after 1,000 pages, and in some the page
cache is small, so that a transaction is written before it is committed. Tells JSON; exit code 1 if a law broke.
"""

import argparse
import asyncio
import hashlib
import json
import logging
import marshal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded
from typing import Any

from tests.proof import apsw_driver

apsw_driver.take_the_place_of_pysqlite3()

from tests.contracts.desk import BOTH, DAY, HOUR, NOW, Desk, draft, key, receipt  # noqa: E402 -- after the driver
from tests.proof.disk import Disk  # noqa: E402

from guvercin.core.account import Line, LineState  # noqa: E402
from guvercin.core.errors import Code  # noqa: E402
from guvercin.core.message import File, Lane, Level  # noqa: E402
from guvercin.core.outcome import Accepted, Deferred, Lost, NeverLeft, Outcome, ReceiptKind, Refused  # noqa: E402
from guvercin.store.schema import HEAD, prepare, version  # noqa: E402
from guvercin.store.sqlite import FILE_NAME, engine_for  # noqa: E402
from guvercin.store.sqlite_store import SqliteStore  # noqa: E402
from guvercin.store.verbs.accepting import Acceptance, Quota, Repeat  # noqa: E402
from guvercin.store.verbs.claiming import Claimed  # noqa: E402
from guvercin.store.verbs.upkeep import Doubt  # noqa: E402
from guvercin.store.writer import REFUSALS, Tx  # noqa: E402

CONTROLS = {
    "off": {"PRAGMA synchronous = FULL": "PRAGMA synchronous = OFF"},
    "normal": {"PRAGMA synchronous = FULL": "PRAGMA synchronous = NORMAL"},
    "lie": {},
}
QUOTA = Quota(limit=10**9, day="2026-02-23", renews_in=NOW - NOW)
PEOPLE = [f"+90532{number:07d}" for number in range(12)]


class Broken(AssertionError):  # noqa: N818 -- a word of this story
    """A law was broken: the text says which."""


@dataclass(slots=True)
class Promises:
    """What the store has said yes to."""

    messages: dict[int, str] = field(default_factory=dict)
    batches: dict[int, int] = field(default_factory=dict)
    claims: dict[int, int] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)


def digest(connection: apsw_driver.Connection) -> str:
    """Answer a fingerprint of every row of every table."""
    ask = connection.raw.execute
    names = sorted(name for (name,) in ask("SELECT name FROM sqlite_schema WHERE type = 'table'"))
    taken = hashlib.blake2b(digest_size=12)
    keyed = {
        name for (name,) in ask("SELECT name FROM pragma_table_list WHERE wr")
    }  # they lie in the order of their keys
    for name in names:
        order = "" if name in keyed else " ORDER BY rowid"
        taken.update(marshal.dumps(ask(f'SELECT * FROM "{name}"{order}').fetchall(), 0))  # noqa: S608
    return taken.hexdigest()


class Commits:
    """What the database may look like: as at the last commit that returned, or as at the one that was under way."""

    def __init__(self) -> None:
        self.allowed: set[str] = set()
        self.returned = 0
        self.in_flight = False

    def commit(self, connection: apsw_driver.Connection, go: Callable[[], apsw_driver.Cursor]) -> apsw_driver.Cursor:
        if connection.changes_at_commit == connection.total_changes:
            return go()  # nothing was written: nothing to promise
        now = digest(connection)
        self.allowed.add(now)
        self.in_flight = True
        done = go()
        self.in_flight = False
        self.allowed = {now}
        self.returned += 1
        connection.changes_at_commit = connection.total_changes
        return done


class Life:
    """One database, from its making through all its cuts."""

    def __init__(self, disk: Disk, folder: Path, seed: int, empty: bytes) -> None:
        self.disk = disk
        self.folder = folder
        self.rng = Random(seed)
        self.commits = Commits()
        self.promises = Promises()
        self.counts: Counter[str] = Counter()
        self.desk = Desk(SqliteStore(folder))
        self.in_hand: list[Claimed] = []
        self.doubts: Sequence[Doubt] = ()
        self.remote: dict[str, int] = {}
        self.number = 0
        pages = self.rng.choice((None, 5, 20, 60, 200))
        cache = self.rng.choice((None, None, 10))

        def tune(connection: apsw_driver.Connection) -> None:
            if cache is not None:
                connection.raw.execute(f"PRAGMA cache_size = {cache}")
            if pages is not None:  # whoever doesn't own the file turns this off again
                connection.raw.wal_autocheckpoint(pages)

        apsw_driver.Connection.on_open = staticmethod(tune)
        apsw_driver.Connection.on_commit = staticmethod(self.commits.commit)
        disk.install(folder, {FILE_NAME: empty}, self.rng)

    @property
    def store(self) -> SqliteStore:
        store = self.desk.store
        assert isinstance(store, SqliteStore)
        return store

    async def live(self, cuts: int) -> None:
        await self.store.open()
        await self.desk.furnish()
        for _ in range(cuts):
            cut_somewhere(self.disk, self.rng, within=600)
            try:
                while not self.disk.is_off:
                    await self.work()
            except Exception as trouble:
                if not self.disk.is_off:
                    raise Broken(f"in full power: {trouble!r}") from trouble
            self.counts["cuts"] += 1
            self.counts["cuts in a commit"] += self.commits.in_flight
            self.commits.in_flight = False
            await self.let_go()
            self.disk.power_on()
            await self.wake()
        self.counts["commits"] += self.commits.returned
        self.counts["acknowledged messages"] += len(self.promises.messages)
        await self.let_go()

    async def work(self) -> None:
        """Use the store for a while; sometimes end in order and start again."""
        reader = engine_for(self.store.path, query_only=True).connect() if self.rng.random() < 0.3 else None
        try:
            if reader is not None:  # a long read: what it sees must stay in the WAL
                reader.exec_driver_sql("BEGIN")
                reader.exec_driver_sql("SELECT count(*) FROM message").scalar_one()
            for _ in range(self.rng.randint(1, 8)):
                await self.burst()
        finally:
            if reader is not None:
                with suppress(Exception):  # without power it can't even be closed in order
                    reader.close()
        if self.rng.random() < 0.2:
            await self.store.close()
            await self.start()

    async def let_go(self) -> None:
        with suppress(Exception):
            await self.store.close()

    async def start(self) -> None:
        self.desk.store = SqliteStore(self.folder)
        await self.store.open()
        await self.store.recover(now=self.desk.now, limit=1_000)
        self.in_hand.clear()

    async def wake(self) -> None:
        """Open what the disk still has, and ask it. The next cut may come in the middle of that."""
        while True:
            if self.rng.random() < 0.2:
                cut_somewhere(self.disk, self.rng, within=12)
            self.desk.store = SqliteStore(self.folder)
            try:
                await self.store.open()
                self.check(is_older=await self.store.is_older_copy())
                await self.store.recover(now=self.desk.now, limit=1_000)
            except Broken:
                raise
            except Exception as trouble:
                if not self.disk.is_off:
                    raise Broken(f"it can't be opened: {trouble!r}") from trouble
            if not self.disk.is_off:
                self.in_hand.clear()
                return
            self.counts["cuts"] += 1
            self.counts["cuts while it recovered"] += 1
            self.commits.in_flight = False
            await self.let_go()
            self.disk.power_on()

    # -- asking

    def check(self, *, is_older: bool) -> None:
        with engine_for(self.store.path, query_only=True).connect() as connection:
            raw: Any = connection.connection.driver_connection

            def ask(question: str) -> dict[Any, Any]:
                return dict(raw.execute(question).fetchall())

            def demand(holds: bool, law: str) -> None:  # noqa: FBT001
                if not holds:
                    raise Broken(law)

            demand(not is_older, "the mark beside the database is newer than the database")
            found = raw.execute("PRAGMA integrity_check").fetchall()
            demand(found == [("ok",)], f"integrity_check: {found}")
            demand(raw.execute("PRAGMA foreign_key_check").fetchall() == [], "foreign_key_check")
            kept = self.promises
            rows = ask("SELECT id, body FROM message")
            demand(kept.messages.items() <= rows.items(), "an acknowledged message is gone")
            whole = ask("SELECT b.id, b.total FROM batch b")
            there = ask("SELECT batch_id, count(*) FROM message WHERE batch_id > 0 GROUP BY batch_id")
            demand(whole == there, "half a batch")
            demand(kept.batches.items() <= whole.items(), "an acknowledged batch is gone")
            attempts = ask("SELECT id, message_id FROM attempt")
            demand(kept.claims.items() <= attempts.items(), "an acknowledged claim is gone")
            answers = ask("SELECT id, outcome FROM attempt WHERE outcome IS NOT NULL")
            demand(kept.answers.items() <= answers.items(), "an acknowledged answer is gone")
            events = ask(
                "SELECT message_id, count(*) FROM event WHERE kind IN ('mesaj.kabul_edildi', 'mesaj.basarisiz') "
                "AND id IN (SELECT min(id) FROM event GROUP BY message_id) GROUP BY 1"
            )
            demand(events == dict.fromkeys(rows, 1), "a message without its event, or an event without its message")
            claimed = ask("SELECT message_id, count(*) FROM event WHERE kind = 'mesaj.gonderiliyor' GROUP BY 1")
            tried = ask("SELECT message_id, count(*) FROM attempt GROUP BY 1")
            demand(claimed == tried, "an attempt without its event, or an event without its attempt")
            demand(
                not ask(
                    "SELECT m.id, m.status FROM message m JOIN attempt a ON a.message_id = m.id "
                    "WHERE a.ended_at IS NULL AND m.status NOT IN ('sending', 'sent', 'delivered', 'read', 'failed')"
                ),
                "an open attempt of a message that nobody has in hand",
            )
            keys = ask("SELECT message_id, key FROM idempotency_key WHERE message_id > 0")
            demand(keys.keys() <= rows.keys(), "a key without its message")
            used = ask("SELECT token_id, accepted FROM token_use")
            demand(sum(used.values()) == len(keys), "the quota counts something else than what is there")
            demand(digest(raw) in self.commits.allowed, "it is not as it was at any commit that it may stand at")
            self.commits.allowed = {digest(raw)}

    # -- using

    async def burst(self) -> None:
        """Ask for several things at once: they are one group, and so one commit."""
        self.desk.now += timedelta(seconds=self.rng.randint(0, 90))
        self.doubts = await self.store.in_doubt(now=self.desk.now, limit=50)
        jobs = [self.pick() for _ in range(self.rng.choice((1, 1, 2, 3, 5, 8, 13)))]
        loop = asyncio.get_running_loop()
        began: asyncio.Future[None] = loop.create_future()
        go_on = threading.Event()

        def hold(_: Tx) -> None:
            loop.call_soon_threadsafe(began.set_result, None)
            go_on.wait()

        async def let_go_on() -> None:
            go_on.set()

        # The writer takes what waits at the moment that it looks: held until all of it does, the groups are the seed's.
        holding = asyncio.ensure_future(self.store._writer.do(hold))
        await asyncio.wait({holding, began}, return_when=asyncio.FIRST_COMPLETED)
        done = await asyncio.gather(holding, *jobs, let_go_on(), return_exceptions=True)
        if not began.done():
            began.cancel()
        if self.disk.is_off:
            raise OSError("no power")
        for trouble in done:
            is_no = isinstance(trouble, REFUSALS) and getattr(trouble, "code", None) is not Code.STORE_UNAVAILABLE
            if isinstance(trouble, BaseException) and not is_no:
                raise trouble

    def pick(self) -> Awaitable[None]:
        verbs: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (8, self.accept),
            (2, self.accept_batch),
            (5, self.claim),
            (5, self.settle),
            (3, self.hear),
            (1, self.withdraw),
            (1, self.steer),
            (1, self.resend),
            (1, self.conclude),
            (2, self.tidy),
        ]
        verb = self.rng.choices([verb for _, verb in verbs], [weight for weight, _ in verbs])[0]
        return verb()

    def new_text(self) -> str:
        self.number += 1
        return f"{self.number} " + "Randevunuz yarın. " * self.rng.choice((0, 1, 5, 300))

    async def accept(self) -> None:
        text = self.new_text()
        account = self.rng.randint(1, 2)
        due_at = self.desk.now + timedelta(minutes=self.rng.randint(1, 30)) if self.rng.random() < 0.1 else None
        wanted = draft(
            self.rng.choice(PEOPLE),
            account=account,
            text=text,
            level=self.rng.choice(list(Level)),
            now=self.desk.now,
            lifetime=self.rng.choice((timedelta(minutes=5), DAY)),
            due_at=due_at,
            reference=self.rng.choice((None, f"sipariş-{self.rng.randint(1, 20)}")),
            reason=Code.INVALID_PHONE if self.rng.random() < 0.02 else None,
        )
        guarded = Repeat(fingerprint=text.encode()[:32], since=self.desk.now - HOUR)
        if self.rng.random() < 0.5:
            taken = await self.desk.take(wanted, under=key(text[:20]), quota=QUOTA)
        else:
            taken = await self.desk.take(wanted, repeat=guarded)
        self.acknowledged(taken, text)

    def acknowledged(self, taken: Acceptance, text: str) -> None:
        assert taken.standing is not None
        if taken.standing.id in self.promises.messages:
            raise Broken("an id was given out twice")
        self.promises.messages[taken.standing.id] = text

    async def accept_batch(self) -> None:
        text = self.new_text()
        # The last is more than SQLite keeps in memory: it is in the WAL before its commit.
        size = self.rng.choices((2, 5, 20, 60, 600), (6, 6, 6, 6, 1))[0]
        rows = [draft(who, text=text, lane=Lane.BULK, now=self.desk.now) for who in self.rng.choices(PEOPLE, k=size)]
        taken = await self.desk.accept_batch(rows, body=text.encode())
        assert taken.batch_id is not None
        self.promises.batches[taken.batch_id] = size

    def took(self, claimed: Claimed | None) -> None:
        if claimed is not None and claimed.message is not None:
            self.promises.claims[claimed.attempt_id] = claimed.message.id
            self.in_hand.append(claimed)

    async def claim(self) -> None:
        secret, draw = self.rng.randbytes(32), self.rng.random()
        self.took(await self.store.claim(self.rng.randint(1, 2), BOTH, now=self.desk.now, secret=secret, draw=draw))

    def outcome(self, message_id: int) -> Outcome:
        remote_id = f"DENEME-{message_id}-{self.number}"
        accepted = Accepted(remote_id, self.desk.now)
        outcome: Outcome = self.rng.choice(
            (
                accepted,
                accepted,
                accepted,
                Deferred(reason=Code.PUSHED_BACK, pushed_back=True),
                Refused(reason=Code.NOT_ON_WHATSAPP),
                Lost(Code.ANSWER_LOST),
            )
        )
        if outcome is accepted:
            self.remote[remote_id] = 0
        return outcome

    async def settle(self) -> None:
        if not self.in_hand:
            return
        claimed = self.in_hand.pop(self.rng.randrange(len(self.in_hand)))
        assert claimed.message is not None
        outcome = self.outcome(claimed.message.id)
        attempt_id, now = claimed.attempt_id, self.desk.now
        word = type(outcome).__name__.lower()
        if isinstance(outcome, Accepted) and self.rng.random() < 0.5:
            secret, draw = self.rng.randbytes(32), self.rng.random()
            again = await self.store.settle_and_claim(
                claimed.message.id, attempt_id, outcome, BOTH, now=now, secret=secret, draw=draw
            )
            self.took(again)
        else:
            retry_at = self.rng.choice((None, now + timedelta(minutes=1)))
            await self.store.settle(claimed.message.id, attempt_id, outcome, now=now, retry_at=retry_at)
        self.promises.answers[attempt_id] = word

    async def hear(self) -> None:
        known = self.rng.choices(list(self.remote), k=3) if self.remote else []
        ids = [*known, f"DENEME-early-{self.rng.randint(1, 9)}"]
        kinds = list(ReceiptKind)
        await self.desk.hear(
            *(receipt(self.rng.choice(kinds), self.desk.now, remote_id) for remote_id in ids),
            account=self.rng.randint(1, 2),
        )

    async def withdraw(self) -> None:
        verb = self.rng.choice(("cancel", "reference", "give_up"))
        message_id = self.rng.randint(1, 1 + len(self.promises.messages) * 2)
        reference = f"sipariş-{self.rng.randint(1, 20)}"
        match verb:
            case "cancel":
                await self.store.cancel(message_id, now=self.desk.now)
            case "reference":
                await self.store.cancel_reference(reference, None, now=self.desk.now)
            case _:
                await self.store.give_up(message_id, Code.GIVEN_UP, now=self.desk.now)

    async def steer(self) -> None:
        batch_id = self.rng.randint(1, 1 + len(self.promises.batches))
        store = self.store
        verb = self.rng.choice((store.pause_batch, store.resume_batch, store.cancel_batch))
        await verb(batch_id, now=self.desk.now)

    async def resend(self) -> None:
        if not self.promises.messages:
            return
        old = self.rng.choice(list(self.promises.messages))
        text = self.new_text()
        taken = await self.store.resend(
            old, draft(text=text, now=self.desk.now), token_id=1, now=self.desk.now, key=None, quota=None
        )
        self.acknowledged(taken, text)

    async def conclude(self) -> None:
        evidence = self.rng.choice((Accepted(f"DENEME-late-{self.number}", self.desk.now), NeverLeft()))
        draw = self.rng.random()
        if self.doubts:
            await self.store.conclude(self.doubts[int(draw * len(self.doubts))], evidence, now=self.desk.now)

    async def tidy(self) -> None:
        now = self.desk.now
        digest_of_file = self.rng.randbytes(4).hex()
        file = File(digest=digest_of_file, name="fatura.pdf", media_type="application/pdf", size=9)
        line = Line(state=self.rng.choice(list(LineState)), since=now)
        await self.rng.choice(
            (
                partial(self.store.release_due, now=now, limit=500),
                partial(self.store.expire, now=now, limit=500),
                partial(self.store.cancel_rest, now=now, limit=20),
                partial(self.store.check, now),
                partial(self.store.forget, now=now),
                partial(self.store.touch_tokens, {1: now}),
                partial(self.store.keep_upload, digest_of_file, 1, file, now=now),
                partial(self.store.set_line, 1, line, now=now),
            )
        )()


def cut_somewhere(disk: Disk, rng: Random, *, within: int) -> None:
    """Choose a moment for the next cut: any change, or one of a kind that comes seldom."""
    what, most = rng.choice(
        (
            ("write", within),
            ("write wal", 30),
            ("sync wal", 6),
            ("write database", 30),
            ("sync database", 2),
            ("delete", 1),
            ("create", 1),
        )
    )
    disk.cut_at(within, what, rng.randint(1, most))


def birth(disk: Disk, folder: Path, seed: int) -> int:
    """Cut the power while the database is made; a later start must finish it. Answers how many cuts it took."""
    rng = Random(seed)
    folder.mkdir()
    disk.install(folder, {}, rng)
    cuts = 0
    while True:
        if cuts < 5:
            cut_somewhere(disk, rng, within=120)
        try:
            prepare(engine_for(folder / FILE_NAME, create=True))
        except Exception as trouble:
            if not disk.is_off:
                raise Broken(f"it can't be made any more: {trouble!r}") from trouble
        if not disk.is_off:
            break
        cuts += 1
        disk.power_on()
    disk.cut_no_more()
    with engine_for(folder / FILE_NAME).connect() as connection:
        if version(connection) != HEAD:
            raise Broken("half a schema")
        if connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() != "ok":
            raise Broken("integrity_check of a new database")
    return cuts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", required=True, help="FIRST:END")
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--control", choices=CONTROLS)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # a machine without power has much to complain about
    disk = Disk()
    first, end = map(int, asked.seeds.split(":"))
    made = asked.folder / "made"
    made.mkdir()
    disk.install(made, {}, Random(0))
    prepare(engine_for(made / FILE_NAME, create=True))
    empty = (made / FILE_NAME).read_bytes()
    if asked.control is not None:
        apsw_driver.Connection.words = CONTROLS[asked.control]
        disk.lies = asked.control == "lie"
    counts: Counter[str] = Counter()
    seed = first
    try:
        for seed in range(first, end):
            folder = asked.folder / str(seed)
            folder.mkdir()
            life = Life(disk, folder, seed, empty)
            asyncio.run(life.live(asked.cuts))
            counts += life.counts
            if asked.control is None and seed % 10 == 0:
                counts["cuts while it was made"] += birth(disk, folder / "birth", seed)
    except Broken as law:
        sys.stdout.write(json.dumps({"broken": str(law), "seed": seed, "cuts": counts["cuts"]}))
        return 1
    sys.stdout.write(json.dumps({"counts": counts, "during": disk.cuts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
