"""The plan of a day: small generators of what people do (people.py), what their customers want (wills.py), what
WhatsApp does, and what becomes of the machine.

Each day plays a handful of them, drawn by its seed: days that leave something out go deeper into the rest. A generator
for something new joins GENERATORS, and what it promises joins the oracle.
"""

from collections.abc import Iterator
from functools import partial
from random import Random  # noqa: TID251 -- the chance that a test hands in

from tests.simulation.day import LENGTH, Day, Happening
from tests.simulation.hours import Hours, Plan
from tests.simulation.people import (
    appointments,
    lists,
    neighbours,
    owners,
    questions,
    regrets,
    reminders,
    singles,
    stewards,
)
from tests.simulation.whatsapp import ARMS, Phone
from tests.simulation.wills import customers, desks

from guvercin.core.account import LineNews
from guvercin.core.outcome import LineEvent, Unclear
from guvercin.testing.transport import DROPPED

# -- WhatsApp


def _phone(day: Day, place: int) -> Phone:
    return day.phones[1 + place % len(day.ledger.paces)]


def hang_up(day: Day, *, rng: Random, place: int) -> None:
    """Let a line end, one way or another."""
    phone = _phone(day, place)
    farewell = rng.choice(phone.farewells())
    phone.say(f"hangs up: {farewell}")
    phone.hang_up(farewell)


def be_engaged(day: Day, *, rng: Random, place: int) -> None:
    """Let the next dials fail."""
    phone = _phone(day, place)
    no_session = LineEvent(news=LineNews.NO_SESSION)
    phone.dials.extend(rng.choices([DROPPED, OSError("no route"), no_session, phone.ban()], k=2))


def lines(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Lines that drop, are banned, logged out or blocked, and dials that fail."""
    for at in hours.draw(rng, 2, 6):
        yield Happening(at, "", partial(hang_up, rng=rng, place=rng.randrange(6)))
    for at in hours.draw(rng, 0, 3):
        yield Happening(at, "", partial(be_engaged, rng=rng, place=rng.randrange(6)))


def change_evidence(day: Day, *, rng: Random, place: int) -> None:
    """Let looks for evidence find something else from now on."""
    _phone(day, place).evidence = rng.choice([None, None, Unclear(), OSError("sick")])


def evidence(rng: Random, hours: Hours) -> Iterator[Happening]:
    """What a look for evidence finds: the truth, nothing, or trouble."""
    for at in hours.draw(rng, 2, 6):
        yield Happening(at, "", partial(change_evidence, rng=rng, place=rng.randrange(6)))


def gossip(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Receipts late, twice, in the wrong order, or for nothing that anybody knows."""
    for at in hours.draw(rng, 3, 10):
        place = rng.randrange(6)
        yield Happening(at, "", lambda day, place=place: _phone(day, place).gossip())  # type: ignore[misc]


# -- the machine


def trap(day: Day, *, commits: int) -> None:
    """Let the process die right after a commit."""
    if day.house is not None:
        day.house.store.writer.dies_in = commits


def crashes(rng: Random, hours: Hours) -> Iterator[Happening]:
    """kill -9, at any turn of the loop, or right after a commit that nobody hears of any more."""
    for at in hours.draw(rng, 1, 3):
        turns = rng.randrange(30)
        yield Happening(at, "", lambda day, turns=turns: day.kill_after(turns))  # type: ignore[misc]
    for at in hours.draw(rng, 0, 3):
        yield Happening(at, "a trap", partial(trap, commits=rng.randrange(1, 12)))


def tell_to_stop(day: Day) -> None:
    """Let the process be told to stop."""
    day.wants_stop = True


def stops(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Stops with good manners."""
    for at in hours.draw(rng, 1, 2):
        yield Happening(at, "", tell_to_stop)


def trouble_disk(day: Day, *, what: str) -> None:
    """Let the disk be in trouble until `heal`."""
    if day.house is None or day.is_killed:
        return
    store = day.house.store
    day.is_troubled = True
    match what:
        case "full":
            store.writer.fill_disk()
        case "away":
            store.writer.refuses = True
        case "unreadable":
            store.is_unreadable = True
        case _:
            store.writer.hold()


def disks(rng: Random, hours: Hours) -> Iterator[Happening]:
    """A disk that is full, away, unreadable or slow for a while."""
    for at in hours.draw(rng, 1, 4):
        what = rng.choice(["full", "full", "away", "unreadable", "slow"])
        long = rng.choice([0.2, 3, 8] if what == "slow" else [0.2, 8, 100, 3600])
        yield Happening(at, f"the disk is {what}", partial(trouble_disk, what=what))
        yield Happening(min(LENGTH, at + long), "the disk is well", lambda day: day.heal())


def clocks(rng: Random, hours: Hours) -> Iterator[Happening]:
    """A wall clock that is set."""
    for at in hours.draw(rng, 1, 3):
        by = rng.choice([-7200, -3600, -30, -1, 1, 30, 3600, 7200])
        yield Happening(at, f"the wall clock is set by {by} s", lambda day, by=by: day.jump(by))  # type: ignore[misc]


def deafen(day: Day) -> None:
    """Take the bells away: polling alone must do."""
    if day.house is not None:
        day.house.store.writer._listeners.clear()


def deafness(rng: Random, hours: Hours) -> Iterator[Happening]:
    """Bells that nobody hears."""
    for at in hours.draw(rng, 1, 2):
        yield Happening(at, "the bells fall silent", deafen)


ALWAYS: tuple[Plan, ...] = (singles, questions, neighbours)
GENERATORS: tuple[Plan, ...] = (
    lists,
    reminders,
    stewards,
    appointments,
    regrets,
    owners,
    lines,
    evidence,
    gossip,
    customers,
    desks,
    crashes,
    stops,
    disks,
    clocks,
    deafness,
)


def draw(day: Day) -> list[Happening]:
    """Draw the plan of a day by its seed."""
    rng = day.rng
    day.arms_off = {arm for arm in ARMS if arm != "takes" and rng.random() < 0.4}
    hours = Hours(rng)
    plans = [*ALWAYS, *(plan for plan in GENERATORS if rng.random() < 0.6)]
    return [happening for plan in plans for happening in plan(Random(f"{day.seed} {plan.__name__}"), hours)]
