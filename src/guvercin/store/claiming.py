"""How a message is claimed, as functions of a transaction: the next of its line, and what may not go steps aside.

Laws
1. What is due stands in line first, whenever upkeep last looked: order must not depend on it.
2. Each row leaves the line once: what is expired fails, what may not go is parked with the moment at which it may, so
   that a claim costs the same however many wait.
3. Bulk takes turns: of several batches of a level each gives one row, then the next. One recipient's rows keep their
   order all the same.
4. Who claims under a lease that is over takes nothing.
5. Of an account without rules nothing is asked that rules would ask.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from guvercin.core.course import Go, Park, Wait
from guvercin.core.errors import Code
from guvercin.core.event import EventKind, Standing
from guvercin.core.grant import Allowance
from guvercin.core.message import Lane, News, Order, Status, advance
from guvercin.store import leasing, pacing
from guvercin.store.granting import withheld
from guvercin.store.messages import find, is_unwanted, message, move, release_due
from guvercin.store.statements import claiming as sql
from guvercin.store.statements.hearing import LAST_HEARD
from guvercin.store.statements.messages import MESSAGE
from guvercin.store.statements.upkeep import IS_DUE
from guvercin.store.times import from_ms, to_ms
from guvercin.store.verbs.claiming import FIRST_TURN, NO_TURN, Claimed, Turn
from guvercin.store.writer import Tx

_BESIDE = 250
"""Milliseconds that a row waits for another one of its recipient that is in hand."""

_TRIES = 64
"""Rows that a claim may find expired or held back before it lets others have the writer."""

_Head = tuple[int, int, int, str, int, int]
"""Priority, place in line, id, recipient, end of its lifetime, and whose turn it is (0 for a single): that of its own
batch, or of one whose row to the same person has to come after it."""


def may_claim(tx: Tx, account_id: int, turn: Turn) -> bool:
    """Say whether an account is still run by whoever asks."""
    return leasing.holds(tx, leasing.subject_of(account_id), turn.epoch)


def claim_more(
    tx: Tx,
    account_id: int,
    lanes: Sequence[Lane],
    *,
    now: datetime,
    chances: Sequence[tuple[bytes, float]],
    busy: Collection[str],
    allowance: Allowance | None = None,
    turn: Turn = NO_TURN,
) -> Sequence[Claimed]:
    """Claim several messages, each for a recipient that nobody else has in hand, as far as the network allows."""
    taken, found = set(busy), []
    for secret, draw in chances if lanes else ():
        claimed = claim(
            tx, account_id, lanes, now=now, secret=secret, draw=draw, busy=taken, allowance=allowance, turn=turn
        )
        if claimed is None:
            break
        turn = replace(turn, after=claimed.turn, course=claimed.course)
        if claimed.message is None:
            found.append(claimed)
            break
        recipient = claimed.message.recipient
        taken.add(recipient)
        heard = tx.execute(LAST_HEARD, (account_id, recipient)).fetchone()
        found.append(claimed if heard is None else replace(claimed, heard_at=from_ms(heard[0])))
    return found


def claim(
    tx: Tx,
    account_id: int,
    lanes: Sequence[Lane],
    *,
    now: datetime,
    secret: bytes,
    draw: float,
    busy: Collection[str] = (),
    allowance: Allowance | None = None,
    turn: Turn = NO_TURN,
) -> Claimed | None:
    """Take the next message of the open lanes and spend the account's slot; null when nothing stands in line.

    What is due stands in line first. Rows whose lifetime is over fail here, those that their recipient has refused too,
    and rows behind a deferred one of their
    recipient are parked with it. So are, for a moment, rows of recipients who are `busy`, and those that the account's
    rules let go only later.
    """
    now_ms = to_ms(now)
    is_due = tx.execute(IS_DUE, (now_ms,)).fetchone() is not None
    if is_due and release_due(tx, now=now, limit=_TRIES) == _TRIES:
        return Claimed(message=None, turn=turn.after, course=turn.course)  # there may be more
    course = None if turn.course is None else pacing.refreshed(tx, account_id, turn.course, turn.steady)
    if course is not None and turn.course is not None and course.turns and course.warm_days != turn.course.warm_days:
        return Claimed(message=None, turn=turn.after, course=course, judges_again=True)  # a warmer line: plan anew
    if course is not None and pacing.release_due(tx, account_id, now_ms) == _TRIES:
        return Claimed(message=None, turn=turn.after, course=course)
    line = _Line(tx, account_id, list(lanes), now_ms=now_ms, turn=replace(turn, course=course))
    for _ in range(_TRIES):
        head = line.head()
        if head is None:
            return line.nothing()
        if line.is_over(head) or is_unwanted(tx, head[2], account_id, head[3], now_ms):
            continue
        if line.is_held_back(head, busy):
            continue
        if allowance is not None and withheld(tx, account_id, head[2], head[3], allowance=allowance, now_ms=now_ms):
            continue
        claimed = line.take(head, secret, draw)
        if claimed is not None:
            return claimed
    return Claimed(message=None, turn=turn.after, course=course)


class _Line:
    """The rows that stand in an account's line, seen by one claim. `after`: whose turn it was last.

    A turn is spent by what goes. Who steps aside lets the next have it, in this claim alone: whose row is back at the
    moment at which another list's is due would else find its turn spent for nothing, each time, for as long as that
    list lasts.
    """

    def __init__(self, tx: Tx, account_id: int, lanes: list[Lane], *, now_ms: int, turn: Turn) -> None:
        self._tx = tx
        self._account_id = account_id
        self._lanes = lanes
        self._now_ms = now_ms
        self._turn = turn
        self._wakes_at: int | None = None
        self.after = turn.after

    def nothing(self) -> Claimed | None:
        """Answer that no row may leave now; with a course, how it stands and when to come again."""
        if self._turn.course is None:
            return None
        course, wakes_at = self._turn.course, self._wakes_at
        return Claimed(message=None, turn=self._turn.after, course=course, wakes_at=wakes_at, is_empty=True)

    def head(self) -> _Head | None:
        """Answer the first row of the open lanes."""
        heads = [head for lane in self._lanes if (head := self._head_of(lane)) is not None]
        return min(heads, key=lambda row: (-row[0], row[1], row[2]), default=None)

    def _head_of(self, lane: Lane) -> _Head | None:
        if lane is Lane.BULK and self.after is not None:
            return self._head_in_turn(self.after)
        question = sql.HEAD_SINGLE if lane is Lane.SINGLE else sql.HEAD_BULK
        row = self._tx.execute(question, (self._account_id,)).fetchone()
        return None if row is None else (*row, 0 if lane is Lane.SINGLE else FIRST_TURN)

    def _head_in_turn(self, after: int) -> _Head | None:
        """Answer the next row of bulk: of the level that comes first, that of whoever comes after `after`."""
        first: _Head | None = self._tx.execute(sql.FIRST_TURN, (self._account_id,)).fetchone()
        if first is None:
            return None
        found: _Head = first
        if first[5] <= after:
            found = self._tx.execute(sql.NEXT_TURN, (self._account_id, first[0], after)).fetchone() or first
        if found[2] == first[2] and first[5] > 0:  # the lowest turn: no other batch has an earlier row of anybody
            return found
        earlier: tuple[int, int, int, str, int] | None
        earlier = self._tx.execute(sql.BEFORE_ITS_TURN, (found[3], found[2], self._account_id, found[0])).fetchone()
        # It spends this turn: with its own batch's, the order would go back, and others would wait without end.
        return found if earlier is None else (*earlier, found[5])

    def is_over(self, head: _Head) -> bool:
        """Fail a row whose lifetime is over."""
        if head[4] > self._now_ms:
            return False
        move(self._tx, find(self._tx, head[2]), News.EXPIRED, self._now_ms, reason=Code.EXPIRED)
        return True

    def is_held_back(self, head: _Head, busy: Collection[str]) -> bool:
        """Park a row behind another one of its recipient: one that is deferred, or one in hand."""
        priority, _, message_id, recipient, _, _ = head
        held = self._tx.execute(sql.HELD_BACK_UNTIL, (self._account_id, recipient, priority, message_id)).fetchone()
        until = self._now_ms + _BESIDE if held is None else held[0]
        if held is None and recipient not in busy:
            return False
        self._tx.execute(sql.PARK, (until, message_id))
        return True

    def take(self, head: _Head, secret: bytes, draw: float) -> Claimed | None:
        """Claim a row if the rules let it go; null: it has stepped aside."""
        message_id, whose, course = head[2], head[5], self._turn.course
        next_turn = whose if whose and self.after is not None else self.after
        if course is None:
            return replace(_take(self._tx, message_id, self._now_ms, secret, draw), turn=next_turn)
        lane, steady = Lane.BULK if whose else Lane.SINGLE, self._turn.steady
        verdict, ask = pacing.judged(self._tx, message_id, lane, course, steady, keeps_gaps=self._turn.keeps_gaps)
        verdict = pacing.in_order(self._tx, message_id, verdict, course, steady)
        match verdict:
            case Park():
                if whose and course.turns and ask.turn not in course.turns and not verdict.is_personal:
                    course.turns |= {ask.turn}
                    return Claimed(message=None, turn=self._turn.after, course=course, judges_again=True)
                pacing.park(self._tx, message_id, ask, verdict, course=course, now_ms=self._now_ms)
                course.plan(ask, verdict)
                self.after = next_turn
                return None
            case Wait(until=until):
                self._wakes_at = until if self._wakes_at is None else min(self._wakes_at, until)
                self._lanes.remove(lane)
                return None
            case Go():
                course.spend(ask, steady, draw)
                claimed = _take(self._tx, message_id, self._now_ms, secret, draw)
                if claimed.message is not None:
                    pacing.spend(self._tx, claimed.message, ask, course=course, now_ms=self._now_ms)
                return replace(claimed, turn=next_turn, course=course)


def may_have_left(tx: Tx, account_id: int, now: datetime) -> None:
    """Note that a message of an account may have left as late as now, whenever it was claimed."""
    tx.execute(sql.MAY_HAVE_LEFT, (to_ms(now), account_id))


def _take(tx: Tx, message_id: int, now_ms: int, secret: bytes, draw: float) -> Claimed:
    advance(Status.QUEUED, Order.CLAIM)
    if tx.execute(sql.CLAIM, (message_id,)).rowcount != 1:
        raise RuntimeError("a row moved while it was held")
    claimed = message(tx.execute(MESSAGE, (message_id,)).fetchone())  # RETURNING costs more than asking
    attempt_id = int(tx.execute(sql.INSERT_ATTEMPT, (message_id, secret, now_ms)).lastrowid)
    tx.execute(sql.SPEND_SLOT, (now_ms, draw, claimed.account_id))
    tx.record(
        now_ms,
        EventKind.MESSAGE_CLAIMED,
        account_id=claimed.account_id,
        message_id=message_id,
        batch_id=claimed.batch_id,
    )
    tx.standings.append(
        Standing(id=message_id, account_id=claimed.account_id, batch_id=claimed.batch_id, status=Status.SENDING),
    )
    return Claimed(message=claimed, attempt_id=attempt_id, secret=secret)
