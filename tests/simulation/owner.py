"""What the owner of a business does all day: lines and batches go on, and doubts are decided."""

from typing import TYPE_CHECKING

from tests.gateway.house import House

from guvercin.core.account import Account
from guvercin.core.optout import OptOut, OptOutScope, OptOutSource
from guvercin.gateway.requests import BatchView

if TYPE_CHECKING:
    from tests.simulation.day import Day


async def resume_all(day: "Day") -> None:
    """Let the owner start every line again."""
    owner = day.world.tokens["everything"]
    for number in day.ledger.paces:

        async def resume(house: House, number: int = number) -> Account:
            return await house.gateway.accounts.resume(owner, number)

        await day.ask("owner", resume)


async def resume_batches(day: "Day") -> None:
    """Let the owner resume every batch that is paused."""
    owner = day.world.tokens["everything"]
    for number in day.oracle.paused_batches():

        async def resume(house: House, number: int = number) -> BatchView:
            return await house.gateway.batches.resume(owner, number)

        await day.ask("owner", resume)


async def decide_doubts(day: "Day", scope: OptOutScope | None) -> None:
    """Let the owner decide what everybody meant who may have refused."""
    owner = day.world.tokens["everything"]
    for number, phone in day.oracle.doubts():

        async def decide(house: House, number: int = number) -> OptOut:
            return await house.gateway.wishes.decide(owner, number, scope, OptOutSource.PANEL)

        day.say(f"owner decides about {phone}: {scope}")
        day.ledger.decided.add(phone)
        await day.ask("owner", decide)
