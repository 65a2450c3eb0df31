"""What rules promise: no window is fuller than its limit, no gap shorter than it, and quiet hours are quiet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import pairwise
from random import Random  # noqa: TID251 -- the chance that a test hands in
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rounds import rounds

from guvercin.core.course import Ask, Closed, Course, Go, Park, Wait
from guvercin.core.hours import night_hours, quiet_hours
from guvercin.core.message import Courtesy, Lane, Track, WaitsFor
from guvercin.core.pacing import GROUPS, Pace, Rules, limits_of, warm_up_of
from guvercin.core.presets import PRESETS, Preset, name_of

ISTANBUL = ZoneInfo("Europe/Istanbul")
MONDAY = int(datetime(2026, 2, 23, 10, tzinfo=ISTANBUL).timestamp() * 1_000)
CROWD = 300
"""Rows that wait at a time."""
HOUR = 3_600_000
DAY = 24 * HOUR
WARM = 20

BULK = Ask(lane=Lane.BULK, track=Track.EXISTING, turn=1)
SINGLE = Ask(lane=Lane.SINGLE, track=Track.SINGLE)


def course(pace: Pace = PRESETS[Preset.NORMAL], *, warm_days: int = WARM, **changes: object) -> Course:
    rules = pace.rules
    assert rules is not None
    kept = replace(rules, **changes)  # type: ignore[arg-type]
    zone = ZoneInfo("Europe/Istanbul")
    hours = {Courtesy.QUIET: quiet_hours(zone), Courtesy.NIGHT: night_hours(zone)}
    return Course(pace=replace(pace, rules=kept), rules=kept, hours=hours, warm_days=warm_days)


def run(one: Course, asks: Sequence[Ask], *, seed: int = 0, start: int = MONDAY) -> list[tuple[int, Ask]]:
    """Send everything as a dispatcher would; answers when each left."""
    rng, now, sent = Random(seed), start, []
    coming = list(enumerate(asks))[::-1]
    line: list[tuple[int, Ask]] = []
    parked: list[tuple[int, int, Ask]] = []
    while coming or line or parked:
        while parked and parked[0][0] <= now:
            _, place, ask = heappop(parked)
            heappush(line, (place, replace(ask, is_back=True)))
        while coming and len(line) + len(parked) < CROWD:
            heappush(line, coming.pop())
        wakes = [parked[0][0]] if parked else []
        while line:
            place, ask = line[0]
            verdict = one.judge(ask, now)
            if isinstance(verdict, Wait):
                wakes.append(verdict.until)
                break
            heappop(line)
            if isinstance(verdict, Park):
                assert verdict.until > now
                one.plan(ask, verdict)
                heappush(parked, (verdict.until, place, ask))
                continue
            one.spend(ask, now, rng.random())
            sent.append((now, ask))
        if not line and coming and len(parked) < CROWD:
            continue
        now = min([*wakes, *([parked[0][0]] if parked else [])], default=now)
    return sent


def windows_hold(one: Course, sent: Sequence[tuple[int, Ask]]) -> None:
    """Slide every window over every send."""
    for track in Track:
        for limit in limits_of(one.rules, one.warm_days)[track]:
            moments = [at for at, ask in sent if limit.group in GROUPS[ask.track]]
            for place, at in enumerate(moments[limit.most :]):
                assert at - moments[place] >= limit.window, (limit, place)


TRACKS = st.sampled_from([BULK, replace(BULK, track=Track.KNOWN), replace(BULK, track=Track.NEW), SINGLE])


@settings(max_examples=rounds(10, 200), deadline=None)
@given(st.lists(TRACKS, min_size=50, max_size=400), st.integers(0, 99), st.sampled_from([0, 2, 5, 10, WARM]))
def test_no_window_is_ever_fuller_than_its_limit(asks: list[Ask], seed: int, warm_days: int) -> None:
    one = course(warm_days=warm_days)
    sent = run(one, asks, seed=seed)
    assert len(sent) == len(asks), "everything leaves in the end"
    windows_hold(one, sent)


def test_twenty_thousand_sends_keep_every_window() -> None:
    rng = Random(7)
    tracks = [BULK, replace(BULK, track=Track.KNOWN), SINGLE]
    asks = [rng.choice(tracks) for _ in range(20_000)]
    one = course(PRESETS[Preset.FAST])
    sent = run(one, asks)
    assert len(sent) == 20_000
    windows_hold(one, sent)


@settings(max_examples=rounds(20, 300), deadline=None)
@given(st.lists(TRACKS, min_size=2, max_size=60), st.integers(0, 99))
def test_no_gap_is_shorter_or_longer_than_its_pace(asks: list[Ask], seed: int) -> None:
    one = course(hourly=None, daily=None, monthly_new=None, breather_after=None, warms_up=False)
    sent = run(one, asks, seed=seed)
    for (before, _), (at, ask) in pairwise(sent):
        gap = one.gap_of(ask)
        assert at - before >= gap.least // timedelta(milliseconds=1)
    new = [at for at, ask in sent if ask.track is Track.NEW]
    assert all(later - earlier >= 45_000 for earlier, later in pairwise(new))


def test_a_row_in_line_waits_for_no_more_than_its_gap() -> None:
    one = course(hourly=None, daily=None, breather_after=None)
    sent = run(one, [BULK] * 500, seed=3)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]
    assert min(gaps) >= 12_000
    assert max(gaps) <= 25_000
    assert max(gaps) - min(gaps) > 10_000, "drawn, not fixed"


def test_every_twenty_five_bulk_messages_are_followed_by_a_pause() -> None:
    one = course(hourly=None, daily=None)
    sent = run(one, [BULK] * 100)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]
    assert [place + 1 for place, gap in enumerate(gaps) if gap >= 60_000] == [25, 50, 75]
    assert max(gaps) <= 180_000


@given(st.integers(0, 10 * DAY), st.integers(0, 60))
def test_nothing_leaves_in_quiet_hours(start: int, seed: int) -> None:
    one = course(hourly=None, daily=None)
    hours = quiet_hours(ISTANBUL)
    for at, _ in run(one, [replace(BULK, courtesy=Courtesy.QUIET)] * 60, seed=seed, start=MONDAY + start):
        assert hours.is_open(datetime.fromtimestamp(at / 1_000, UTC))


def test_the_first_rows_of_a_batch_leave_like_singles() -> None:
    one = course()
    sent = run(one, [replace(BULK, is_head=True)] * 5 + [BULK] * 3)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]
    assert all(3_000 <= gap <= 6_000 for gap in gaps[:4])
    assert all(gap >= 12_000 for gap in gaps[4:])


def test_only_twenty_rows_an_hour_start_ahead() -> None:
    one = course()
    sent = run(one, [replace(BULK, is_head=True)] * 30)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]
    assert sum(gap <= 6_000 for gap in gaps) <= 20


def test_bulk_leaves_room_for_singles() -> None:
    one = course(keeps_quiet=False)
    run(one, [replace(BULK, track=Track.KNOWN)] * 300)
    last = one.last_at
    assert last is not None
    ahead = one.fork()
    verdicts = []
    now = last
    for _ in range(10):
        now += 6_000
        verdicts.append(type(ahead.judge(SINGLE, now)))
        ahead.spend(SINGLE, now, 0.5)
    assert verdicts == [Go] * 10


def test_a_single_never_looks_at_what_bulk_has_planned() -> None:
    one = course()
    for _ in range(80):
        one.spend(BULK, MONDAY, 0.0)
    for _ in range(400):
        parked = one.judge(BULK, MONDAY)
        assert isinstance(parked, Park)
        one.plan(BULK, parked)
    assert isinstance(one.judge(SINGLE, MONDAY + 6_000), Go)


def test_plans_come_in_order_and_keep_the_limits_too() -> None:
    one = course()
    for place in range(80):
        one.spend(BULK, MONDAY + place * 20_000, 0.0)
    now, plans = MONDAY + 80 * 20_000, []
    for _ in range(600):
        parked = one.first_moment(BULK, now)
        one.plan(BULK, parked)
        plans.append(parked.until)
    assert plans == sorted(plans)
    moments = [MONDAY + place * 20_000 for place in range(80)] + plans
    assert all(later - earlier >= HOUR for earlier, later in zip(moments, moments[80:], strict=False))
    assert all(later - earlier >= DAY for earlier, later in zip(moments, moments[300:], strict=False))


def test_the_reason_is_the_one_that_stands_first() -> None:
    one = course()
    for place in range(80):
        one.spend(BULK, MONDAY + place * 1_000, 0.0)
    now = MONDAY + 100_000
    assert one.first_moment(BULK, now).word is WaitsFor.HOURLY
    night = MONDAY + 11 * HOUR
    assert one.first_moment(replace(BULK, courtesy=Courtesy.QUIET), night).word is WaitsFor.QUIET_HOURS
    cold = course(warm_days=0)
    for place in range(15):
        cold.spend(BULK, MONDAY + place * 1_000, 0.0)
    assert cold.first_moment(BULK, now).word is WaitsFor.WARM_UP


def test_a_closed_lane_stops_new_people_and_nobody_else() -> None:
    one = course()
    one.closed = Closed(new_until=MONDAY + 6 * DAY)
    assert one.judge(replace(BULK, track=Track.NEW), MONDAY) == Park(WaitsFor.NEW_CLOSED, MONDAY + 6 * DAY)
    assert isinstance(one.judge(BULK, MONDAY), Go)
    assert isinstance(one.judge(SINGLE, MONDAY), Go)


def test_a_day_after_a_ban_everything_is_four_times_slower() -> None:
    one = course()
    one.closed = Closed(slowed_until=MONDAY + DAY)
    one.spend(SINGLE, MONDAY, 0.0)
    assert one.judge(SINGLE, MONDAY + 11_999) == Wait(MONDAY + 12_000)
    for place in range(1, 37):
        one.spend(SINGLE, MONDAY + place * 20_000, 0.0)
    assert one.first_moment(SINGLE, MONDAY + 40 * 20_000).word is WaitsFor.HOURLY
    one.closed = Closed()
    assert isinstance(one.judge(SINGLE, MONDAY + 40 * 20_000), Go)


@pytest.mark.parametrize(
    ("unanswered", "until"),
    [
        ((-HOUR, -HOUR // 2), 0),
        ((-23 * HOUR, -HOUR, -HOUR // 2), HOUR),
        ((-25 * HOUR, -HOUR, -HOUR // 2), 0),
        (tuple(-day * DAY for day in (29, 20, 15, 10, 5, 2)), DAY),
        (tuple(-day * DAY for day in (31, 20, 15, 10, 5, 2)), 0),
    ],
)
def test_nobody_is_written_to_again_and_again(unanswered: tuple[int, ...], until: int) -> None:
    ask = replace(BULK, unanswered=[MONDAY + at for at in unanswered], last_at=MONDAY + unanswered[-1])
    parked = course().first_moment(ask, MONDAY)
    assert parked.until == MONDAY + until
    if until:
        assert parked.word is WaitsFor.RECIPIENT


def test_one_person_gets_two_messages_six_seconds_apart() -> None:
    ask = replace(SINGLE, last_at=MONDAY - 2_000, unanswered=[MONDAY - 2_000])
    assert course().first_moment(ask, MONDAY) == Park(WaitsFor.RECIPIENT, MONDAY + 4_000)


def test_asking_changes_nothing() -> None:
    one = course()
    run(one, [BULK] * 200)
    now = (one.last_at or 0) + 1
    assert one.judge(BULK, now) == one.judge(BULK, now)
    fork = one.fork()
    fork.plan(BULK, Park(WaitsFor.DAILY, now + DAY))
    fork.spend(BULK, now + DAY, 0.5)
    assert one.judge(BULK, now) == one.judge(BULK, now)
    assert one.ahead.moments != fork.ahead.moments
    assert len(one.sent["all"]) != len(fork.sent["all"]) or one.sent["all"][-1] != fork.sent["all"][-1]


@pytest.mark.parametrize(("warm_days", "most"), [(0, 15), (1, 15), (2, 40), (4, 40), (5, 100), (10, 200), (19, 200)])
def test_a_line_warms_up(warm_days: int, most: int) -> None:
    caps = warm_up_of(Rules(), warm_days)
    assert caps is not None
    assert caps.existing == most
    assert warm_up_of(Rules(), WARM) is None
    assert warm_up_of(replace(Rules(), warms_up=False), 0) is None


def test_a_pace_knows_its_name() -> None:
    for name, pace in PRESETS.items():
        assert name_of(pace) is name
        assert pace.rules is not None
        assert name_of(replace(pace, rules=replace(pace.rules, head_start=1))) is None
