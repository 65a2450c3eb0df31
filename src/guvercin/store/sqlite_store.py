"""The Store in one SQLite file: written by one thread (see writer.py), read by a few that can't write."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from sqlalchemy import Connection

from guvercin.core.account import Account, Kind, Line, Manners, OnUnknown
from guvercin.core.alert import Alert, Judgement
from guvercin.core.audit import Entry
from guvercin.core.category import Category
from guvercin.core.consent import Consent, NewConsent
from guvercin.core.course import Course
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event, Standing
from guvercin.core.grant import Allowance
from guvercin.core.hook import CloseReason, Delivery, Hook, HookEvent, Lag, Notice, Secrets
from guvercin.core.inbound import InboxFilter, InboxPage, Received
from guvercin.core.log import MessageFilter, Page, Tried, Unclear
from guvercin.core.message import Draft, File, Lane, Message, Track
from guvercin.core.optout import NewOptOut, OptOut, OptOutScope, OptOutSource, Replies
from guvercin.core.outcome import Accepted, Deferred, Inbound, NeverLeft, Outcome, Receipt, Refused, Told
from guvercin.core.pacing import Pace, Use
from guvercin.core.person import Person, Role, Session
from guvercin.core.restriction import Restriction
from guvercin.core.rights import Cause, Destruction, Dossier, Forgotten, Hold
from guvercin.core.tally import DayCount, HourCount
from guvercin.core.token import Token, TokenRules
from guvercin.store import (
    accepting,
    access,
    accounts,
    alerts,
    auditing,
    batches,
    categories,
    claiming,
    consents,
    granting,
    hearing,
    hooks,
    inbox,
    messages,
    numbers,
    optouts,
    pacing,
    people,
    reading,
    restricting,
    retention,
    rights,
    scrubbing,
    statements,
    tally,
    upkeep,
)
from guvercin.store.hand import by_hand
from guvercin.store.seen import Seen
from guvercin.store.sqlite import FILE_NAME, copy_database, engine_for, is_busy, is_unavailable
from guvercin.store.store import (
    NO_TURN,
    Acceptance,
    BatchAsk,
    BatchRow,
    Claimed,
    Depth,
    Doubt,
    DraftInShort,
    Due,
    KeptDraft,
    KeptFile,
    KeyRow,
    Ledger,
    NewHook,
    Quota,
    Repeat,
    Rest,
    Settlement,
    Turn,
    Waiting,
    Window,
)
from guvercin.store.times import to_ms
from guvercin.store.writer import GROUP, Committed, Tx, Writer

T = TypeVar("T")

_READERS = 2


class SqliteStore:
    """The Store in one file. See guvercin.store.store.Store for what each verb promises."""

    def __init__(
        self,
        folder: Path,
        *,
        is_guest: bool = False,
        capacity: int = 4_096,
        group: int = GROUP,
        monotonic: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Take the file in `folder`. `is_guest`: another process may own it, so nothing is checkpointed here.

        `capacity`, `group` and `monotonic` are the writer's.
        """
        self.path = folder / FILE_NAME
        self._seen = Seen(folder)
        self._writer = Writer(
            lambda: engine_for(self.path, owns_file=not is_guest).connect(),
            path=self.path,
            is_busy=is_busy,
            is_unavailable=is_unavailable,
            on_commit=self._seen.mark,
            capacity=capacity,
            group=group,
            monotonic=monotonic,
        )
        self._engine = engine_for(self.path, query_only=True)
        self._begin_idle()

    def _begin_idle(self) -> None:
        self._readers: ThreadPoolExecutor | None = None
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        self._last_due = 0

    async def open(self) -> None:
        try:
            self._seen.open()
            await self._writer.open()
            self._last_due = await self._writer.do(lambda tx: int(tx.execute(statements.LAST_DUE).fetchone()[0]))
            # All now: a database that vanishes later can still be read by those who have it open.
            for _ in range(_READERS):
                self._idle.put(await asyncio.to_thread(self._engine.connect))
            self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="guvercin-reader")
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._writer.close()
        readers, self._readers = self._readers, None
        if readers is not None:
            await asyncio.to_thread(readers.shutdown)
        while not self._idle.empty():
            self._idle.get().close()
        self._seen.close()

    def listen(self, listener: Callable[[Committed], None]) -> None:
        self._writer.listen(listener)

    async def check(self, now: datetime) -> None:
        beat = "INSERT INTO heartbeat (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at"
        await self._writer.do(lambda tx: tx.execute(beat, (to_ms(now),)).rowcount)

    @property
    def waiting(self) -> int:
        """Answer how many changes wait for the writer."""
        return self._writer.waiting

    async def is_older_copy(self) -> bool:
        return await self.last_event_id() < self._seen.read()

    # -- reading

    def _read_now(self, query: Callable[[Connection], T]) -> T:
        connection = self._idle.get()  # as many as there are threads
        try:
            return query(connection)
        except Exception as trouble:
            if is_unavailable(trouble):
                raise GuvercinError(Code.STORE_UNAVAILABLE, retry_after=timedelta(seconds=5)) from trouble
            raise
        finally:
            with suppress(Exception):  # ends SQLAlchemy's transaction; the driver holds none
                connection.rollback()
            self._idle.put(connection)

    async def _read(self, query: Callable[[Connection], T]) -> T:
        if self._readers is None:
            raise GuvercinError(Code.CLOSING, retry_after=timedelta(seconds=5))
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_now, query)

    async def message(self, message_id: int) -> Message | None:
        return await self._read(partial(reading.one_message, message_id=message_id))

    async def token_of(self, message_id: int) -> int:
        return await self._read(partial(reading.token_of, message_id=message_id))

    async def standing(self, message_id: int) -> Standing | None:
        def query(connection: Connection) -> Standing | None:
            row = by_hand(connection).execute(statements.STANDING, (message_id,)).fetchone()
            return None if row is None else messages.standing(row)

        return await self._read(query)

    async def messages(self, wanted: MessageFilter, *, limit: int, below: int | None) -> Page:
        return await self._read(partial(reading.page, wanted=wanted, limit=limit, below=below))

    async def attempts(self, message_id: int) -> Sequence[Tried]:
        return await self._read(partial(reading.attempts, message_id=message_id))

    async def events(self, message_id: int) -> Sequence[Event]:
        return await self._read(partial(reading.events, message_id=message_id))

    async def events_after(self, cursor: int, *, limit: int) -> Sequence[Event]:
        return await self._read(partial(reading.events_after, cursor=cursor, limit=limit))

    async def batch(self, batch_id: int) -> BatchRow | None:
        return await self._read(partial(reading.one_batch, batch_id=batch_id))

    async def batches(
        self, accounts: frozenset[int] | None, *, account_id: int | None, limit: int, below: int | None
    ) -> Sequence[BatchRow]:
        return await self._read(
            partial(reading.batches, accounts=accounts, account_id=account_id, limit=limit, below=below)
        )

    async def batch_messages(self, batch_id: int, *, above: int, limit: int) -> Sequence[Message]:
        return await self._read(partial(reading.batch_messages, batch_id=batch_id, above=above, limit=limit))

    async def batch_reasons(self, batch_id: int) -> Mapping[Code, int]:
        return await self._read(partial(reading.batch_reasons, batch_id=batch_id))

    async def batch_rests(self, batch_id: int) -> Rest:
        return await self._read(partial(reading.batch_rests, batch_id=batch_id))

    async def unclear(self, account_id: int, *, limit: int) -> Sequence[Unclear]:
        return await self._read(partial(reading.unclear, account_id=account_id, limit=limit))

    async def depths(self) -> Sequence[Depth]:
        return await self._read(reading.depths)

    async def spool_digests(self) -> frozenset[str]:
        return await self._read(reading.spool_digests)

    async def last_event_id(self) -> int:
        return await self._read(reading.last_event_id)

    # -- messages

    def _line_ms(self, now: datetime) -> int:
        """Answer a place behind everything accepted so far: a clock set back must not let a newcomer overtake."""
        self._last_due = max(self._last_due, to_ms(now))
        return self._last_due

    async def accept(
        self,
        draft: Draft,
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        repeat: Repeat | None,
        quota: Quota | None,
    ) -> Acceptance:
        line_ms = self._line_ms(now)

        def work(tx: Tx) -> Acceptance:
            return accepting.accept(
                tx, draft, token_id=token_id, now=now, line_ms=line_ms, key=key, repeat=repeat, quota=quota
            )

        return await self._writer.admit(work)

    async def accept_batch(
        self,
        ask: BatchAsk,
        drafts: Sequence[Draft],
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        repeats_since: datetime | None,
        quota: Quota | None,
    ) -> Acceptance:
        line_ms = self._line_ms(now)

        def work(tx: Tx) -> Acceptance:
            return accepting.accept_batch(
                tx,
                ask,
                drafts,
                token_id=token_id,
                now=now,
                line_ms=line_ms,
                key=key,
                repeats_since=repeats_since,
                quota=quota,
            )

        return await self._writer.admit(work)

    async def accepted_before(self, token_id: int, key: KeyRow) -> Acceptance | None:
        return await self._read(partial(reading.accepted_before, token_id=token_id, key=key))

    async def claim(
        self,
        account_id: int,
        lanes: Sequence[Lane],
        *,
        now: datetime,
        secret: bytes,
        draw: float,
        turn: Turn = NO_TURN,
    ) -> Claimed | None:
        self._line_ms(now)  # as in release_due: a claim releases what is due
        return await self._writer.do(
            lambda tx: claiming.claim(tx, account_id, lanes, now=now, secret=secret, draw=draw, turn=turn)
        )

    async def settle(
        self, message_id: int, attempt_id: int, outcome: Outcome, *, now: datetime, retry_at: datetime | None
    ) -> Standing:
        return await self._writer.do(
            lambda tx: messages.settle(tx, message_id, attempt_id, outcome, now=now, retry_at=retry_at)
        )

    async def settle_and_claim(
        self,
        message_id: int,
        attempt_id: int,
        outcome: Accepted,
        lanes: Sequence[Lane],
        *,
        now: datetime,
        secret: bytes,
        draw: float,
        turn: Turn = NO_TURN,
    ) -> Claimed | None:
        self._line_ms(now)  # as in release_due: a claim releases what is due

        def work(tx: Tx) -> Claimed | None:
            settled = messages.settle(tx, message_id, attempt_id, outcome, now=now, retry_at=None)
            return claiming.claim(tx, settled.account_id, lanes, now=now, secret=secret, draw=draw, turn=turn)

        return await self._writer.do(work)

    async def settle_and_claim_more(
        self,
        account_id: int,
        settlements: Sequence[Settlement],
        lanes: Sequence[Lane],
        *,
        now: datetime,
        chances: Sequence[tuple[bytes, float]],
        busy: Collection[str],
        allowance: Allowance | None = None,
        turn: Turn = NO_TURN,
    ) -> Sequence[Claimed]:
        self._line_ms(now)  # as in release_due: a claim releases what is due

        def work(tx: Tx) -> Sequence[Claimed]:
            for each in settlements:
                if allowance is not None and isinstance(each.outcome, Deferred | Refused):
                    allowance.give_back(each.recipient)
                messages.settle(tx, each.message_id, each.attempt_id, each.outcome, now=now, retry_at=each.retry_at)
            return claiming.claim_more(
                tx, account_id, lanes, now=now, chances=chances, busy=busy, allowance=allowance, turn=turn
            )

        return await self._writer.do(work)

    async def take_up(self, account_id: int, allowance: Allowance, *, now: datetime) -> None:
        await self._writer.do(lambda tx: granting.take_up(tx, account_id, allowance, to_ms(now)))

    async def receive(self, account_id: int, receipts: Sequence[Receipt], *, now: datetime) -> None:
        await self._writer.do(lambda tx: messages.receive(tx, account_id, receipts, now=now))

    async def receive_inbound(
        self, account_id: int, inbound: Inbound, *, now: datetime, replies: Replies | None = None
    ) -> None:
        await self.hear(account_id, (inbound,), now=now, replies=replies)

    async def hear(
        self, account_id: int, told: Sequence[Told], *, now: datetime, replies: Replies | None = None
    ) -> None:
        self._line_ms(now)  # an answer may be put in line
        await self._writer.do(lambda tx: hearing.hear(tx, account_id, told, now=now, replies=replies))

    async def inbox(self, wanted: InboxFilter, *, limit: int, below: int | None) -> InboxPage:
        return await self._read(partial(inbox.page, wanted=wanted, limit=limit, below=below))

    async def received(self, message_id: int) -> Received | None:
        return await self._read(partial(inbox.one, message_id=message_id))

    async def unread(self, account_ids: frozenset[int] | None) -> int:
        return await self._read(partial(inbox.unread, account_ids=account_ids))

    async def mark_read(self, message_id: int, *, now: datetime) -> Received:
        return await self._writer.do(lambda tx: inbox.mark_read(tx, message_id, now=now))

    async def mark_all_read(self, wanted: InboxFilter, upto: int, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: inbox.mark_all_read(tx, wanted, upto, now=now))

    async def last_check(self, number: str) -> numbers.Checked | None:
        return await self._read(partial(numbers.last_check, number=number))

    async def ask_number(
        self, account_id: int, number: str, *, now: datetime, most: int, within: timedelta
    ) -> datetime | None:
        return await self._writer.do(lambda tx: numbers.ask(tx, account_id, number, now=now, most=most, within=within))

    async def learn_number(self, account_id: int, number: str, *, is_registered: bool, now: datetime) -> None:
        await self._writer.do(lambda tx: numbers.learn(tx, account_id, number, is_registered=is_registered, now=now))

    async def cancel(self, message_id: int, *, now: datetime) -> Standing:
        return await self._writer.do(lambda tx: messages.cancel(tx, message_id, now=now))

    async def cancel_reference(self, reference: str, accounts: frozenset[int] | None, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: messages.cancel_reference(tx, reference, accounts, now=now))

    async def pause_batch(self, batch_id: int, *, now: datetime) -> None:
        await self._writer.do(partial(batches.pause, batch_id=batch_id, now=now))

    async def resume_batch(self, batch_id: int, *, now: datetime) -> None:
        await self._writer.do(partial(batches.resume, batch_id=batch_id, now=now))

    async def cancel_batch(self, batch_id: int, *, now: datetime) -> None:
        await self._writer.do(partial(batches.cancel, batch_id=batch_id, now=now))

    async def cancel_rest(self, *, now: datetime, limit: int) -> bool:
        return await self._writer.do(partial(batches.cancel_rest, now=now, limit=limit))

    async def give_up(self, message_id: int, reason: Code, *, now: datetime) -> Standing:
        return await self._writer.do(lambda tx: messages.give_up(tx, message_id, reason, now=now))

    async def resend(
        self,
        message_id: int,
        draft: Draft,
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        quota: Quota | None,
        only_in_doubt: bool = False,
    ) -> Acceptance:
        line_ms = self._line_ms(now)

        def work(tx: Tx) -> Acceptance:
            return accepting.resend(
                tx,
                message_id,
                draft,
                token_id=token_id,
                now=now,
                line_ms=line_ms,
                key=key,
                quota=quota,
                only_in_doubt=only_in_doubt,
            )

        return await self._writer.admit(work)

    async def release(self, message_id: int, *, now: datetime) -> Standing:
        self._line_ms(now)  # as in release_due
        return await self._writer.do(lambda tx: messages.release(tx, message_id, now=now))

    async def what_is_due(self, *, now: datetime) -> Due:
        return await self._read(partial(upkeep.what_is_due, now=now))

    async def release_due(self, *, now: datetime, limit: int) -> int:
        self._line_ms(now)  # what is released was due by now: newcomers stand behind it
        return await self._writer.do(lambda tx: messages.release_due(tx, now=now, limit=limit))

    async def expire(self, *, now: datetime, limit: int) -> int:
        return await self._writer.do(lambda tx: upkeep.expire(tx, now=now, limit=limit))

    async def check_deliveries(self, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: restricting.check_deliveries(tx, now=now))

    async def recover(self, *, now: datetime, limit: int) -> int:
        return await self._writer.do(lambda tx: upkeep.recover(tx, now=now, limit=limit))

    async def in_doubt(self, *, now: datetime, limit: int) -> Sequence[Doubt]:
        return await self._read(lambda connection: upkeep.in_doubt(Tx(connection), now=now, limit=limit))

    async def conclude(self, doubt: Doubt, evidence: Accepted | NeverLeft, *, now: datetime) -> Standing:
        return await self._writer.do(lambda tx: upkeep.conclude(tx, doubt, evidence, now=now))

    async def look_again(self, message_id: int, at: datetime | None) -> None:
        await self._writer.do(lambda tx: upkeep.look_again(tx, message_id, at))

    async def look_now(self, account_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: upkeep.look_now(tx, account_id, now=now))

    async def hold_unfinished(self, *, now: datetime) -> int:
        unseen = max(0, self._seen.read() - await self.last_event_id())
        return await self._writer.do(lambda tx: upkeep.hold_unfinished(tx, now=now, unseen=unseen))

    async def forget(self, *, now: datetime) -> None:
        await self._writer.do(lambda tx: upkeep.forget(tx, now=now))

    # -- accounts

    async def accounts(self) -> Sequence[Account]:
        return await self._read(accounts.every)

    async def add_account(self, name: str, kind: Kind, phone: str | None, pace: Pace, *, now: datetime) -> Account:
        return await self._writer.do(lambda tx: accounts.add(tx, name, kind, phone, pace, now=now))

    async def change_account(
        self,
        account_id: int,
        *,
        now: datetime,
        name: str | None = None,
        pace: Pace | None = None,
        on_unknown: OnUnknown | None = None,
    ) -> Account:
        return await self._writer.do(
            lambda tx: accounts.change(tx, account_id, now=now, name=name, pace=pace, on_unknown=on_unknown)
        )

    async def set_manners(self, account_id: int, manners: Manners, *, now: datetime) -> Account:
        return await self._writer.do(lambda tx: accounts.set_manners(tx, account_id, manners, now=now))

    async def remove_account(self, account_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: accounts.remove(tx, account_id, now=now))

    async def set_default(self, account_id: int, *, now: datetime) -> Account:
        return await self._writer.do(lambda tx: accounts.set_default(tx, account_id, now=now))

    async def set_line(self, account_id: int, line: Line, *, now: datetime, is_enabled: bool | None = None) -> None:
        await self._writer.do(lambda tx: accounts.set_line(tx, account_id, line, now=now, is_enabled=is_enabled))

    async def link_account(self, account_id: int, phone: str, *, now: datetime) -> int:
        def work(tx: Tx) -> int:
            is_another = accounts.link(tx, account_id, phone, now=now)
            return upkeep.hold_account(tx, account_id, now=now) if is_another else 0

        return await self._writer.do(work)

    async def use(self, account_id: int) -> Use:
        return await self._read(partial(accounts.use, account_id=account_id))

    # -- people

    async def add_opt_out(self, new: NewOptOut, *, now: datetime) -> OptOut:
        return await self._writer.do(lambda tx: optouts.add(tx, new, now=now))

    async def end_opt_outs(
        self,
        phone: str,
        *,
        accounts: frozenset[int] | None,
        account_id: int | None,
        scope: OptOutScope | None,
        by: OptOutSource,
        why: str | None = None,
        now: datetime,
    ) -> int:
        return await self._writer.do(
            lambda tx: optouts.end(
                tx, phone, accounts=accounts, account_id=account_id, scope=scope, by=by, why=why, now=now
            )
        )

    async def decide_opt_out(
        self, opt_out_id: int, scope: OptOutScope | None, *, by: OptOutSource, token_id: int, now: datetime
    ) -> OptOut | None:
        return await self._writer.do(
            lambda tx: optouts.decide(tx, opt_out_id, scope, by=by, token_id=token_id, now=now)
        )

    async def opt_out(self, opt_out_id: int) -> OptOut | None:
        return await self._read(partial(optouts.one, refusal_id=opt_out_id))

    async def opt_outs(
        self,
        accounts: frozenset[int] | None,
        *,
        phone: str | None = None,
        is_doubtful: bool | None = None,
        is_live: bool | None = None,
        limit: int,
        below: int | None,
    ) -> Sequence[OptOut]:
        return await self._read(
            partial(
                optouts.page,
                accounts=accounts,
                phone=phone,
                is_doubtful=is_doubtful,
                is_live=is_live,
                limit=limit,
                below=below,
            )
        )

    async def keep_consent(self, new: NewConsent, *, now: datetime) -> Consent:
        return await self._writer.do(lambda tx: consents.keep(tx, new, now=now))

    async def consents(self, *, phone: str | None = None, limit: int, below: int | None) -> Sequence[Consent]:
        return await self._read(partial(consents.page, phone=phone, limit=limit, below=below))

    async def objections(
        self, account_id: int, asked: Sequence[tuple[str, int]], *, is_direct: bool
    ) -> Sequence[Code | None]:
        return await self._read(partial(optouts.objections, account_id=account_id, asked=asked, is_direct=is_direct))

    async def dossier(self, phone: str) -> Dossier:
        return await self._read(partial(rights.dossier, phone=phone))

    async def tell_of_export(self, phone: str, *, now: datetime) -> None:
        await self._writer.do(lambda tx: rights.tell(tx, phone, now=now))

    async def forget_person(self, phone: str, *, now: datetime) -> Forgotten:
        return await self._writer.do(lambda tx: rights.forget(tx, phone, now=now))

    async def digests_in_use(self, digests: Collection[str]) -> frozenset[str]:
        return await self._read(partial(rights.digests_in_use, digests=digests))

    async def scrub(self, *, now: datetime) -> bool:
        has_traces = await asyncio.to_thread(scrubbing.scrub, self.path)
        if has_traces:
            await self._writer.do(lambda tx: scrubbing.remember(tx, now=now))
        return has_traces

    async def hold_person(self, phone: str, why: str | None, *, now: datetime) -> Hold:
        return await self._writer.do(lambda tx: rights.hold(tx, phone, why, now=now))

    async def let_person_go(self, phone: str, *, now: datetime) -> bool:
        return await self._writer.do(lambda tx: rights.let_go(tx, phone, now=now))

    # -- what ends because its time is over

    async def last_night(self) -> Destruction | None:
        return await self._read(retention.last)

    async def begin_destruction(self, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: retention.begin(tx, now=now))

    async def destroy_contents(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        return await self._writer.do(lambda tx: retention.empty(tx, destruction_id, above=above, before=before))

    async def destroy_records(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        return await self._writer.do(lambda tx: retention.remove(tx, destruction_id, above=above, before=before))

    async def destroy_beside(self, destruction_id: int, *, before: datetime) -> bool:
        return await self._writer.do(lambda tx: retention.remove_beside(tx, destruction_id, before=before))

    async def shorten_audit(self, *, before: datetime, now: datetime, limit: int) -> int:
        return await self._writer.do(lambda tx: auditing.shorten(tx, before=before, now=now, limit=limit))

    async def end_destruction(self, destruction_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: retention.end(tx, destruction_id, now=now))

    async def log_destroyed_files(self, files: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: rights.log(tx, Cause.FILES, now=now, files=files, ended=True))

    async def compact(self) -> None:
        if not await self._read(lambda connection: scrubbing.is_noted(Tx(connection))):
            await asyncio.to_thread(scrubbing.cut_off, self.path)
            return
        await asyncio.to_thread(scrubbing.compact, self.path)
        await self._writer.do(scrubbing.done)

    # -- who did what

    async def audit(self, *, limit: int, below: int | None) -> Sequence[Entry]:
        return await self._read(partial(auditing.page, limit=limit, below=below))

    async def destructions(self, *, limit: int, below: int | None) -> Sequence[Destruction]:
        return await self._read(partial(rights.destructions, limit=limit, below=below))

    # -- categories

    async def kept_categories(self) -> Sequence[Category]:
        return await self._read(categories.kept)

    async def keep_category(self, category: Category, *, now: datetime) -> None:
        await self._writer.do(lambda tx: categories.keep(tx, category, now=now))

    async def drop_category(self, category_id: int, *, now: datetime) -> bool:
        return await self._writer.do(lambda tx: categories.drop(tx, category_id, now=now))

    # -- access

    async def ledger(self, account_id: int, *, now: datetime) -> Ledger:
        return await self._read(lambda connection: pacing.ledger(Tx(connection), account_id, now=now))

    async def backlog(self, account_id: int, *, now: datetime) -> Sequence[Waiting]:
        return await self._read(lambda connection: pacing.backlog(Tx(connection), account_id, now=now))

    async def tracks_of(
        self, account_id: int, numbers: Sequence[str], *, is_of_customers: bool, now: datetime
    ) -> Mapping[Track, int]:
        def query(connection: Connection) -> Mapping[Track, int]:
            return pacing.tracks_of(Tx(connection), account_id, numbers, is_of_customers=is_of_customers, now=now)

        return await self._read(query)

    async def restrictions(self, account_id: int) -> Sequence[Restriction]:
        return await self._read(lambda connection: pacing.restrictions(Tx(connection), account_id))

    async def judge_again(self, account_id: int, course: Course, *, now: datetime, limit: int) -> int:
        self._line_ms(now)  # as in release_due
        return await self._writer.do(lambda tx: pacing.judge_again(tx, account_id, course, now=now, limit=limit))

    async def keep_time(self, account_id: int, steady: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: tx.execute(statements.KEEP_TIME, (steady, to_ms(now), account_id)).rowcount)

    async def create_token(self, rules: TokenRules, secret_hash: bytes, hint: str, *, now: datetime) -> Token:
        return await self._writer.do(lambda tx: access.create(tx, rules, secret_hash, hint, now=now))

    async def tokens(self) -> Sequence[Token]:
        return await self._read(access.every)

    async def token(self, secret_hash: bytes) -> Token | None:
        return await self._read(partial(access.by_hash, secret_hash=secret_hash))

    async def token_of_pass(self, secret_hash: bytes, *, now: datetime) -> Token | None:
        return await self._read(partial(access.by_pass, secret_hash=secret_hash, now=now))

    async def add_pass(self, token_id: int, secret_hash: bytes, *, until: datetime) -> None:
        await self._writer.do(lambda tx: access.add_pass(tx, token_id, secret_hash, until=until))

    async def end_pass(self, secret_hash: bytes) -> bool:
        return await self._writer.do(lambda tx: access.end_pass(tx, secret_hash))

    async def revoke_token(self, token_id: int, *, now: datetime) -> Token:
        return await self._writer.do(lambda tx: access.revoke(tx, token_id, now=now))

    async def touch_tokens(self, used: Mapping[int, datetime]) -> None:
        await self._writer.do(lambda tx: access.touch(tx, used))

    async def keep_upload(self, upload_id: str, token_id: int, file: File, *, now: datetime) -> None:
        await self._writer.do(lambda tx: access.keep_upload(tx, upload_id, token_id, file, now=now))

    async def upload(self, upload_id: str) -> KeptFile | None:
        return await self._read(partial(access.find_upload, upload_id=upload_id))

    async def rename_batch(self, batch_id: int, name: str | None) -> None:
        await self._writer.do(lambda tx: batches.rename(tx, batch_id, name))

    async def drafts(self, token_id: int, *, since: datetime, path: str) -> Sequence[DraftInShort]:
        return await self._read(partial(access.drafts, token_id=token_id, since=since, path=path))

    async def reads_by_hour(self, since: datetime, *, most: int) -> Mapping[datetime, int]:
        return await self._read(partial(tally.reads_by_hour, since=since, most=most))

    async def keep_draft(self, draft_id: str, token_id: int, request: bytes, *, now: datetime) -> None:
        await self._writer.do(lambda tx: access.keep_draft(tx, draft_id, token_id, request, now=now))

    async def draft(self, draft_id: str) -> KeptDraft | None:
        return await self._read(partial(access.find_draft, draft_id=draft_id))

    # -- people

    async def people(self) -> Sequence[Person]:
        return await self._read(people.every)

    async def password_hash(self, person_id: int) -> str | None:
        return await self._read(partial(people.password_of, person_id=person_id))

    async def add_person(
        self, name: str, role: Role, password_hash: str, token_hash: bytes, *, now: datetime, code_hash: bytes | None
    ) -> Person:
        return await self._writer.do(
            lambda tx: people.add(tx, name, role, password_hash, token_hash, now=now, code_hash=code_hash)
        )

    async def change_person(
        self,
        person_id: int,
        *,
        role: Role | None = None,
        password_hash: str | None = None,
        language: str | None = None,
        now: datetime,
    ) -> Person:
        return await self._writer.do(
            lambda tx: people.change(tx, person_id, now=now, role=role, password_hash=password_hash, language=language)
        )

    async def remove_person(self, person_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: people.remove(tx, person_id, now=now))

    async def open_session(
        self, person_id: int, secret_hash: bytes, *, agent: str, address: str, now: datetime
    ) -> None:
        await self._writer.do(
            lambda tx: people.open_session(tx, person_id, secret_hash, agent=agent, address=address, now=now)
        )

    async def session(self, secret_hash: bytes) -> Session | None:
        return await self._read(partial(people.session_of, secret_hash=secret_hash))

    async def sessions(self, person_id: int) -> Sequence[Session]:
        return await self._read(partial(people.sessions_of, person_id=person_id))

    async def touch_session(self, session_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: people.touch(tx, session_id, now=now))

    async def close_sessions(self, person_id: int, session_id: int | None = None) -> None:
        await self._writer.do(lambda tx: people.close_sessions(tx, person_id=person_id, session_id=session_id))

    async def keep_setup_code(self, code_hash: bytes, *, now: datetime) -> None:
        await self._writer.do(lambda tx: people.keep_setup_code(tx, code_hash, now=now))

    async def try_setup_code(self, code_hash: bytes, *, now: datetime) -> bool:
        return await self._writer.do(lambda tx: people.try_setup_code(tx, code_hash, now=now))

    async def settings(self) -> Mapping[str, str]:
        return await self._read(people.settings)

    async def set_setting(self, name: str, value: str) -> None:
        await self._writer.do(lambda tx: people.set_setting(tx, name, value))

    # -- the days' counts

    async def count_day(self, day: date, since: datetime, until: datetime) -> Sequence[DayCount]:
        return await self._read(partial(tally.count_day, day=day, since=since, until=until))

    async def keep_counts(self, day: date, counts: Sequence[DayCount]) -> None:
        await self._writer.do(lambda tx: tally.keep(tx, day, counts))

    async def mark_counted(self, cursor: int) -> None:
        await self._writer.do(lambda tx: tally.mark(tx, cursor))

    async def counted_to(self) -> int | None:
        return await self._read(tally.counted_to)

    async def touched(self, cursor: int, *, limit: int) -> tuple[int, Sequence[datetime]]:
        return await self._read(partial(tally.touched, cursor=cursor, limit=limit))

    async def first_message_at(self) -> datetime | None:
        return await self._read(tally.first_at)

    async def counts_between(self, first: date, last: date, *, monthly: bool = False) -> Sequence[DayCount]:
        return await self._read(partial(tally.between, first=first, last=last, monthly=monthly))

    async def count_hours(self, since: datetime, until: datetime) -> Sequence[HourCount]:
        return await self._read(partial(tally.count_hours, since=since, until=until))

    # -- hooks

    async def add_hook(self, new: NewHook, *, now: datetime) -> Hook:
        return await self._writer.do(lambda tx: hooks.add(tx, new, now=now))

    async def hooks(self) -> Sequence[Hook]:
        return await self._read(hooks.every)

    async def change_hook(
        self,
        hook_id: int,
        *,
        url: str | None = None,
        events: Collection[HookEvent] | None = None,
        account_ids: Collection[int] | None = None,
        secrets: Secrets | None = None,
        now: datetime,
    ) -> Hook:
        return await self._writer.do(
            lambda tx: hooks.change(
                tx, hook_id, url=url, events=events, account_ids=account_ids, secrets=secrets, now=now
            )
        )

    async def close_hook(self, hook_id: int, reason: CloseReason, *, now: datetime) -> Hook:
        return await self._writer.do(lambda tx: hooks.close(tx, hook_id, reason, now=now))

    async def reopen_hook(self, hook_id: int, *, now: datetime) -> Hook:
        return await self._writer.do(lambda tx: hooks.reopen(tx, hook_id, now=now))

    async def remove_hook(self, hook_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: hooks.remove(tx, hook_id, now=now))

    async def hook_window(self, hook: Hook, *, after: int, now: datetime, due: int, fresh: int) -> Window:
        return await self._read(partial(hooks.window, hook=hook, after=after, now=now, due=due, fresh=fresh))

    async def settle_window(
        self,
        hook_id: int,
        deliveries: Sequence[Delivery],
        *,
        stood_at: int,
        upto: int,
        failing_since: datetime | None,
        is_well_again: bool,
        now: datetime,
    ) -> None:
        def work(tx: Tx) -> None:
            hooks.settle(
                tx,
                hook_id,
                deliveries,
                stood_at=stood_at,
                upto=upto,
                failing_since=failing_since,
                is_well_again=is_well_again,
                now=now,
            )

        await self._writer.do(work)

    async def deliveries(self, hook: Hook, *, below: int | None, limit: int) -> tuple[Sequence[Delivery], int]:
        return await self._read(partial(hooks.deliveries, hook=hook, below=below, limit=limit))

    async def hook_lags(self) -> Sequence[Lag]:
        return await self._read(hooks.lags)

    async def replay(self, hook: Hook, event_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: hooks.replay(tx, hook, event_id, now=now))

    async def replay_since(self, hook_id: int, moment: datetime) -> int:
        return await self._writer.do(lambda tx: hooks.replay_since(tx, hook_id, moment))

    async def feed(
        self, after: int, kinds: Collection[HookEvent], account_ids: Collection[int] | None, *, limit: int
    ) -> tuple[Sequence[Notice], int]:
        return await self._read(partial(hooks.feed, after=after, kinds=kinds, account_ids=account_ids, limit=limit))

    # -- alerts

    async def alerts(self) -> Sequence[Alert]:
        return await self._read(alerts.every)

    async def stopped_batches(self) -> Sequence[tuple[int, str]]:
        return await self._read(alerts.stopped_batches)

    async def keep_alerts(self, judgement: Judgement, *, now: datetime) -> None:
        await self._writer.do(lambda tx: alerts.keep(tx, judgement, now=now))

    async def alert_place(self, channel: str) -> int:
        place = await self._read(partial(alerts.place, channel=channel))
        return await self._writer.do(lambda tx: alerts.begin(tx, channel)) if place is None else place

    async def alert_carried(self, channel: str, upto: int) -> None:
        await self._writer.do(lambda tx: alerts.carried(tx, channel, upto))

    # -- care

    async def backup(self, target: Path) -> None:
        await self._read(lambda _: copy_database(self.path, target))
