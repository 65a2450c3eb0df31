"""Categories: presets, what an owner lays over them, and what an unknown id follows."""

from dataclasses import replace
from datetime import timedelta

from guvercin.core.category import CATEGORIES, GENERAL, OWN, rules_of, with_kept
from guvercin.core.message import Level

SERVICE = replace(GENERAL, id=11, code="servis", name="Servis", level=Level.HIGH)


def test_the_presets_are_those_of_small_businesses() -> None:
    assert list(CATEGORIES) == list(range(1, 11))
    assert [each.id for each in CATEGORIES.values() if each.is_commercial] == [9]
    assert [each.id for each in CATEGORIES.values() if each.keeps_quiet_hours] == [2, 5, 7, 9]
    assert {each.id: each.lifetime // timedelta(hours=1) for each in CATEGORIES.values()} == {
        1: 48,
        2: 48,
        3: 12,
        4: 6,
        5: 24,
        6: 24,
        7: 48,
        8: 12,
        9: 24,
        10: 24,
    }


def test_what_is_kept_lies_over_the_presets_in_their_order() -> None:
    late = replace(CATEGORIES[5], lifetime=timedelta(hours=2))
    known = with_kept([SERVICE, late])
    assert list(known) == [*range(1, 11), 11]
    assert (known[5], known[11], known[1]) == (late, SERVICE, CATEGORIES[1])
    assert with_kept([]) == CATEGORIES


def test_an_unknown_id_follows_the_general_rules_as_their_owner_has_them() -> None:
    known = with_kept([replace(GENERAL, keeps_quiet_hours=True), SERVICE])
    assert rules_of(11, known) is SERVICE
    assert rules_of(4711, known) is known[10]
    assert rules_of(4711, known).keeps_quiet_hours
    assert range(11, 100) == OWN
