"""The oracle can fail: each of these gateways breaks one promise, and some day finds it out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from tests.conftest import Tell
from tests.gateway.house import SteadyStore, pace
from tests.simulation.day import Stage
from tests.simulation.promises import Broken
from tests.simulation.test_days import one_day
from tests.simulation.unwilling import (
    AsksAtTheDoorAlone,
    BelievesTheLast,
    ForgetsRefusals,
    NeverDoubts,
    NeverTakesBack,
    OvertakesWhatIsParked,
    ServesListByList,
    TakesSilenceForConsent,
)
from tests.simulation.whatsapp import Wire

from guvercin.core.account import Account
from guvercin.core.errors import Code
from guvercin.core.event import EventKind, Standing
from guvercin.core.message import Draft, Lane, Status
from guvercin.core.outcome import Accepted, Outcome
from guvercin.core.pacing import Use
from guvercin.store.verbs.accepting import Acceptance, BatchAsk
from guvercin.store.verbs.batches import BatchRow
from guvercin.store.verbs.claiming import Claimed
from guvercin.store.verbs.pacing import Ledger
from guvercin.store.verbs.upkeep import Doubt
from guvercin.store.writer import Tx
from guvercin.transports.base import Outgoing

MOST_DAYS = 90


class SendsTwice(Wire):
    """What a transport that retries by itself does."""

    async def send(self, message: Outgoing) -> Outcome:
        outcome = await super().send(message)
        if isinstance(outcome, Accepted):
            self._phone.arrive(message, outcome.at)
        return outcome


class NeverSends(Wire):
    """What a transport that guesses does."""

    async def send(self, message: Outgoing) -> Outcome:
        if message.message_id % 5 == 0 and self._can_send():
            return Accepted(f"GUESS-{message.message_id}", self._clock.now())
        return await super().send(message)


class Forgets(SteadyStore):
    """Says yes, and stores nothing."""

    async def accept(self, *args: Any, **options: Any) -> Acceptance:
        accepted = await super().accept(*args, **options)
        number = 0 if accepted.standing is None else accepted.standing.id
        if number % 4 == 0:
            return replace(
                accepted, standing=Standing(id=number + 10**6, account_id=1, batch_id=None, status=Status.QUEUED)
            )
        return accepted


class NeverSettles(SteadyStore):
    async def settle(self, message_id: int, *_: Any, **__: Any) -> Standing:
        return Standing(id=message_id, account_id=1, batch_id=None, status=Status.SENT)

    async def settle_and_claim(self, *known: Any, **options: Any) -> Claimed | None:
        return await self.claim(1, known[3], **options)


class Hurries(SteadyStore):
    """A dispatcher over this store knows no gaps."""

    async def accounts(self) -> Sequence[Account]:
        return [replace(account, pace=pace((0, 0))) for account in await super().accounts()]


class ForgetsTheGap(SteadyStore):
    """A restart begins without a past."""

    async def use(self, *_: Any) -> Use:
        return Use()


class KnowsNoRepeats(SteadyStore):
    async def accept(self, *args: Any, **options: Any) -> Acceptance:
        return await super().accept(*args, **options | {"key": None, "repeat": None})


class KnowsNoLimits(SteadyStore):
    async def accept(self, *args: Any, **options: Any) -> Acceptance:
        return await super().accept(*args, **options | {"quota": None})


class LastComesFirst(SteadyStore):
    def _line_ms(self, _: datetime) -> int:
        self._last_due = (self._last_due or 2 * 10**12) - 1
        return self._last_due - 10**12


class CancelsInWords(SteadyStore):
    async def cancel(self, message_id: int, *, now: datetime) -> Standing:
        standing = await self.standing(message_id)
        assert standing is not None
        return (
            replace(standing, status=Status.CANCELLED)
            if standing.status is Status.QUEUED
            else await super().cancel(message_id, now=now)
        )


class SendsWhatWasInHandAgain(SteadyStore):
    """A start that takes what a crash left in hand for what never left."""

    async def recover(self, **options: Any) -> int:
        def work(tx: Tx) -> None:
            for (message_id,) in tx.execute("SELECT id FROM message WHERE status = 'sending'").fetchall():
                tx.execute("UPDATE message SET status = 'queued' WHERE id = ?", (message_id,))
                tx.record(0, EventKind.MESSAGE_DEFERRED, message_id=message_id)

        await self._writer.do(work)
        return await super().recover(**options)


class IsDeaf(SteadyStore):
    async def receive(self, *_: Any, **__: Any) -> None:
        return


class TakesPagesOut(SteadyStore):
    """Changes its own past."""

    async def receive(self, *args: Any, **options: Any) -> None:
        await super().receive(*args, **options)
        await self._writer.do(
            lambda tx: (
                tx.execute(
                    "DELETE FROM event WHERE id = (SELECT max(id) FROM event WHERE kind = 'mesaj.iletildi')"
                ).rowcount
            )
        )


class GoesBack(SteadyStore):
    async def receive(self, *args: Any, **options: Any) -> None:
        await super().receive(*args, **options)
        await self._writer.do(
            lambda tx: tx.execute("UPDATE message SET status = 'sent' WHERE status IN ('delivered', 'read')").rowcount
        )


class MiscountsDoubts(SteadyStore):
    async def batch(self, batch_id: int) -> BatchRow | None:
        found = await super().batch(batch_id)
        if found is None:
            return None
        kept: dict[Status, int] = {
            status: count for status, count in found.counts.by_status.items() if status is not Status.UNKNOWN
        }
        return replace(found, counts=replace(found.counts, by_status=MappingProxyType(kept)))


class IsEarly(SteadyStore):
    async def claim(self, account_id: int, lanes: Sequence[Lane], *, now: datetime, **options: Any) -> Claimed | None:
        await super().release_due(now=now + timedelta(hours=2), limit=100)
        return await super().claim(account_id, lanes, now=now, **options)


class IsLate(SteadyStore):
    """Asks no lifetime."""

    async def claim(self, account_id: int, lanes: Sequence[Lane], *, now: datetime, **options: Any) -> Claimed | None:
        claimed = await super().claim(account_id, lanes, now=now - timedelta(days=1), **options)
        if claimed is None or claimed.message is None:
            return claimed
        message = claimed.message
        return replace(claimed, message=replace(message, expires_at=message.expires_at + timedelta(days=2)))

    async def expire(self, **_: Any) -> int:
        return 0


class ForgetsLifetimes(SteadyStore):
    """Fails what has expired when its turn comes, and not before."""

    async def expire(self, **_: Any) -> int:
        return 0


class TellsInVain(SteadyStore):
    """Never looks into a doubt."""

    async def in_doubt(self, **_: Any) -> Sequence[Doubt]:
        return ()


class WritesTwice(SteadyStore):
    """Takes whoever stands twice in a list for two people."""

    async def accept_batch(self, ask: BatchAsk, drafts: Sequence[Draft], **options: Any) -> Acceptance:
        all_good = [replace(draft, reason=None) if draft.reason is Code.DUPLICATE else draft for draft in drafts]
        return await super().accept_batch(ask, all_good, **options)


class PausesInWords(SteadyStore):
    """Says that a batch is paused, and leaves its messages in line."""

    async def pause_batch(self, batch_id: int, *, now: datetime) -> None:
        await super().pause_batch(batch_id, now=now)
        await self._writer.do(
            lambda tx: (
                tx.execute(
                    "UPDATE message SET waits_for = NULL WHERE batch_id = ? AND waits_for = 'toplu_durduruldu'",
                    (batch_id,),
                ).rowcount
            )
        )


class PutsBulkFirst(SteadyStore):
    async def claim(self, account_id: int, lanes: Sequence[Lane], *, now: datetime, **options: Any) -> Claimed | None:
        for lane in sorted(lanes):
            claimed = await super().claim(account_id, [lane], now=now, **options)
            if claimed is not None:
                return claimed
        return None


class ForgetsItsLimits(SteadyStore):
    """A restart begins with limits of which nothing is used."""

    async def ledger(self, *args: Any, **options: Any) -> Ledger:
        return replace(await super().ledger(*args, **options), uses=())


class KnowsOtherRules(SteadyStore):
    """Every pace that keeps rules keeps others."""

    change: Mapping[str, Any]

    async def accounts(self) -> Sequence[Account]:
        return [
            account
            if account.pace.rules is None
            else replace(account, pace=replace(account.pace, rules=replace(account.pace.rules, **self.change)))
            for account in await super().accounts()
        ]


class KnowsNoCaps(KnowsOtherRules):
    change = MappingProxyType({"hourly": None, "daily": None})


class Presses(KnowsOtherRules):
    change = MappingProxyType({"recipient_gap": None})


class WakesPeople(KnowsOtherRules):
    change = MappingProxyType({"keeps_quiet": False})


MUTANTS = [
    ("P1", Stage(store_in=Forgets), 2),
    ("P2", Stage(store_in=NeverSettles), 3),
    ("P2", Stage(store_in=TellsInVain), 2),
    ("P2", Stage(store_in=ForgetsLifetimes), 6),
    ("P3", Stage(line=SendsTwice), 2),
    ("P3", Stage(store_in=SendsWhatWasInHandAgain), 2),
    ("P4", Stage(store_in=LastComesFirst), 4),
    ("P4", Stage(store_in=OvertakesWhatIsParked), 5),
    ("P5", Stage(store_in=GoesBack), 2),
    ("P6", Stage(store_in=TakesPagesOut), 2),
    ("P7", Stage(store_in=CancelsInWords), 9),
    ("P7", Stage(store_in=ForgetsRefusals), 11),
    ("P7", Stage(store_in=NeverDoubts), 8),
    ("P7", Stage(store_in=AsksAtTheDoorAlone), 3),
    ("P8", Stage(store_in=Hurries), 5),
    ("P8", Stage(store_in=ForgetsTheGap), 23),
    ("P8", Stage(store_in=IsEarly), 4),
    ("P8", Stage(store_in=IsLate), 0),
    ("P9", Stage(store_in=MiscountsDoubts), 15),
    ("TRUE", Stage(line=NeverSends), 0),
    ("TRUE", Stage(store_in=IsDeaf), 2),
    ("ONCE", Stage(store_in=KnowsNoRepeats), 0),
    ("TWICE", Stage(store_in=WritesTwice), 16),
    ("STOP", Stage(store_in=PausesInWords), 64),
    ("OVERTAKE", Stage(store_in=PutsBulkFirst), 6),
    ("FAIR", Stage(store_in=ServesListByList), 34),
    ("PACE", Stage(store_in=ForgetsItsLimits), 52),
    ("PACE", Stage(store_in=KnowsNoCaps), 9),
    ("PACE", Stage(store_in=Presses), 9),
    ("QUIET", Stage(store_in=WakesPeople), 3),
    ("WILL", Stage(store_in=NeverTakesBack), 21),
    ("WILL", Stage(store_in=BelievesTheLast), 22),
    ("WILL", Stage(store_in=TakesSilenceForConsent), 7),
    ("LIMIT", Stage(store_in=KnowsNoLimits), 9),
]
"""Promise, who breaks it, and a day on which that was found out. That day is played first; it decides nothing else."""


def _name(stage: Stage) -> str:
    return (stage.line if stage.line is not Wire else stage.store_in).__name__


NAMES = [f"{promise}-{_name(stage)}" for promise, stage, _ in MUTANTS]


@pytest.mark.parametrize(("promise", "stage", "known"), MUTANTS, ids=NAMES)
def test_a_broken_promise_is_found_out(template: Path, tell: Tell, promise: str, stage: Stage, known: int) -> None:
    found: list[str] = []
    for seed in sorted(range(MOST_DAYS), key=lambda day: day != known):
        try:
            one_day(seed, template, stage)
        except Broken as broken:
            found.append(broken.promise)
            if broken.promise == promise:
                if seed != known:
                    tell(f"{_name(stage)} is found out on day {seed}, no longer on {known}: name it in MUTANTS")
                return
    pytest.fail(f"{MOST_DAYS} days found {found}")
