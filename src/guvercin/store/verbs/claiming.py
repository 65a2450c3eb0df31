"""Claiming and settling: a message is taken in hand, and what became of the attempt is written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guvercin.core.course import Course
from guvercin.core.event import Standing
from guvercin.core.grant import Allowance
from guvercin.core.message import Lane, Message
from guvercin.core.outcome import Accepted, Outcome

FIRST_TURN = -(1 << 60)
"""Before every turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where an account stands when it claims: whose turn of bulk it was, and its course if it keeps rules.

    `after` null: bulk leaves as it came, batch by batch.
    `epoch` is that of the account's lease: with one that is over nothing is claimed; 0: one process has everything.
    `steady` is now on the course's own time line, in milliseconds. `keeps_gaps` false: whoever claims keeps the gaps
    already, and asks for the rest of the rules.
    """

    after: int | None = None
    course: Course | None = None
    steady: int = 0
    keeps_gaps: bool = True
    epoch: int = 0


NO_TURN = Turn()


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


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt, as `settle` takes it. `recipient` is for accounts with an allowance."""

    message_id: int
    attempt_id: int
    outcome: Outcome
    retry_at: datetime | None
    recipient: str = ""


class Claiming(Protocol):
    """A message is taken in hand, and its attempt settled."""

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
