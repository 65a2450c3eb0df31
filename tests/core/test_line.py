"""The line of an account, held against the table of the design."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.account import (
    LINE_TRANSITIONS,
    QUIET_DROP,
    IllegalLineOrder,
    Line,
    LineCause,
    LineNews,
    LineOrder,
    LineState,
    follow,
)
from guvercin.core.errors import Code

NOW = datetime(2026, 2, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

# Written out once more, so that a slip in the code can't agree with itself. Orders in capitals, news in small letters.
DESIGN = """
STOPPED     ENABLE->CONNECTING
CONNECTING  opened->CONNECTED no_session->LOGGED_OUT dropped->WAITING
CONNECTING  logged_out->LOGGED_OUT banned->BANNED blocked->BLOCKED
PAIRING     code->PAIRING paired->CONNECTING timed_out->LOGGED_OUT
PAIRING     logged_out->LOGGED_OUT banned->BANNED blocked->BLOCKED
CONNECTED   dropped->WAITING sick->CONNECTED well->CONNECTED
CONNECTED   logged_out->LOGGED_OUT banned->BANNED blocked->BLOCKED
WAITING     redial->CONNECTING opened->CONNECTED
WAITING     logged_out->LOGGED_OUT banned->BANNED blocked->BLOCKED
BANNED      ban_passed->CONNECTING
BANNED      logged_out->LOGGED_OUT blocked->BLOCKED
LOGGED_OUT  PAIR->PAIRING
# a human acted
WAITING     ENABLE->CONNECTING
LOGGED_OUT  ENABLE->CONNECTING
BLOCKED     ENABLE->CONNECTING
# asked for what is so already
CONNECTING  ENABLE->CONNECTING
PAIRING     ENABLE->PAIRING
CONNECTED   ENABLE->CONNECTED
BANNED      ENABLE->BANNED
"""

CAUSES: list[LineCause] = [*LineOrder, *LineNews]


def designed() -> dict[tuple[LineState, LineCause], LineState]:
    table: dict[tuple[LineState, LineCause], LineState] = {
        (state, LineOrder.DISABLE): LineState.STOPPED for state in LineState
    }
    for line in DESIGN.strip().splitlines():
        if line.startswith("#"):
            continue
        name, *arrows = line.split()
        for arrow in arrows:
            word, target = arrow.split("->")
            cause: LineCause = LineOrder[word] if word.isupper() else LineNews[word.upper()]
            table[LineState[name], cause] = LineState[target]
    return table


def line_in(state: LineState) -> Line:
    return Line(state=state, since=NOW, code=Code.LINE_DOWN, until=NOW + timedelta(hours=1))


def after(line: Line, *steps: tuple[LineCause, timedelta]) -> Line:
    """Follow causes, each at its time after NOW."""
    for cause, later in steps:
        line = follow(line, cause, NOW + later)
    return line


def test_the_table_is_the_one_of_the_design() -> None:
    assert {(state, cause): end for state, row in LINE_TRANSITIONS.items() for cause, end in row.items()} == designed()


def test_every_state_has_an_entry() -> None:
    assert set(LINE_TRANSITIONS) == set(LineState)


@pytest.mark.parametrize(("state", "cause"), list(product(LineState, CAUSES)))
def test_follow_does_what_the_table_says_and_nothing_else(state: LineState, cause: LineCause) -> None:
    line = line_in(state)
    expected = designed().get((state, cause))
    if expected is not None:
        assert follow(line, cause, NOW + SECOND).state is expected
    elif isinstance(cause, LineNews):
        assert follow(line, cause, NOW + SECOND) is line
    else:
        with pytest.raises(IllegalLineOrder):
            follow(line, cause, NOW + SECOND)


def test_a_pairing_begins_by_order_alone() -> None:
    into = {
        (state, cause) for (state, cause), end in designed().items() if end is LineState.PAIRING and end is not state
    }
    assert into == {(LineState.LOGGED_OUT, LineOrder.PAIR)}


def test_every_state_can_be_stopped_and_only_an_order_starts_again() -> None:
    for state in LineState:
        assert follow(line_in(state), LineOrder.DISABLE, NOW).state is LineState.STOPPED
    assert set(LINE_TRANSITIONS[LineState.STOPPED]) == {LineOrder.ENABLE, LineOrder.DISABLE}


@pytest.mark.parametrize("state", [state for state in LineState if LineOrder.ENABLE in LINE_TRANSITIONS[state]])
def test_an_order_that_is_followed_already_changes_nothing(state: LineState) -> None:
    line = line_in(state)
    enabled = follow(line, LineOrder.ENABLE, NOW + SECOND)
    if enabled.state is state:
        assert enabled is line
    stopped = follow(line, LineOrder.DISABLE, NOW)
    assert follow(stopped, LineOrder.DISABLE, NOW + SECOND) is stopped


def test_enabling_a_banned_line_keeps_the_end_of_the_ban() -> None:
    until = NOW + timedelta(hours=1)
    connected = Line(state=LineState.CONNECTED, since=NOW)
    banned = follow(connected, LineNews.BANNED, NOW, code=Code.TEMPORARY_BAN, until=until)
    enabled = follow(banned, LineOrder.ENABLE, NOW + SECOND)
    assert (enabled.state, enabled.code, enabled.until) == (LineState.BANNED, Code.TEMPORARY_BAN, until)


def test_a_new_code_moves_its_end_and_not_the_beginning_of_the_pairing() -> None:
    pairing = follow(Line(state=LineState.LOGGED_OUT, since=NOW), LineOrder.PAIR, NOW + SECOND)
    until = NOW + timedelta(seconds=20)
    shown = follow(pairing, LineNews.CODE, NOW + 2 * SECOND, until=until)
    assert (shown.since, shown.until) == (NOW + SECOND, until)
    assert follow(shown, LineNews.CODE, NOW + 3 * SECOND, until=until) is shown


def test_a_change_of_state_forgets_the_reason_of_the_one_before() -> None:
    line = follow(line_in(LineState.BLOCKED), LineOrder.ENABLE, NOW + SECOND)
    assert (line.code, line.until, line.since) == (None, None, NOW + SECOND)


def test_a_short_drop_is_not_reported() -> None:
    dropped = after(
        Line(state=LineState.CONNECTING, since=NOW), (LineNews.OPENED, SECOND), (LineNews.DROPPED, 60 * SECOND)
    )
    at = NOW + 60 * SECOND
    assert dropped.state is LineState.WAITING
    assert dropped.is_connected(at)
    assert dropped.is_connected(at + QUIET_DROP - timedelta(microseconds=1))
    assert not dropped.is_connected(at + QUIET_DROP)


def test_a_line_that_never_connected_is_not_called_connected() -> None:
    waiting = after(Line(state=LineState.CONNECTING, since=NOW), (LineNews.DROPPED, SECOND))
    assert waiting.state is LineState.WAITING
    assert not waiting.is_connected(NOW + SECOND)


def test_a_redial_that_fails_does_not_begin_another_quiet_drop() -> None:
    waiting = after(
        Line(state=LineState.CONNECTED, since=NOW, connected_at=NOW),
        (LineNews.DROPPED, SECOND),
        (LineNews.REDIAL, 60 * SECOND),
        (LineNews.DROPPED, 61 * SECOND),
    )
    assert waiting.since == NOW + 61 * SECOND
    assert not waiting.is_connected(NOW + 61 * SECOND)


@given(st.lists(st.tuples(st.sampled_from(CAUSES), st.integers(0, 30))))
def test_a_line_is_called_connected_only_within_ten_seconds_of_being_so(steps: list[tuple[LineCause, int]]) -> None:
    line, now, seen = Line(state=LineState.STOPPED, since=NOW), NOW, None
    for cause, pause in steps:
        now += pause * SECOND
        if line.state is LineState.CONNECTED:
            seen = now
        try:
            line = follow(line, cause, now)
        except IllegalLineOrder:
            continue
        if line.state is LineState.CONNECTED:
            seen = now
        for later in (now, now + 9 * SECOND, now + 11 * SECOND):
            if line.state is LineState.CONNECTED:
                assert line.is_connected(later)
            elif line.is_connected(later):
                assert seen is not None
                assert later - seen < QUIET_DROP


@given(st.lists(st.sampled_from(CAUSES)))
def test_since_is_when_the_state_began(causes: list[LineCause]) -> None:
    line, now, began = Line(state=LineState.STOPPED, since=NOW), NOW, NOW
    for cause in causes:
        now += SECOND
        before = line
        try:
            line = follow(line, cause, now)
        except IllegalLineOrder:
            continue
        if line.state is not before.state:
            began = now
        assert line.since == began
