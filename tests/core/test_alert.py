"""When the owner hears of a trouble: once, together with the others, sparingly again, and once that all is well."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.alert import AGAIN, CALM, PATIENCE, Alert, AlertKind, Trouble, judge

START = datetime(2026, 2, 23, 9, tzinfo=UTC)
STEP = timedelta(seconds=5)


def line(number: int = 1) -> Trouble:
    return Trouble(key=f"hat:{number}", kind=AlertKind.LINE, about={"hesap_id": str(number)})


DISK = Trouble(key="disk", kind=AlertKind.DISK, about={"bos_mb": "400"})
HOOK = Trouble(key="webhook:1", kind=AlertKind.HOOK, about={})


def play(*seen: list[Trouble]) -> list[tuple[int, list[str], list[str]]]:
    """Judge one step after the other; answer what was said at which step."""
    known: tuple[Alert, ...] = ()
    said = []
    for number, troubles in enumerate(seen):
        found = judge(known, troubles, START + STEP * number)
        known = tuple(found.alerts)
        if found.tell or found.well:
            said.append((number, [each.key for each in found.tell], [each.key for each in found.well]))
    return said


CALM_STEPS = CALM // STEP
PATIENCE_STEPS = PATIENCE[AlertKind.LINE] // STEP


def test_a_line_that_is_back_at_once_is_not_spoken_of() -> None:
    assert play(*[[line()]] * PATIENCE_STEPS, *[[]] * 100) == []


def test_a_trouble_is_told_once_and_taken_back_once() -> None:
    down, up = [[line()]] * 50, list[list[Trouble]]([[]]) * 50
    assert play(*down, *up) == [(PATIENCE_STEPS, ["hat:1"], []), (50 + CALM_STEPS, [], ["hat:1"])]


def test_it_is_told_within_a_minute() -> None:
    assert all(patience + STEP + timedelta(seconds=5) < timedelta(seconds=60) for patience in PATIENCE.values())


def test_what_happens_together_is_told_together() -> None:
    told = play(*[[line(1), line(2), DISK]] * 10)
    assert told == [(PATIENCE_STEPS, ["hat:1", "hat:2", "disk"], [])]


def test_all_clear_waits_for_the_last_one() -> None:
    told = play(*[[line(), HOOK]] * 10, *[[HOOK]] * 100, *[[]] * 100)
    assert told == [
        (0, ["webhook:1"], []),
        (PATIENCE_STEPS, ["hat:1"], []),
        (110 + CALM_STEPS, [], ["webhook:1", "hat:1"]),
    ] or told[-1][2] == ["hat:1", "webhook:1"]
    assert len(told) == 3


def test_a_line_that_comes_and_goes_is_told_once() -> None:
    flaps = [*[[line()]] * 6, *[[]] * 3] * 20
    assert play(*flaps) == [(PATIENCE_STEPS, ["hat:1"], [])]


def test_what_lasts_is_told_again_once_a_day() -> None:
    days = 3 * AGAIN // STEP
    assert [number for number, _, _ in play(*[[HOOK]] * days)] == [AGAIN // STEP * day for day in range(3)]


@given(st.lists(st.sets(st.sampled_from(["a", "b", "c"])), max_size=80))
def test_whatever_comes_and_goes_each_is_told_before_it_is_taken_back(seen: list[set[str]]) -> None:
    troubles = [[Trouble(key=key, kind=AlertKind.HOOK, about={}) for key in sorted(keys)] for keys in seen]
    known: tuple[Alert, ...] = ()
    told: set[str] = set()
    for number, now in enumerate(troubles):
        found = judge(known, now, START + STEP * number)
        known = tuple(found.alerts)
        assert not (found.tell and found.well)
        assert not {each.key for each in found.tell} & told, "not twice"
        told |= {each.key for each in found.tell}
        assert {each.key for each in found.well} <= told
        told -= {each.key for each in found.well}
        assert {trouble.key for trouble in now} <= told, "whatever is the matter was told"
        assert {alert.trouble.key for alert in known if alert.told_at is not None} == told
