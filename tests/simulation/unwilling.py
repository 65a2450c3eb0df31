"""Gateways that keep the order and the wishes of people badly, each in its own way: the oracle must find each out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.gateway.house import SteadyStore
from tests.simulation.will_oracle import STARTS

from guvercin.core.message import Draft, Lane
from guvercin.core.optout import OptOut
from guvercin.core.outcome import Inbound, Told
from guvercin.store import claiming
from guvercin.store.verbs.accepting import Acceptance
from guvercin.store.verbs.claiming import Claimed, Turn
from guvercin.store.writer import Tx

_ADVERTISING, _GENERAL = 9, 10


class ForgetsRefusals(SteadyStore):
    """Hears a refusal, answers it, and lets the next message go."""

    scopes: tuple[str, ...] = ("her_sey", "ticari", "yanlis_numara")

    async def hear(self, *args: Any, **options: Any) -> None:
        await super().hear(*args, **options)
        await self._forget()

    async def add_opt_out(self, *args: Any, **options: Any) -> OptOut:
        kept = await super().add_opt_out(*args, **options)
        await self._forget()
        return kept

    async def _forget(self) -> None:
        for scope in self.scopes:
            await self._change("UPDATE opt_out SET ended_at = created_at WHERE scope = ? AND ended_at IS NULL", scope)

    async def _change(self, statement: str, *values: Any) -> None:
        await self._writer.do(lambda tx: tx.execute(statement, values).rowcount)


class NeverDoubts(ForgetsRefusals):
    """Takes what only sounds like a refusal for nothing."""

    scopes = ("bakilacak",)


class Hides(SteadyStore):
    """A store whose claims don't see something; everybody else does."""

    hide = show = ""

    async def claim(self, account_id: int, lanes: Sequence[Lane], *, now: datetime, **options: Any) -> Claimed | None:
        self._line_ms(now)

        def work(tx: Tx) -> Claimed | None:
            tx.execute(self.hide)
            claimed = claiming.claim(tx, account_id, lanes, now=now, **options)
            tx.execute(self.show)
            return claimed

        return await self._writer.do(work)

    async def settle_and_claim(self, *known: Any, now: datetime, **options: Any) -> Claimed | None:
        *answer, lanes = known
        settled = await self.settle(*answer, now=now, retry_at=None)
        return await self.claim(settled.account_id, lanes, now=now, **options)


class AsksAtTheDoorAlone(Hides):
    """Lets go whatever comes back in line after a refusal."""

    hide = "UPDATE opt_out SET phone = '!' || phone WHERE ended_at IS NULL"
    show = "UPDATE opt_out SET phone = ltrim(phone, '!')"


class OvertakesWhatIsParked(Hides):
    """Asks nothing of earlier rows to the same person that their pace has parked."""

    hide = "UPDATE message SET category = category + 1000 WHERE status = 'queued' AND waits_until IS NOT NULL"
    show = "UPDATE message SET category = category % 1000"


class NeverTakesBack(SteadyStore):
    """Is deaf to who comes back."""

    async def hear(self, account_id: int, told: Sequence[Told], **options: Any) -> None:
        stays = [event for event in told if not (isinstance(event, Inbound) and event.text in STARTS)]
        await super().hear(account_id, stays, **options)


class BelievesTheLast(SteadyStore):
    """Takes the order of hearing for the order of writing."""

    async def hear(self, account_id: int, told: Sequence[Told], *, now: datetime, **options: Any) -> None:
        heard = [replace(event, at=now) if isinstance(event, Inbound) else event for event in told]
        await super().hear(account_id, heard, now=now, **options)


class TakesSilenceForConsent(SteadyStore):
    """Advertises to everybody."""

    async def accept(self, draft: Draft, **options: Any) -> Acceptance:
        if draft.category != _ADVERTISING:
            return await super().accept(draft, **options)
        accepted = await super().accept(replace(draft, category=_GENERAL), **options)
        number = 0 if accepted.standing is None else accepted.standing.id
        statement = "UPDATE message SET category = ? WHERE id = ?"
        await self._writer.do(lambda tx: tx.execute(statement, (_ADVERTISING, number)).rowcount)
        return accepted


class ServesListByList(SteadyStore):
    """Knows no turns: a list goes when the one before it is done."""

    async def claim(self, *known: Any, **options: Any) -> Claimed | None:
        return await super().claim(*known, **self._without_turns(options))

    async def settle_and_claim(self, *known: Any, **options: Any) -> Claimed | None:
        return await super().settle_and_claim(*known, **self._without_turns(options))

    def _without_turns(self, options: dict[str, Any]) -> dict[str, Any]:
        turn: Turn = options["turn"]
        return options | {"turn": replace(turn, after=None)}
