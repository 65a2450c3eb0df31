"""The Store: async verbs, values in, values out. One verb is one atomic change.

No connection, transaction or SQL leaves this package. A verb that changes something returns once the change is durable.
Every verb may raise QUEUE_FULL (nothing was tried) or STORE_UNAVAILABLE (nothing was kept).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from guvercin.core.account import Account, Kind, Line, Manners, OnUnknown
from guvercin.core.alert import Alert, Judgement
from guvercin.core.audit import Entry
from guvercin.core.batch import Batch, Counts
from guvercin.core.category import Category
from guvercin.core.consent import Consent, NewConsent
from guvercin.core.course import Closed, Course
from guvercin.core.errors import Code
from guvercin.core.event import Event, EventKind, Standing
from guvercin.core.grant import Allowance
from guvercin.core.hook import CloseReason, Delivery, Hook, HookEvent, Lag, Notice, Secrets
from guvercin.core.inbound import InboxFilter, InboxPage, Received
from guvercin.core.log import MessageFilter, Page, Tried, Unclear
from guvercin.core.message import Courtesy, Draft, File, Lane, Message, Status, Track, WaitsFor
from guvercin.core.optout import NewOptOut, OptOut, OptOutScope, OptOutSource, Replies
from guvercin.core.outcome import Accepted, Inbound, NeverLeft, Outcome, Receipt, Told
from guvercin.core.pacing import Pace, Use
from guvercin.core.person import Person, Role, Session
from guvercin.core.restriction import Restriction
from guvercin.core.rights import Destruction, Dossier, Forgotten, Hold
from guvercin.core.tally import DayCount, HourCount
from guvercin.core.token import Token, TokenRules
from guvercin.store.numbers import Checked
from guvercin.store.writer import Committed

FIRST_TURN = -(1 << 60)
"""Before every turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """An Idempotency-Key as it is kept: `body_hash` recognises another body under the same key."""

    method: str
    path: str
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The guard against retries without a key: a row of this fingerprint after `since` is the same request.

    `since` null: the guard is off for this sender, but later ones may still find this row. `other`: the fingerprint
    that the same request had on the other side of its planned time, and since when; a row of that one is the nearer
    kin.
    """

    fingerprint: bytes
    since: datetime | None
    other: tuple[bytes, datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A token's limit of accepted messages on `day` (its local date), and the time until a new day begins."""

    limit: int
    day: str
    renews_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAsk:
    """What a batch keeps of its request. `is_of_customers`: its sender declared that the list is of their customers.

    `note`: an event to write beside its acceptance, for the record.
    """

    account_id: int
    category: int
    body_hash: bytes
    is_of_customers: bool = False
    note: EventKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What accepting came to: the message or batch, and whether it stood there before."""

    standing: Standing | None = None
    batch_id: int | None = None
    replayed: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message in hand. `message` null: the line was only tidied; claim again at once.

    `heard_at`: when its recipient last wrote to the account, where that was asked for (claims of several). `turn`:
    whose turn of bulk it was. `course`: the account's as it stands after this claim. `wakes_at`: nothing may leave
    before this moment of the course unless something new comes. `is_empty`: no row may leave now. `judges_again`: a
    newcomer shall share the plans that others have made.
    """

    message: Message | None
    attempt_id: int = 0
    secret: bytes = b""
    heard_at: datetime | None = None
    turn: int | None = None
    course: Course | None = None
    wakes_at: int | None = None
    is_empty: bool = False
    judges_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where an account stands when it claims: whose turn of bulk it was, and its course if it keeps rules.

    `after` null: bulk leaves as it came, batch by batch.
    `steady` is now on the course's own time line, in milliseconds. `keeps_gaps` false: whoever claims keeps the gaps
    already, and asks for the rest of the rules.
    """

    after: int | None = None
    course: Course | None = None
    steady: int = 0
    keeps_gaps: bool = True


NO_TURN = Turn()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What is durable of an account's course. Times are milliseconds of its own line, but those of `plans` (the wall).

    `uses`: track, the last moment of a minute, and how many were sent in it. `plans`: the rows of bulk that are parked.
    """

    steady_ms: int
    last_ms: int | None
    draw: float
    bulk_run: int
    rests_until: int
    new_until: int
    head_starts: tuple[int, ...]
    warm_days: int
    uses: Sequence[tuple[Track, int, int]]
    plans: Sequence[tuple[Track, Courtesy | None, WaitsFor, int, int]]
    closed: Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Rows that wait in an account and that its rules see alike. `starts_at`: when the last planned one is due."""

    turn: int
    lane: Lane
    priority: int
    courtesy: Courtesy | None
    track: Track
    count: int
    starts_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt, as `settle` takes it. `recipient` is for accounts with an allowance."""

    message_id: int
    attempt_id: int
    outcome: Outcome
    retry_at: datetime | None
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A message in doubt and its last attempt."""

    message_id: int
    account_id: int
    recipient: str
    attempt_id: int
    secret: bytes
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What there is to do for upkeep: waits that are over, lifetimes, batches being cancelled, doubts."""

    waits: bool
    lifetimes: bool
    cancelled: bool
    doubts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """An uploaded file and whose it is."""

    id: str
    token_id: int
    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInShort:
    """A bulk request that is not made yet: its beginning, and how long it is."""

    id: str
    beginning: bytes
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDraft:
    """A bulk request that is not made yet, as the JSON that would make it, and whose it is."""

    id: str
    token_id: int
    request: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch, counted. `left`: rows still to leave, by lane; `starts_at`: when the last planned one is due."""

    batch: Batch
    counts: Counts
    left: Mapping[Lane, int]
    starts_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """One account's queue at a glance. `oldest_due_at`: the row that has waited longest in line."""

    account_id: int
    by_status: Mapping[Status, int]
    in_line: Mapping[Lane, int]
    oldest_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHook:
    """An address to be added. `sealed` is its secret."""

    token_id: int
    url: str
    events: Collection[HookEvent]
    account_ids: Collection[int] | None
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A delivery whose time has come again. `since`: when it was first kept."""

    notice: Notice
    tries: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a hook has to deliver now.

    `behind`: new events whose subject waits already. Everything up to `upto` is here or none of the hook's; `next_at`:
    when the next delivery that waits is due.
    """

    again: Sequence[Try]
    fresh: Sequence[Notice]
    behind: Sequence[Notice]
    upto: int
    is_more: bool
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rest:
    """Whether a batch has anything left to do, whether any of it is in line or in hand now, and if not, until when.

    `until` null: until a human acts.
    """

    is_finished: bool
    is_moving: bool = False
    until: datetime | None = None

    def outlasts(self, end: datetime) -> bool:
        """Say whether nothing of the batch leaves before `end`."""
        return not self.is_moving and (self.until is None or self.until > end)


class Store(Protocol):
    """Durable memory, the same for SQLite and PostgreSQL."""

    async def open(self) -> None:
        """Connect. The schema must be there."""

    async def close(self) -> None:
        """Finish what was begun, then let go. From its first moment on nothing more is taken: CLOSING."""

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` after every commit that changed a message or an account. It only shortens waits."""

    @property
    def waiting(self) -> int:
        """Answer how many changes wait to be written."""

    async def check(self, now: datetime) -> None:
        """Write for real; raises STORE_UNAVAILABLE when that fails."""

    # -- messages

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
        """Store a message and its event, or answer the row that its sender already has.

        KEY_MISMATCH, DAILY_QUOTA; NOT_FOUND for an account that is gone; OPTED_OUT, NO_CONSENT.
        """

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
        """Store a batch and all its rows in one transaction. Raises as `accept`; rows that fail spend no quota.

        A row that its recipient doesn't want is stored as failed.
        """

    async def accepted_before(self, token_id: int, key: KeyRow) -> Acceptance | None:
        """Answer what this very request was accepted as, by its key; null: it never was."""

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
        """Take the next message of the open lanes and spend the account's slot; null: nothing stands in line.

        What is due by `now` stands in line, whenever `release_due` was last called. With a course its rules decide:
        rows that may not go are parked.
        """

    async def settle(
        self, message_id: int, attempt_id: int, outcome: Outcome, *, now: datetime, retry_at: datetime | None
    ) -> Standing:
        """Write what became of an attempt. A deferral with no `retry_at` fails: its tries are used up.

        Writing it again changes nothing, so a caller that doesn't know whether it was kept writes it again.
        """

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
        """Settle an accepted attempt and claim the next message of its account, in one change: the answer first."""

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
        """Settle several attempts of an account and claim several messages, in one change.

        One claim for each of `chances` (secret and draw) at the most; one without a message: claim again at once. No
        two claims are for one recipient, and none for a `busy` one: their messages wait for each other. What
        `allowance` has no room for waits until it has; what is claimed is spent of it.
        """

    async def take_up(self, account_id: int, allowance: Allowance, *, now: datetime) -> None:
        """Spend what the log knows of an account's sends, as far back as it matters."""

    async def receive(self, account_id: int, receipts: Sequence[Receipt], *, now: datetime) -> None:
        """Apply receipts, in whatever order and however often; early ones wait for the answer of their send."""

    async def receive_inbound(
        self, account_id: int, inbound: Inbound, *, now: datetime, replies: Replies | None = None
    ) -> None:
        """Record that somebody wrote to us, and when; in the same change, refuse or allow what they ask for.

        `replies`: what is answered to who refuses and to who comes back, once each; null: nothing.
        """

    async def hear(
        self, account_id: int, told: Sequence[Told], *, now: datetime, replies: Replies | None = None
    ) -> None:
        """Write everything that a network told in one call: all of it or nothing. As `receive`, `receive_inbound`."""

    # -- the inbox

    async def inbox(self, wanted: InboxFilter, *, limit: int, below: int | None) -> InboxPage:
        """Answer a page of what people wrote to us, newest first, with ids below `below`."""

    async def received(self, message_id: int) -> Received | None:
        """Answer one message of the inbox."""

    async def unread(self, account_ids: frozenset[int] | None) -> int:
        """Answer how many messages of these accounts (null: of all) nobody here has read."""

    async def mark_read(self, message_id: int, *, now: datetime) -> Received:
        """Write that somebody here has read a message of the inbox. NOT_FOUND."""

    async def mark_all_read(self, wanted: InboxFilter, upto: int, *, now: datetime) -> int:
        """Write that everything of a filter, up to a message, was read; answers how many were new."""

    # -- numbers

    async def last_check(self, number: str) -> Checked | None:
        """Answer whether a number (E.164) was on the network when any account last heard of it; null: none has."""

    async def ask_number(
        self, account_id: int, number: str, *, now: datetime, most: int, within: timedelta
    ) -> datetime | None:
        """Count a question that is about to be put, and answer null; or when it may be, if `most` were put `within`."""

    async def learn_number(self, account_id: int, number: str, *, is_registered: bool, now: datetime) -> None:
        """Keep what the network said of a number."""

    async def cancel(self, message_id: int, *, now: datetime) -> Standing:
        """Withdraw a row that has not left; IllegalOrder otherwise."""

    async def cancel_reference(self, reference: str, accounts: frozenset[int] | None, *, now: datetime) -> int:
        """Withdraw every queued row of a reference; answers how many."""

    async def pause_batch(self, batch_id: int, *, now: datetime) -> None:
        """Take what has not left of a batch out of line; what is in hand finishes. NOT_FOUND."""

    async def resume_batch(self, batch_id: int, *, now: datetime) -> None:
        """Put a paused batch back in line; one that was cancelled stays so. NOT_FOUND."""

    async def cancel_batch(self, batch_id: int, *, now: datetime) -> None:
        """Decide that nothing more of a batch leaves; `cancel_rest` withdraws its rows. NOT_FOUND."""

    async def cancel_rest(self, *, now: datetime, limit: int) -> bool:
        """Withdraw up to `limit` rows of a cancelled batch; says whether there may be more."""

    async def give_up(self, message_id: int, reason: Code, *, now: datetime) -> Standing:
        """Stop hoping for a row in doubt; IllegalOrder otherwise."""

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
        """Store a new row in place of an old one; an old one in doubt gives up. Raises as `accept`.

        IllegalOrder while the old one may still leave by itself, and with `only_in_doubt` if it isn't in doubt.
        """

    async def release(self, message_id: int, *, now: datetime) -> Standing:
        """Put a held row back in line, or let it wait for its time again."""

    async def what_is_due(self, *, now: datetime) -> Due:
        """Answer what there is to do for upkeep: a read, so that an idle gateway writes nothing."""

    async def release_due(self, *, now: datetime, limit: int) -> int:
        """Put rows whose wait is over back in line; answers how many."""

    async def expire(self, *, now: datetime, limit: int) -> int:
        """Fail queued rows whose lifetime is over; answers how many."""

    async def check_deliveries(self, *, now: datetime) -> int:
        """Pause batches under rules of which too little arrives; answers how many."""

    async def recover(self, *, now: datetime, limit: int) -> int:
        """Turn rows that a crash left in hand into UNKNOWN; answers how many."""

    async def in_doubt(self, *, now: datetime, limit: int) -> Sequence[Doubt]:
        """Answer rows in doubt whose time to be looked into has come."""

    async def conclude(self, doubt: Doubt, evidence: Accepted | NeverLeft, *, now: datetime) -> Standing:
        """Settle a row in doubt by evidence."""

    async def look_again(self, message_id: int, at: datetime | None) -> None:
        """Set when a row in doubt is looked into again; null: never by itself."""

    async def look_now(self, account_id: int, *, now: datetime) -> None:
        """Let every row in doubt of an account be looked into at once: something new may be known of them."""

    async def hold_unfinished(self, *, now: datetime) -> int:
        """Hold everything unfinished of a restored copy; answers how many rows."""

    async def is_older_copy(self) -> bool:
        """Say whether this database ends before what its data folder has seen: somebody restored a copy."""

    async def forget(self, *, now: datetime) -> None:
        """Drop what has served its time: early receipts (24 h), keys (7 days), uploads that nobody used (7 days).

        And bulk requests that were not made (24 h), and answers about numbers (30 days).
        """

    # -- reading

    async def message(self, message_id: int) -> Message | None:
        """Answer one message."""

    async def token_of(self, message_id: int) -> int:
        """Answer the id of the token that asked for a message. NOT_FOUND."""

    async def standing(self, message_id: int) -> Standing | None:
        """Answer where a message stands."""

    async def messages(self, wanted: MessageFilter, *, limit: int, below: int | None) -> Page:
        """Answer a page of messages, newest first, with ids below `below`."""

    async def attempts(self, message_id: int) -> Sequence[Tried]:
        """Answer the attempts of a message, oldest first."""

    async def events(self, message_id: int) -> Sequence[Event]:
        """Answer the events of a message, oldest first."""

    async def events_after(self, cursor: int, *, limit: int) -> Sequence[Event]:
        """Answer events with ids above `cursor`, oldest first."""

    async def batch(self, batch_id: int) -> BatchRow | None:
        """Answer a batch and its counts at one moment."""

    async def batches(
        self, accounts: frozenset[int] | None, *, account_id: int | None, limit: int, below: int | None
    ) -> Sequence[BatchRow]:
        """Answer batches of these accounts (null: of all), newest first, with ids below `below`, each counted."""

    async def batch_messages(self, batch_id: int, *, above: int, limit: int) -> Sequence[Message]:
        """Answer messages of a batch with ids above `above`, in the order of its list."""

    async def batch_reasons(self, batch_id: int) -> Mapping[Code, int]:
        """Answer how many rows of a batch failed for which reason, the most frequent first."""

    async def batch_rests(self, batch_id: int) -> Rest:
        """Say whether a batch is finished (no row queued or sending), and if not, whether it moves."""

    async def unclear(self, account_id: int, *, limit: int) -> Sequence[Unclear]:
        """Answer what was told to an account and not understood, the newest first."""

    async def depths(self) -> Sequence[Depth]:
        """Answer every account's queue at a glance."""

    async def spool_digests(self) -> frozenset[str]:
        """Answer the digests of files that a message or an upload may still need."""

    async def last_event_id(self) -> int:
        """Answer the cursor of the newest event; 0 if there is none."""

    # -- accounts

    async def accounts(self) -> Sequence[Account]:
        """Answer every account, removed ones among them, by id."""

    async def add_account(self, name: str, kind: Kind, phone: str | None, pace: Pace, *, now: datetime) -> Account:
        """Add an account, wanted and connecting. It becomes the default only by set_default."""

    async def change_account(
        self,
        account_id: int,
        *,
        now: datetime,
        name: str | None = None,
        pace: Pace | None = None,
        on_unknown: OnUnknown | None = None,
    ) -> Account:
        """Change what the owner decides about an account. NOT_FOUND."""

    async def set_manners(self, account_id: int, manners: Manners, *, now: datetime) -> Account:
        """Change how people are treated. NOT_FOUND."""

    async def remove_account(self, account_id: int, *, now: datetime) -> None:
        """Remove an account with no unfinished rows (MESSAGES_WAITING); its log stays."""

    async def set_default(self, account_id: int, *, now: datetime) -> Account:
        """Make an account the one that messages without hesap_id take."""

    async def set_line(self, account_id: int, line: Line, *, now: datetime, is_enabled: bool | None = None) -> None:
        """Write what was last heard of a line, and whether it is wanted."""

    async def link_account(self, account_id: int, phone: str, *, now: datetime) -> int:
        """Write which number (E.164) an account is. Answers how many waiting rows are held, because it was another."""

    async def use(self, account_id: int) -> Use:
        """Answer what an account has used of its pace."""

    # -- people

    async def add_opt_out(self, new: NewOptOut, *, now: datetime) -> OptOut:
        """Keep a refusal; whatever waits and is covered by it fails in the same change. The one that stands, if any."""

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
        """End a person's refusals: those of these accounts (null: of all), of one account, of one scope; how many.

        `why`: in the words of whoever ends them.
        """

    async def decide_opt_out(
        self, opt_out_id: int, scope: OptOutScope | None, *, by: OptOutSource, token_id: int, now: datetime
    ) -> OptOut | None:
        """Decide what a doubtful message meant: a refusal of this scope, or none. NOT_FOUND."""

    async def opt_out(self, opt_out_id: int) -> OptOut | None:
        """Answer one refusal, ended ones among them."""

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
        """Answer refusals of these accounts (null: of all) and those of every account, newest first."""

    async def keep_consent(self, new: NewConsent, *, now: datetime) -> Consent:
        """Keep that somebody has agreed to be advertised to."""

    async def consents(self, *, phone: str | None = None, limit: int, below: int | None) -> Sequence[Consent]:
        """Answer consents, newest first, with ids below `below`."""

    async def objections(
        self, account_id: int, asked: Sequence[tuple[str, int]], *, is_direct: bool
    ) -> Sequence[Code | None]:
        """Answer for each recipient and category why such a message would not be accepted now."""

    async def dossier(self, phone: str) -> Dossier:
        """Answer everything that is held of a number."""

    async def tell_of_export(self, phone: str, *, now: datetime) -> None:
        """Write into the audit that somebody was given what is held of a number."""

    async def forget_person(self, phone: str, *, now: datetime) -> Forgotten:
        """Forget everything of a number but a hash of it where it refused. IN_HAND, ON_HOLD: nothing was changed."""

    async def digests_in_use(self, digests: Collection[str]) -> frozenset[str]:
        """Answer which of these files something still names."""

    async def scrub(self, *, now: datetime) -> bool:
        """Take what was forgotten out of the journal and unused space; says whether traces may stay until the night."""

    async def hold_person(self, phone: str, why: str | None, *, now: datetime) -> Hold:
        """Keep everything of a number whatever else is asked."""

    async def let_person_go(self, phone: str, *, now: datetime) -> bool:
        """End a hold; says whether there was one."""

    # -- what ends because its time is over

    async def last_night(self) -> Destruction | None:
        """Answer the newest destruction of a night."""

    async def begin_destruction(self, *, now: datetime) -> int:
        """Begin the night's destruction in the log, or go on with one that was cut short; answers its id."""

    async def destroy_contents(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        """Take the content of some finished messages above an id; answers how far it has come, null at the end."""

    async def destroy_records(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        """Remove some finished messages with everything that names them; answers as `destroy_contents`."""

    async def destroy_beside(self, destruction_id: int, *, before: datetime) -> bool:
        """Remove some other rows whose time is over; says whether there may be more."""

    async def shorten_audit(self, *, before: datetime, now: datetime, limit: int) -> int:
        """Drop the oldest entries of the audit; answers how many."""

    async def end_destruction(self, destruction_id: int, *, now: datetime) -> None:
        """Write that a destruction is over."""

    async def log_destroyed_files(self, files: int, *, now: datetime) -> None:
        """Write into the log of destructions that copies of files were removed because their time was over."""

    async def compact(self) -> None:
        """Cut the journal off, and write the whole file anew if something was forgotten in a large one."""

    # -- who did what

    async def audit(self, *, limit: int, below: int | None) -> Sequence[Entry]:
        """Answer who did what, newest first, with ids below `below`."""

    async def destructions(self, *, limit: int, below: int | None) -> Sequence[Destruction]:
        """Answer what was destroyed, newest first, with ids below `below`."""

    # -- categories

    async def kept_categories(self) -> Sequence[Category]:
        """Answer the owner's own categories and the presets that the owner has changed, by id."""

    async def keep_category(self, category: Category, *, now: datetime) -> None:
        """Write a category of the owner's own, or a changed preset, in the place of what was kept under its id.

        INVALID_FIELD: its code is that of another one.
        """

    async def drop_category(self, category_id: int, *, now: datetime) -> bool:
        """Forget what is kept under an id; says whether anything was."""

    async def ledger(self, account_id: int, *, now: datetime) -> Ledger:
        """Answer what an account has used of its rules."""

    async def backlog(self, account_id: int, *, now: datetime) -> Sequence[Waiting]:
        """Answer what waits in an account, counted by how its rules see it; paused and held rows don't."""

    async def tracks_of(
        self, account_id: int, numbers: Sequence[str], *, is_of_customers: bool, now: datetime
    ) -> Mapping[Track, int]:
        """Answer what the people of a list are to an account."""

    async def restrictions(self, account_id: int) -> Sequence[Restriction]:
        """Answer what WhatsApp has closed for an account."""

    async def judge_again(self, account_id: int, course: Course, *, now: datetime, limit: int) -> int:
        """Put rows that their pace has parked back in line, to be judged by what is known now; answers how many."""

    async def keep_time(self, account_id: int, steady: int, *, now: datetime) -> None:
        """Write that the wall clock was moved: which moment of it an account's own time is tied to now."""

    # -- access

    async def create_token(self, rules: TokenRules, secret_hash: bytes, hint: str, *, now: datetime) -> Token:
        """Store a token by the SHA-256 of its secret."""

    async def tokens(self) -> Sequence[Token]:
        """Answer every token, by id."""

    async def token(self, secret_hash: bytes) -> Token | None:
        """Answer the token of a secret."""

    async def token_of_pass(self, secret_hash: bytes, *, now: datetime) -> Token | None:
        """Answer the token that a pass stands for, while its day lasts."""

    async def add_pass(self, token_id: int, secret_hash: bytes, *, until: datetime) -> None:
        """Let a secret stand for a token until a moment."""

    async def end_pass(self, secret_hash: bytes) -> bool:
        """End a pass; says whether there was one."""

    async def revoke_token(self, token_id: int, *, now: datetime) -> Token:
        """End a token. NOT_FOUND."""

    async def touch_tokens(self, used: Mapping[int, datetime]) -> None:
        """Write when tokens were last used."""

    async def keep_upload(self, upload_id: str, token_id: int, file: File, *, now: datetime) -> None:
        """Remember an uploaded file."""

    async def upload(self, upload_id: str) -> KeptFile | None:
        """Answer an uploaded file."""

    async def rename_batch(self, batch_id: int, name: str | None) -> None:
        """Call a batch something, or nothing. NOT_FOUND."""

    async def drafts(self, token_id: int, *, since: datetime, path: str) -> Sequence[DraftInShort]:
        """Answer a token's drafts, the newest first, but for those that were started by a request to `path`."""

    async def reads_by_hour(self, since: datetime, *, most: int) -> Mapping[datetime, int]:
        """Answer how many messages were read in each hour since, among the newest `most` that were accepted since."""

    async def keep_draft(self, draft_id: str, token_id: int, request: bytes, *, now: datetime) -> None:
        """Remember a bulk request that is not made yet; of one token's only the newest few are kept."""

    async def draft(self, draft_id: str) -> KeptDraft | None:
        """Answer a bulk request that is not made yet."""

    # -- people

    async def people(self) -> Sequence[Person]:
        """Answer everybody who may sign in to the panel, by id."""

    async def password_hash(self, person_id: int) -> str | None:
        """Answer the hash of a person's password."""

    async def add_person(
        self, name: str, role: Role, password_hash: str, token_hash: bytes, *, now: datetime, code_hash: bytes | None
    ) -> Person:
        """Add a person; the first one by the set-up code, which it spends. NOT_FOUND, INVALID_FIELD."""

    async def change_person(
        self,
        person_id: int,
        *,
        role: Role | None = None,
        password_hash: str | None = None,
        language: str | None = None,
        now: datetime,
    ) -> Person:
        """Change what is given of a person. NOT_FOUND; INVALID_FIELD if no administrator would be left."""

    async def remove_person(self, person_id: int, *, now: datetime) -> None:
        """End a person's sessions and let them sign in no more. Raises as `change_person`."""

    async def open_session(
        self, person_id: int, secret_hash: bytes, *, agent: str, address: str, now: datetime
    ) -> None:
        """Remember a browser in which a person signed in, by the SHA-256 of its secret."""

    async def session(self, secret_hash: bytes) -> Session | None:
        """Answer the session of a secret, over or not."""

    async def sessions(self, person_id: int) -> Sequence[Session]:
        """Answer a person's sessions, the last used first."""

    async def touch_session(self, session_id: int, *, now: datetime) -> None:
        """Write that a session was used."""

    async def close_sessions(self, person_id: int, session_id: int | None = None) -> None:
        """End one session of a person, or all."""

    async def keep_setup_code(self, code_hash: bytes, *, now: datetime) -> None:
        """Make a code the only one by which the first person is added. NOT_FOUND: there is one."""

    async def try_setup_code(self, code_hash: bytes, *, now: datetime) -> bool:
        """Say whether a set-up code is good; a wrong one costs the right one a try."""

    async def settings(self) -> Mapping[str, str]:
        """Answer what the owner set, by its name."""

    async def set_setting(self, name: str, value: str) -> None:
        """Set one thing."""

    # -- the days' counts

    async def count_day(self, day: date, since: datetime, until: datetime) -> Sequence[DayCount]:
        """Count the messages accepted from `since` until before `until`, which are a day's bounds."""

    async def keep_counts(self, day: date, counts: Sequence[DayCount]) -> None:
        """Replace a day's counts."""

    async def mark_counted(self, cursor: int) -> None:
        """Write up to which event every count is right."""

    async def counted_to(self) -> int | None:
        """Answer up to which event the counts are right; null: nothing was counted yet."""

    async def touched(self, cursor: int, *, limit: int) -> tuple[int, Sequence[datetime]]:
        """Answer how far events above `cursor` were read, and when the messages of those were accepted."""

    async def first_message_at(self) -> datetime | None:
        """Answer the hour of the first message."""

    async def counts_between(self, first: date, last: date, *, monthly: bool = False) -> Sequence[DayCount]:
        """Answer the counts of the days from `first` to `last`; `monthly`: a month's together, as of its first day."""

    async def count_hours(self, since: datetime, until: datetime) -> Sequence[HourCount]:
        """Count the messages of each hour from `since` on."""

    # -- hooks

    async def add_hook(self, new: NewHook, *, now: datetime) -> Hook:
        """Add a hook that hears what happens from now on."""

    async def hooks(self) -> Sequence[Hook]:
        """Answer every hook that was not removed, by id."""

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
        """Change what its owner decides about a hook. NOT_FOUND."""

    async def close_hook(self, hook_id: int, reason: CloseReason, *, now: datetime) -> Hook:
        """Deliver nothing more to a hook, and tell so. Its place stays. NOT_FOUND."""

    async def reopen_hook(self, hook_id: int, *, now: datetime) -> Hook:
        """Let a hook go on where it stood. NOT_FOUND."""

    async def remove_hook(self, hook_id: int, *, now: datetime) -> None:
        """Forget a hook with its secrets and deliveries. NOT_FOUND."""

    async def hook_window(self, hook: Hook, *, after: int, now: datetime, due: int, fresh: int) -> Window:
        """Answer what a hook has to deliver now."""

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
        """Write what became of a window, and the hook's new place, in one change. Writing it again changes nothing."""

    async def deliveries(self, hook: Hook, *, below: int | None, limit: int) -> tuple[Sequence[Delivery], int]:
        """Answer a page of a hook's deliveries, newest first, and the event below which to go on (0: nowhere)."""

    async def hook_lags(self) -> Sequence[Lag]:
        """Answer how far each hook is behind."""

    async def replay(self, hook: Hook, event_id: int, *, now: datetime) -> None:
        """Deliver an event to a hook once more. NOT_FOUND."""

    async def replay_since(self, hook_id: int, moment: datetime) -> int:
        """Set a hook's place back to a moment. NOT_FOUND."""

    async def feed(
        self, after: int, kinds: Collection[HookEvent], account_ids: Collection[int] | None, *, limit: int
    ) -> tuple[Sequence[Notice], int]:
        """Answer what happened after an event, oldest first, and from where to go on."""

    # -- alerts

    async def alerts(self) -> Sequence[Alert]:
        """Answer what is kept of troubles."""

    async def stopped_batches(self) -> Sequence[tuple[int, str]]:
        """Answer the batches that have stopped by themselves, and why."""

    async def keep_alerts(self, judgement: Judgement, *, now: datetime) -> None:
        """Keep what was judged, and write the events that say it, in one change."""

    async def alert_place(self, channel: str) -> int:
        """Answer the last event that a channel has carried; a new one begins with what happens from now on."""

    async def alert_carried(self, channel: str, upto: int) -> None:
        """Write that a channel has carried everything up to an event."""

    # -- care

    async def backup(self, target: Path) -> None:
        """Write a consistent copy of a live database."""
