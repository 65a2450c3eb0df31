"""What people do on a day who send messages: tills, shops, offices, whoever looks after bulk sends, and the owner."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random  # noqa: TID251 -- the chance that a test hands in
from typing import Any

from tests.gateway.house import House, seconds
from tests.simulation.day import LENGTH, Day, Happening
from tests.simulation.hours import Hours
from tests.simulation.ledger import Wish
from tests.simulation.owner import resume_all

from guvercin.core.account import OnUnknown
from guvercin.gateway.requests import AccountChange, Ask, AskBatch, AskRecipient, BatchView, IdempotencyKey, Sent

PHONES = ("+905321234567", "+905321234568", "+905321234569", "+905321234570")
CUSTOMERS = (*PHONES, *(f"+90532555{number:04}" for number in range(20)), "x")
"""Whom a list may be of: a few of them are written to all day."""

REFERENCES = (None, "FTR-1", "FTR-2")
CALLERS: dict[str, dict[str, Any]] = {
    "till": {"per_minute": 6},
    "web shop": {"guards_retries": False},
    "branch": {"account_ids": frozenset({1}), "per_day": 3},
}


def tell(day: Day, who: str, sent: Any, wish: Wish) -> bool:
    """Let a caller write down what it was told; answers whether it was told anything good."""
    if isinstance(sent, Sent):
        standing = sent.standing
        day.say(f"{who} is told {standing.id} {standing.status}")
        day.ledger.log_ids.setdefault(wish.text, []).append(standing.id)
        day.oracle.hear(f"{who} {wish.text}", standing.id, standing.status.value, standing.remote_id)
        return True
    if isinstance(sent, BatchView):
        counts = sent.counts
        day.say(f"{who} is told batch {sent.batch.id} {counts.sent} {counts.failed} {counts.queued}")
        day.ledger.batch_ids.setdefault(wish.text, set()).add(sent.batch.id)
        day.oracle.hear_batch(sent, len(wish.phones))
        return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a message or list is to be, where it is not anything to anybody. `account_id` null: any."""

    category: int
    phones: tuple[str, ...] = PHONES
    account_id: int | None = None


def _phones(rng: Random, aim: Aim | None, *, is_batch: bool) -> tuple[str, ...]:
    if aim is not None:
        return tuple(rng.sample(aim.phones, k=len(aim.phones)))
    return tuple(rng.choices(CUSTOMERS, k=rng.choice([1, 2, 3, 8, 20]))) if is_batch else (rng.choice(PHONES),)


def _account_id(day: Day, rng: Random, aim: Aim | None) -> int | None:
    if aim is not None and aim.account_id is not None:
        return aim.account_id
    return rng.choice([None, None, *day.ledger.paces, *([9] if rng.random() < 0.1 else [])])


async def wish(day: Day, *, rng: Random, who: str, is_batch: bool, is_planned: bool, aim: Aim | None = None) -> None:
    """Ask for one message or batch as an integrator does: again and again until there is an answer."""
    rules = {} if who == "owner" else CALLERS[who]
    token = day.world.tokens["everything"] if who == "owner" else await day.token(who, **rules)
    if token is None:
        return
    if (per_minute := token.rules.per_minute) is not None:
        day.ledger.minute_limits[token.id] = per_minute
    if (per_day := token.rules.per_day) is not None:
        day.ledger.day_limits[token.id] = per_day
    text = f"Merhaba {len(day.ledger.wishes)}"
    phones = _phones(rng, aim, is_batch=is_batch)
    planned_at = day.clock.now() + seconds(rng.choice([-60, 0, 1, 20, 3600, 20_000])) if is_planned else None
    wanted = Wish(
        text=text,
        phones=phones,
        account_id=_account_id(day, rng, aim),
        planned_at=planned_at,
        lifetime=rng.choice([None, None, None, timedelta(minutes=1), timedelta(hours=1), timedelta(days=2)]),
        has_key=rng.random() < 0.4,
        is_guarded=token.rules.guards_retries,
        is_batch=is_batch,
    )
    day.ledger.wishes[text] = wanted
    wait = seconds(rng.choice([0, 0, 1, 10, 25]))
    patience = rng.choice([3, 3, 60])
    category = rng.choice([1, 3, 5, 9, 10, 10, 10, 77]) if aim is None else aim.category
    is_of_customers = rng.random() < 0.5
    reference = rng.choice(REFERENCES)
    key = None
    if wanted.has_key:
        key = IdempotencyKey(method="POST", path=f"/{is_batch}", key=text, body_hash=text.encode())

    async def verb(house: House) -> Sent | BatchView:
        if house.gateway.spend(token) is not None:
            day.ledger.spent.setdefault((day.lives, token.id), []).append(day.clock.monotonic())
        if is_batch:
            ask_batch = AskBatch(
                recipients=[AskRecipient(phone=phone) for phone in phones],
                text=text,
                body_hash=text.encode(),
                category=category,
                account_id=wanted.account_id,
                reference=reference,
                planned_at=planned_at,
                lifetime=wanted.lifetime,
                is_of_customers=is_of_customers,
            )
            return await house.gateway.bulk.send(token, ask_batch, wait=wait, key=key)
        ask = Ask(
            phone=phones[0],
            text=text,
            category=category,
            account_id=wanted.account_id,
            reference=reference,
            planned_at=planned_at,
            lifetime=wanted.lifetime,
        )
        return await house.gateway.singles.send(token, ask, wait=wait, key=key)

    for _ in range(4):
        told = await day.ask(who, verb, patience=patience)
        is_content = tell(day, who, told, wanted)
        if is_content and rng.random() < 0.9:
            return
        await day.clock.elapse(seconds(rng.choice([0.1, 3, 20])))


def singles(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Tills and shops that send one message at a time."""
    for at in hours.draw(rng, 8, 20):
        who, own = rng.choice(["owner", "owner", *CALLERS]), Random(rng.random())
        yield Happening(at, "", partial(wish, rng=own, who=who, is_batch=False, is_planned=False))


def lists(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Bulk requests."""
    for at in hours.draw(rng, 1, 5):
        who, own, is_planned = rng.choice(["owner", *CALLERS]), Random(rng.random()), rng.random() < 0.2
        yield Happening(at, "", partial(wish, rng=own, who=who, is_batch=True, is_planned=is_planned))


def reminders(rng: Random, hours: Hours) -> Iterator[Happening]:
    """The same list again and again, to the same few people."""
    category = rng.choice([5, 9, 10, 10])
    for at in hours.draw(rng, 2, 6):
        own = Random(rng.random())
        again = partial(wish, rng=own, who="owner", is_batch=True, is_planned=False, aim=Aim(category=category))
        yield Happening(at, "", again)


def appointments(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Messages for later."""
    for at in hours.draw(rng, 2, 6):
        yield Happening(at, "", partial(wish, rng=Random(rng.random()), who="owner", is_batch=False, is_planned=True))


async def meddle(day: Day, *, what: str, place: float) -> None:
    """Cancel, send again or release a message that may be any."""
    owner = day.world.tokens["everything"]
    number = 1 + int(place * day.oracle.messages())
    verbs: dict[str, Callable[[House], Any]] = {
        "cancels": lambda house: house.gateway.messages.cancel(owner, number),
        "sends again": lambda house: house.gateway.singles.resend(owner, number, wait=seconds(0)),
        "releases": lambda house: house.gateway.messages.release(owner, number),
    }
    told = await day.ask("owner", verbs[what])
    if isinstance(told, Sent):
        standing = told.standing
        day.say(f"owner {what} {number}: {standing.id} {standing.status}")
        day.oracle.hear(f"{what} {len(day.journal)}", standing.id, standing.status.value, standing.remote_id)


async def cancel_reference(day: Day) -> None:
    """Withdraw whatever still waits of an invoice."""
    owner = day.world.tokens["everything"]
    await day.ask("owner", lambda house: house.gateway.messages.cancel_reference(owner, "FTR-1"))


def regrets(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Cancelling and sending again, by ids that may be anything."""
    for at in hours.draw(rng, 2, 9):
        what, place = rng.choice(["cancels", "cancels", "sends again", "releases"]), rng.random() ** 0.3
        yield Happening(at, "", partial(meddle, what=what, place=place))
    for at in hours.draw(rng, 0, 2):
        yield Happening(at, "somebody cancels FTR-1", cancel_reference)


async def look(day: Day, *, place: float) -> None:
    """Look how a message and a batch are doing."""
    owner = day.world.tokens["everything"]
    number = 1 + int(place * day.oracle.messages())
    told = await day.ask("reader", lambda house: house.gateway.messages.one(owner, number))
    if isinstance(told, tuple):
        day.oracle.hear("reader", number, told[0].status.value, told[0].remote_id)
    batches = sorted(number for numbers in day.ledger.batch_ids.values() for number in numbers)
    if batches:
        batch_id = batches[int(place * len(batches))]
        view = await day.ask("reader", lambda house: house.gateway.batches.one(owner, batch_id))
        if isinstance(view, BatchView):
            day.oracle.hear_batch(view, None)


def questions(rng: Random, hours: Hours) -> Iterator[Happening]:
    """People who look how a message or a batch is doing."""
    for at in hours.draw(rng, 3, 10):
        yield Happening(at, "", partial(look, place=rng.random()))


async def steer(day: Day, *, what: str, place: float) -> None:
    """Pause, resume or cancel a batch that may be any."""
    owner = day.world.tokens["everything"]
    batches = sorted(number for numbers in day.ledger.batch_ids.values() for number in numbers)
    if not batches:
        return
    number = batches[int(place * len(batches))]
    verbs: dict[str, Callable[[House], Any]] = {
        "pauses": lambda house: house.gateway.batches.pause(owner, number),
        "resumes": lambda house: house.gateway.batches.resume(owner, number),
        "cancels": lambda house: house.gateway.batches.cancel(owner, number),
    }
    view = await day.ask("owner", verbs[what])
    if isinstance(view, BatchView):
        day.say(f"owner {what} batch {number}: {view.counts.queued} left")
        day.oracle.hear_batch(view, None)


def stewards(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Batches that are paused, resumed and cancelled, often right on top of each other."""
    for at in hours.draw(rng, 2, 8):
        what, place = rng.choice(["pauses", "pauses", "resumes", "cancels"]), rng.random() ** 0.5
        yield Happening(at, "", partial(steer, what=what, place=place))
        if what == "pauses" and rng.random() < 0.7:
            later = min(LENGTH, at + rng.choice([0, 0.1, 5, 600]))
            yield Happening(later, "", partial(steer, what="resumes", place=place))


async def order(day: Day, *, what: str, place: int, on_unknown: OnUnknown) -> None:
    """Let the owner decide about an account."""
    owner = day.world.tokens["everything"]
    number = 1 + place % len(day.ledger.paces)
    change = AccountChange(on_unknown=on_unknown)
    verbs: dict[str, Callable[[House], Any]] = {
        "pauses": lambda house: house.gateway.accounts.pause(owner, number),
        "resumes": lambda house: house.gateway.accounts.resume(owner, number),
        "makes default": lambda house: house.gateway.accounts.make_default(owner, number),
        "changes": lambda house: house.gateway.accounts.change(owner, number, change),
    }
    day.say(f"owner {what} {number}")
    await day.ask("owner", verbs[what])


def owners(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Pausing, resuming, and another mind about what is in doubt."""
    for at in hours.draw(rng, 2, 5):
        what, place = rng.choice(["pauses", "resumes", "makes default", "changes"]), rng.randrange(6)
        mind = rng.choice(list(OnUnknown))
        yield Happening(at, "", partial(order, what=what, place=place, on_unknown=mind))
        if what == "pauses":
            later = min(LENGTH, at + rng.choice([0.1, 5, 600]))
            yield Happening(later, "", partial(order, what="resumes", place=place, on_unknown=mind))


def neighbours(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Somebody who links a line again that no loop may link by itself."""
    for at in (*hours.draw(rng, 3, 3), *(rng.uniform(0, LENGTH) for _ in range(4))):
        yield Happening(at, "", resume_all)
