"""A store with an owner: two accounts, two tokens, and its verbs with everything filled in that a law doesn't speak of.

A law says only what it is about: `await desk.accept(to=AYSE)`. The hour is `desk.now` and moves when a law moves it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 -- seeded

from guvercin.core.account import Kind
from guvercin.core.errors import Code
from guvercin.core.event import Event, EventKind, Standing
from guvercin.core.log import MessageFilter
from guvercin.core.message import Content, Draft, Lane, Level, Message, Status, priority
from guvercin.core.outcome import Accepted, Deferred, Lost, Outcome, Receipt, ReceiptKind, Refused
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.core.token import Permission, TokenRules
from guvercin.store.store import Store
from guvercin.store.verbs.accepting import Acceptance, BatchAsk, KeyRow, Quota, Repeat
from guvercin.store.verbs.batches import BatchRow
from guvercin.store.verbs.claiming import Claimed
from guvercin.store.verbs.upkeep import Doubt

NOW = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

AYSE = "+905321234567"
BORA = "+905331234567"
CEM = "+905341234567"

BOTH = (Lane.SINGLE, Lane.BULK)


def draft(
    to: str = AYSE,
    *,
    account: int = 1,
    text: str | None = "Merhaba",
    lane: Lane = Lane.SINGLE,
    level: Level = Level.NORMAL,
    now: datetime = NOW,
    lifetime: timedelta = DAY,
    due_at: datetime | None = None,
    reference: str | None = None,
    reason: Code | None = None,
) -> Draft:
    """Ask for a message; `dataclasses.replace` sets what has no word here."""
    return Draft(
        account_id=account,
        recipient=to,
        content=Content(text=text),
        category=10,
        lane=lane,
        priority=priority(level, lane),
        expires_at=(due_at or now) + lifetime,
        due_at=due_at,
        reference=reference,
        reason=reason,
    )


def key(word: str, *, body: bytes = b"body", path: str = "/gonder") -> KeyRow:
    return KeyRow(method="POST", path=path, key=word, body_hash=body)


def receipt(kind: ReceiptKind, at: datetime, remote_id: str, reason: Code | None = None) -> Receipt:
    return Receipt(remote_id=remote_id, kind=kind, at=at, reason=reason)


class Desk:
    """Where messages are handed in, and the hand that sends them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.rng = Random(20260223)
        self._remote = 0

    async def furnish(self) -> "Desk":
        """Add accounts 1 and 2 and tokens 1 and 2 to an empty store."""
        for name in ("Dükkân", "Depo"):
            await self.store.add_account(name, Kind.SANDBOX, None, SANDBOX_PACE, now=self.now)
        rules = TokenRules(name="kasa", permissions=frozenset(Permission))
        for number in (1, 2):
            await self.store.create_token(rules, bytes([number]) * 32, f"gv_{number}", now=self.now)
        return self

    # -- handing in

    async def take(
        self,
        wanted: Draft,
        *,
        token: int = 1,
        under: KeyRow | None = None,
        repeat: Repeat | None = None,
        quota: Quota | None = None,
    ) -> Acceptance:
        return await self.store.accept(wanted, token_id=token, now=self.now, key=under, repeat=repeat, quota=quota)

    async def accept(
        self,
        to: str = AYSE,
        *,
        account: int = 1,
        lane: Lane = Lane.SINGLE,
        level: Level = Level.NORMAL,
        lifetime: timedelta = DAY,
        due_at: datetime | None = None,
        reference: str | None = None,
    ) -> int:
        """Accept a message and answer its id."""
        wanted = draft(
            to,
            account=account,
            lane=lane,
            level=level,
            now=self.now,
            lifetime=lifetime,
            due_at=due_at,
            reference=reference,
        )
        return standing(await self.take(wanted)).id

    async def accept_batch(
        self,
        drafts: Sequence[Draft],
        *,
        account: int = 1,
        body: bytes = b"list",
        token: int = 1,
        under: KeyRow | None = None,
        since: datetime | None = None,
        quota: Quota | None = None,
    ) -> Acceptance:
        ask = BatchAsk(account_id=account, category=10, body_hash=body)
        return await self.store.accept_batch(
            ask, drafts, token_id=token, now=self.now, key=under, repeats_since=since, quota=quota
        )

    # -- sending

    def remote_id(self) -> str:
        self._remote += 1
        return f"DENEME-{self._remote}"

    async def claim(self, account: int = 1, *, lanes: Sequence[Lane] = BOTH) -> Claimed | None:
        """Claim as a dispatcher does: again at once while the line was only tidied."""
        while True:
            claimed = await self.store.claim(
                account, lanes, now=self.now, secret=self.rng.randbytes(32), draw=self.rng.random()
            )
            if claimed is None or claimed.message is not None:
                return claimed

    async def next_id(self, account: int = 1, *, lanes: Sequence[Lane] = BOTH) -> int | None:
        """Send what stands first and answer its id."""
        claimed = await self.claim(account, lanes=lanes)
        if claimed is None:
            return None
        await self.settle(claimed, Accepted(self.remote_id(), self.now))
        return in_hand(claimed).id

    async def leave_in_order(self, account: int = 1) -> list[int]:
        """Send all that stands in line and answer the ids in the order in which they left."""
        left: list[int] = []
        while (message_id := await self.next_id(account)) is not None:
            left.append(message_id)
        return left

    async def settle(self, claimed: Claimed, outcome: Outcome, *, retry_at: datetime | None = None) -> Standing:
        return await self.store.settle(
            in_hand(claimed).id, claimed.attempt_id, outcome, now=self.now, retry_at=retry_at
        )

    async def attempt(self, outcome: Outcome, *, retry_at: datetime | None = None, account: int = 1) -> int:
        """Claim what stands first, settle it so, and answer its id."""
        claimed = await self.claim(account)
        assert claimed is not None
        await self.settle(claimed, outcome, retry_at=retry_at)
        return in_hand(claimed).id

    async def defer(self, until: datetime, *, account: int = 1) -> int:
        return await self.attempt(Deferred(reason=Code.PUSHED_BACK, pushed_back=True), retry_at=until, account=account)

    async def hear(self, *receipts: Receipt, account: int = 1) -> None:
        await self.store.receive(account, receipts, now=self.now)

    async def bring(self, status: Status, *, remote_id: str | None = None, to: str = AYSE) -> int:
        """Accept a message on an empty line, lead it to `status` on the straightest way and answer its id."""
        return await self.lead(draft(to, now=self.now), status, remote_id=remote_id)

    async def lead(self, wanted: Draft, status: Status, *, remote_id: str | None = None) -> int:
        """As `bring`, for a draft of one's own."""
        message_id = standing(await self.take(wanted)).id
        if status is Status.QUEUED:
            return message_id
        if status is Status.CANCELLED:
            await self.store.cancel(message_id, now=self.now)
            return message_id
        claimed = await self.claim()
        assert in_hand(claimed).id == message_id
        assert claimed is not None
        remote = remote_id or self.remote_id()
        match status:
            case Status.UNKNOWN:
                await self.settle(claimed, Lost(Code.ANSWER_LOST))
            case Status.FAILED:
                await self.settle(claimed, Refused(reason=Code.NOT_ON_WHATSAPP))
            case Status.SENT | Status.DELIVERED | Status.READ:
                await self.settle(claimed, Accepted(remote, self.now))
                if status is not Status.SENT:
                    kind = ReceiptKind.DELIVERED if status is Status.DELIVERED else ReceiptKind.READ
                    await self.hear(receipt(kind, self.now, remote))
        assert (await self.row(message_id)).status is status
        return message_id

    # -- looking

    async def row(self, message_id: int) -> Message:
        found = await self.store.message(message_id)
        assert found is not None
        return found

    async def rows(self) -> Sequence[Message]:
        return (await self.store.messages(MessageFilter(), limit=100_000, below=None)).messages

    async def batch(self, batch_id: int | None) -> BatchRow:
        assert batch_id is not None
        found = await self.store.batch(batch_id)
        assert found is not None
        return found

    async def kinds(self, message_id: int) -> list[EventKind]:
        return [event.kind for event in await self.store.events(message_id)]

    async def last_event(self, message_id: int) -> Event:
        return (await self.store.events(message_id))[-1]

    async def doubt(self, message_id: int) -> Doubt:
        """Answer the doubt about a message, whenever upkeep would look into it."""
        doubts = await self.store.in_doubt(now=self.now + 365 * DAY, limit=100_000)
        return next(doubt for doubt in doubts if doubt.message_id == message_id)


def standing(acceptance: Acceptance) -> Standing:
    assert acceptance.standing is not None
    return acceptance.standing


def in_hand(claimed: Claimed | None) -> Message:
    assert claimed is not None
    assert claimed.message is not None
    return claimed.message


def on_whatsapp(remote_id: str, at: datetime = NOW) -> Accepted:
    return Accepted(remote_id, at)


def again(old: Message, now: datetime) -> Draft:
    """Ask for a message once more, as its owner would."""
    return replace(draft(old.recipient, account=old.account_id, now=now), resend_of=old.id)
