"""What the customers of a day want, and write: refusals, second thoughts, and consents."""

import asyncio
from collections.abc import Iterator
from functools import partial
from random import Random  # noqa: TID251 -- the chance that a test hands in
from typing import Any

from tests.gateway.house import House, seconds
from tests.simulation.day import LENGTH, Day, Happening
from tests.simulation.hours import Hours
from tests.simulation.ledger import Said
from tests.simulation.owner import decide_doubts
from tests.simulation.people import CUSTOMERS, PHONES, Aim, wish
from tests.simulation.will_oracle import STARTS, STOPS

from guvercin.core.consent import ConsentSource
from guvercin.core.optout import OptOutScope, OptOutSource
from guvercin.core.outcome import Inbound
from guvercin.gateway.requests import AskConsent, AskOptOut

_OTHERS = ("yanlış numara", "lütfen bir daha yazmayın", "artık mesaj atmayın", "beni listeden çıkarın", "Teşekkürler")
_WORDS = (*STOPS, *STARTS, *STARTS, *_OTHERS)


def write(day: Day, *, rng: Random, place: int) -> None:
    """Let a customer write to us: heard at once or late, once or twice, and not always in the order of writing."""
    number = 1 + place % len(day.ledger.paces)
    phone, late = rng.choice(PHONES[:3]), rng.choice([0, 0, 0, 2, 60, 4_000])
    told = _say(day, number, phone, rng.choice(_WORDS), late=late)
    if rng.random() < 0.3:
        asyncio.get_running_loop().call_later(rng.choice([0.1, 30, 5_000]), day.phones[number].tell, told)


def waver(day: Day, *, rng: Random, place: int) -> None:
    """Let a customer refuse and come back, or the other way about, and have both heard in either order."""
    number, phone = 1 + place % len(day.ledger.paces), rng.choice(PHONES[:3])
    words = [(rng.choice(STOPS), 20), (rng.choice(STARTS), rng.choice([10, 30]))]
    rng.shuffle(words)
    for text, late in words:
        _say(day, number, phone, text, late=late)


def _say(day: Day, number: int, phone: str, text: str, *, late: float) -> Inbound:
    at = day.clock.now() - seconds(late) + seconds(len(day.journal) % 997 / 1000)
    day.say(f"{phone} has written {text!r} to {number} {late} s ago")
    told = Inbound(remote_id=f"IN-{len(day.journal)}", sender=phone, text=text, at=at)
    said = Said(
        account_id=number, phone=phone, text=text, at=at, told_at=day.clock.monotonic() + len(day.journal) / 1e6
    )
    day.ledger.said.append(said)
    day.phones[number].tell(told)
    return told


def _of_rules(day: Day, place: int) -> int:
    """Answer an account that keeps rules, if there is one."""
    numbers: list[int] = [*(day.ledger.limits or day.ledger.paces)]
    return numbers[place % len(numbers)]


async def address(day: Day, *, rng: Random, place: int, phone: str) -> None:
    """Let somebody write to one person."""
    aim = Aim(category=10, phones=(phone,), account_id=_of_rules(day, place))
    await wish(day, rng=rng, who="owner", is_batch=False, is_planned=False, aim=aim)


def thank(day: Day, *, place: int, phone: str) -> None:
    """Let somebody write back."""
    _say(day, _of_rules(day, place), phone, "Teşekkürler", late=0)


def meetings(rng: Random, at: float) -> Iterator[Happening]:
    """Two strangers are written to; the second writes back before its turn, and is written to again at once.

    Where there are rules, strangers wait for each other, and who has written is none any more.
    """
    (first, second), place = rng.sample(CUSTOMERS[len(PHONES) : -1], k=2), rng.randrange(6)
    for late, phone in ((0, first), (0.2, second), (3, second)):
        whoever = partial(address, rng=Random(rng.random()), place=place, phone=phone)
        yield Happening(min(LENGTH, at + late), "", whoever)
    yield Happening(min(LENGTH, at + 2), "", partial(thank, place=place, phone=second))


async def decide(day: Day, *, rng: Random) -> None:
    """Let the owner write down what people want, or decide what they meant."""
    owner, phone, wishes = day.world.tokens["everything"], rng.choice(PHONES), rng.random()
    account_id = rng.choice([None, *day.ledger.paces])
    if wishes < 0.4:
        ask = AskOptOut(phone=phone, scope=rng.choice(list(OptOutScope)), account_id=account_id)
        day.say(f"owner keeps {ask}")
        day.ledger.decided.add(phone)
        await day.ask("owner", lambda house: house.gateway.wishes.refuse(owner, ask))
    elif wishes < 0.6:
        day.say(f"owner allows {phone} in {account_id}")
        day.ledger.decided.add(phone)
        allow = partial(_allow, owner=owner, phone=phone, account_id=account_id)
        await day.ask("owner", allow)
    elif wishes < 0.8:
        await decide_doubts(day, rng.choice([None, OptOutScope.EVERYTHING, OptOutScope.COMMERCIAL]))
    else:
        ask_consent = AskConsent(phone=phone, source=ConsentSource.WEB, given_at=day.clock.now() - seconds(60))
        day.say(f"owner keeps the consent of {phone}")
        await day.ask("owner", lambda house: house.gateway.wishes.consent(owner, ask_consent))


async def _allow(house: House, *, owner: Any, phone: str, account_id: int | None) -> int:
    return await house.gateway.wishes.allow(owner, phone, account_id=account_id, scope=None, by=OptOutSource.API)


def customers(rng: Random, hours: Hours) -> Iterator[Happening]:
    """People who refuse, come back, and mean something else."""
    for at in hours.draw(rng, 2, 8):
        what = write if rng.random() < 0.7 else waver
        yield Happening(at, "", partial(what, rng=Random(rng.random()), place=rng.randrange(6)))
    for at in hours.draw(rng, 1, 3):
        yield from meetings(rng, at)


def desks(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Whoever keeps the list of refusals and consents."""
    for at in hours.draw(rng, 1, 5):
        yield Happening(at, "", partial(decide, rng=Random(rng.random())))
