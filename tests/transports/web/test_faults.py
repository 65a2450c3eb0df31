"""What really happens to linked phones: the real engine, the test server, and trouble at every turn."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random  # noqa: TID251 -- seeded: a failure names its round
from typing import Any

import pytest
from tests.conftest import Figures
from tests.rounds import rounds
from tests.transports.web.bedside import SHORT, Bedside, Linked, until

from guvercin.core.account import LineNews
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.outcome import Accepted, Deferred, Inbound, Lost, NeverLeft, Refused, Unclear
from guvercin.core.outcome import Linked as LinkedNow
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.testing.whatsapp.linking import LinkingError
from guvercin.transports.base import LinkState
from guvercin.transports.web.errors import LINE_DOWN

pytestmark = pytest.mark.xdist_group("whatsapp")


def message_fault(act: Act, **details: Any) -> Fault:
    return Fault(at=Point.MESSAGE, act=act, **details)


def login_refused(reason: str, **attrs: str) -> Fault:
    return Fault(at=Point.LOGIN, act=Act.REFUSE, code=reason, attrs=tuple(attrs.items()), times=None)


# -- the socket


@pytest.mark.parametrize("act", [Act.CUT, Act.CUT_AFTER])
async def test_a_short_cut_is_healed_by_the_engine_and_nothing_comes_twice(
    side: Bedside, line: Linked, act: Act
) -> None:
    to = side.person()
    side.server.faults.add(message_fault(act, to=to.number))
    # A lookup first, so that the cut meets the message itself.
    assert await line.web.is_on_network(f"+{to.number}")
    outcome = await line.web.send(line.message(to))
    assert isinstance(outcome, Accepted | Lost)
    await until(lambda: len(to.inbox) == 1)
    await until(line.is_open)
    assert [one.id for one in to.inbox] == [one.id for one in line.arrivals()]
    assert LineNews.DROPPED not in [event.news for event in line.news()]


async def test_a_line_is_back_soon_after_a_cut(side: Bedside, line: Linked, figures: Figures) -> None:
    device = line.device
    assert device is not None
    before, began = device.connection, side.clock.monotonic()
    await line.cut()
    await until(lambda: device.connection not in {None, before})  # the engine may be back before anybody looks
    await until(line.is_open)
    figures(seconds=round(side.clock.monotonic() - began, 1))
    assert isinstance(await line.web.send(line.message(side.person())), Accepted)


async def test_away_for_longer_the_run_ends_and_a_later_one_goes_on(side: Bedside, line: Linked) -> None:
    side.server.is_away = True
    await line.cut()
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.DROPPED, Code.LINE_DOWN)
    await line.dial()
    assert (await line.farewell()).news is LineNews.DROPPED
    side.server.is_away = False
    await line.dial()
    await line.opened()
    assert isinstance(await line.web.send(line.message(side.person())), Accepted)


async def test_an_acknowledgement_that_never_comes_is_a_doubt_that_the_receipt_ends(
    side: Bedside, line: Linked
) -> None:
    to = side.person()
    side.server.faults.add(message_fault(Act.SILENT, to=to.number))
    message = line.message(to)
    attempt = line.attempt(message)
    assert isinstance(await line.web.send(message), Lost)
    assert await line.web.find(attempt) == Unclear()  # it is still in the air
    await line.dial()
    await line.opened()
    (arrived,) = to.inbox
    evidence = await line.web.find(attempt)
    assert isinstance(evidence, Accepted)
    assert evidence.remote_id == arrived.id


# -- what ends a session


async def test_whose_number_could_not_be_stored_is_told_again_before_anything_else(side: Bedside, line: Linked) -> None:
    """A gateway dies, or loses its database, between the link and the moment in which it has stored whose it is."""
    own = f"+{line.phone.number}"
    await line.dial()
    await line.opened()
    assert LinkedNow(phone=own) not in line.told, "it was told when it was linked"
    line.web._session.note(line.web._session.jid() or "", side.clock.now())
    await line.dial()
    await line.opened()
    assert line.told[0] == LinkedNow(phone=own)
    await line.dial()
    await line.opened()
    assert LinkedNow(phone=own) not in line.told


async def test_unlinked_on_the_phone(side: Bedside, line: Linked) -> None:
    assert line.device is not None
    await side.call(line.phone.unlink(line.device))
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.LOGGED_OUT, Code.REMOVED)
    assert not await line.web.is_linked()
    await line.dial()
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.NO_SESSION, Code.NOT_LINKED)


async def test_unlinked_in_mid_batch_a_doubt_stays_a_doubt(side: Bedside, line: Linked) -> None:
    to = side.person(receipts=())
    side.server.faults.add(message_fault(Act.REMOVED, to=to.number))
    message = line.message(to)
    attempt = line.attempt(message)
    await line.web.send(message)
    assert (await line.farewell()).code is Code.REMOVED
    # The engine has deleted its rows with the session: that a secret is absent proves nothing any more.
    assert await line.web.find(attempt) != NeverLeft()


async def test_unlinking_from_here(side: Bedside, line: Linked) -> None:
    await line.web.unlink()
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.LOGGED_OUT, Code.NOT_LINKED)
    assert not await line.web.is_linked()
    assert line.device is not None
    await until(lambda: not line.phone.devices)
    assert side.server.phones


async def test_replaced_by_another_client_it_does_not_fight(side: Bedside, line: Linked) -> None:
    assert line.device is not None
    connection = line.device.connection
    assert connection is not None
    await side.call(connection.stream_error(conflict="replaced"))
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.BLOCKED, Code.OPENED_ELSEWHERE)
    assert await line.web.is_linked()
    assert line.device.connection is None


@pytest.mark.parametrize(
    ("fault", "news", "code"),
    [
        (login_refused("403"), LineNews.BLOCKED, Code.LOCKED),
        (login_refused("406"), LineNews.BLOCKED, Code.CLOSED),
        (login_refused("405"), LineNews.BLOCKED, Code.ENGINE_OUTDATED),
        (login_refused("503"), LineNews.DROPPED, Code.LINE_DOWN),
        (login_refused("418"), LineNews.DROPPED, Code.LINE_DOWN),
        (login_refused("401"), LineNews.LOGGED_OUT, Code.REMOVED),
    ],
    ids=["locked", "closed", "outdated", "unavailable", "unknown", "logged out"],
)
async def test_a_refused_sign_in(side: Bedside, line: Linked, fault: Fault, news: LineNews, code: Code) -> None:
    side.server.faults.add(fault)
    await line.cut()
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (news, code)


@pytest.mark.parametrize(
    ("number", "code", "least"),
    [
        ("101", Code.BANNED_FOR_STRANGERS, timedelta(minutes=59)),
        ("102", Code.BANNED_FOR_BLOCKS, timedelta(minutes=59)),
        ("103", Code.BANNED_FOR_GROUPS, timedelta(minutes=59)),
        ("104", Code.BANNED_FOR_SAME_TEXT, timedelta(minutes=59)),
        ("106", Code.BANNED_FOR_BROADCAST, timedelta(minutes=59)),
        ("105", Code.TEMPORARY_BAN, timedelta(hours=23)),  # a reason that the engine can't pass on
    ],
)
async def test_a_temporary_ban_has_its_reason_and_its_end(
    side: Bedside, line: Linked, number: str, code: Code, least: timedelta
) -> None:
    side.server.faults.add(login_refused("402", code=number, expire="3600"))
    await line.cut()
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.BANNED, code)
    assert farewell.until is not None
    assert farewell.until - side.clock.now() > least
    assert await line.web.is_linked()


# -- poison


async def test_a_receipt_that_the_engine_cannot_pass_on_costs_no_later_one(
    side: Bedside, link: Callable[..., Linked]
) -> None:
    line = link(limits=replace(SHORT, grace=15.0))
    await line.pair()
    to, later = side.person(), side.person()
    side.server.faults.add(message_fault(Act.RECEIPT, code="server-error", to=to.number))
    pid = line.pid
    before = line.connection()
    await line.web.send(line.message(to))
    await line.stumbled(before)
    answer = await line.web.send(line.message(later))
    assert isinstance(answer, Accepted), answer
    await until(lambda: line.receipts(answer.remote_id) >= {"delivered", "read"})
    await side.call(to.write(line.phone, "selam"))
    await until(lambda: any(isinstance(event, Inbound) and event.text == "selam" for event in line.told))
    assert line.pid == pid, "its event delivery was begun anew in the same process"
    assert [event.news for event in line.news()] == [LineNews.CODE, LineNews.PAIRED, LineNews.OPENED]


# -- refusals


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("463", Refused, Code.NEW_CHATS_RESTRICTED),
        ("475", Refused, Code.MONTHLY_LIMIT),
        ("479", Deferred, Code.PUSHED_BACK),
        ("429", Deferred, Code.PUSHED_BACK),
        ("400", Refused, Code.WHATSAPP_REFUSED),
    ],
)
async def test_a_refused_message_never_left(
    side: Bedside, line: Linked, code: str, kind: type[Refused | Deferred], reason: Code
) -> None:
    to = side.person()
    side.server.faults.add(message_fault(Act.REFUSE, code=code, to=to.number))
    message = line.message(to)
    attempt = line.attempt(message)
    answer = await line.web.send(message)
    assert isinstance(answer, kind)
    assert answer.reason is reason
    assert await line.web.find(attempt) == NeverLeft()
    assert to.inbox == []


async def test_a_number_without_whatsapp_is_refused_and_asked_about_once(side: Bedside, line: Linked) -> None:
    nobody = side.person()
    nobody.is_registered = False
    for _ in range(2):
        answer = await line.web.send(line.message(nobody))
        assert isinstance(answer, Refused)
        assert answer.reason is Code.NOT_ON_WHATSAPP
    assert not await line.web.is_on_network(f"+{nobody.number}")
    assert line.notes.asked == [f"+{nobody.number}"]
    assert line.arrivals() == []


async def test_when_no_more_may_be_asked_a_message_to_somebody_new_waits(side: Bedside, line: Linked) -> None:
    known, new = side.person(), side.person()
    line.notes.seen[f"+{known.number}"] = True
    line.notes.wait = timedelta(hours=5)
    answer = await line.web.send(line.message(new))
    assert answer == Deferred(reason=Code.CHECKS_SPENT, pushed_back=False, retry_after=timedelta(hours=5))
    assert isinstance(await line.web.send(line.message(known)), Accepted)
    with pytest.raises(GuvercinError, match=Code.CHECKS_SPENT.value):
        await line.web.is_on_network(f"+{new.number}")
    assert new.inbox == []


async def test_a_store_that_cannot_be_read_puts_a_message_off_and_loses_nothing(side: Bedside, line: Linked) -> None:
    to = side.person()
    line.notes.trouble = GuvercinError(Code.STORE_UNAVAILABLE)
    assert await line.web.send(line.message(to)) == LINE_DOWN
    line.notes.trouble = None
    assert isinstance(await line.web.send(line.message(to)), Accepted)
    assert len(to.inbox) == 1


async def test_a_worker_that_stops_in_its_tracks_is_noticed(link: Callable[..., Linked]) -> None:
    line = link(limits=replace(SHORT, ping_every=0.3, ping=0.7))
    await line.pair()
    os.kill(line.pid, signal.SIGSTOP)
    assert (await line.farewell()).news is LineNews.DROPPED
    await line.dial()
    await line.opened()
    assert await line.web.probe()


async def test_a_passkey_gate_is_said_in_words_within_ten_seconds(side: Bedside, link: Callable[..., Linked]) -> None:
    line = link()
    side.server.faults.add(Fault(at=Point.LINKING, act=Act.PASSKEY))
    began = side.clock.monotonic()
    with pytest.raises(LinkingError, match="passkey"):
        await line.pair()
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.LOGGED_OUT, Code.PASSKEY_NEEDED)
    assert line.web.link.state is LinkState.PASSKEY
    assert side.clock.monotonic() - began < 10


async def test_nobody_scans(link: Callable[..., Linked]) -> None:
    line = link(limits=replace(SHORT, link=1.0))
    line.run = asyncio.create_task(line.web.pair(line.emit, None))
    farewell = await line.farewell()
    assert (farewell.news, farewell.code) == (LineNews.TIMED_OUT, Code.LINKING_TIMED_OUT)
    assert line.web.link.qr is None


# -- killed


async def test_a_worker_killed_in_mid_send_loses_nothing_and_doubles_nothing(
    side: Bedside, line: Linked, figures: Figures
) -> None:
    """Kill the worker at a random moment of a send; then do what the gateway does with what is found."""
    number = rounds(20, 200)
    unknown = unheard = never = settled = 0
    for round_number in range(number):
        rng = Random(round_number)
        where = f"replay with round {round_number}"
        to = side.person()
        if rng.random() < 0.5:
            side.server.faults.add(message_fault(Act.DELAY, seconds=0.05, to=to.number))
        message = line.message(to)
        attempt = line.attempt(message)
        outcome = await _killed(side, line, message, after=rng.uniform(0.0, 0.08))
        await line.dial()
        await line.opened()
        if isinstance(outcome, Lost):
            evidence = await _found(side, line, attempt, to.inbox)
            if isinstance(evidence, NeverLeft):
                never += 1
                assert to.inbox == [], where
                assert isinstance(await line.web.send(line.message(to)), Accepted), where
            elif isinstance(evidence, Accepted):
                settled += 1
                assert [one.id for one in to.inbox] == [evidence.remote_id], where
            elif to.inbox:
                # The engine said that it has both receipts, and was killed before they could be written down.
                assert not line.owed(to.inbox[0].id), where
                unheard += 1
            else:  # it was killed between the secret and the first byte: nobody can say
                unknown += 1
        elif isinstance(outcome, Deferred):
            assert to.inbox == [], where
            assert isinstance(await line.web.send(line.message(to)), Accepted), where
        else:
            assert isinstance(outcome, Accepted), where
        assert len(to.inbox) <= 1, where
    figures(rounds=number, never_left=never, settled_by_receipts=settled, unknown=unknown, unheard=unheard)


async def _killed(side: Bedside, line: Linked, message: Any, *, after: float) -> Any:
    pid = line.pid
    send = asyncio.create_task(line.web.send(message))
    await side.clock.sleep_until(side.clock.monotonic() + after)
    os.kill(pid, signal.SIGKILL)
    outcome = await send
    await line.farewell()
    return outcome


async def _found(side: Bedside, line: Linked, attempt: Any, inbox: list[Any]) -> Any:
    """Look for evidence as upkeep does. What the killed worker had written may reach the server a moment later."""
    began = side.clock.monotonic()
    evidence = await line.web.find(attempt)
    while evidence == Unclear() and side.clock.monotonic() - began < (15.0 if inbox else 1.0):
        await side.clock.sleep_until(side.clock.monotonic() + 0.1)
        evidence = await line.web.find(attempt)
    return evidence
