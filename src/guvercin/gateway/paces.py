"""How an owner changes the pace of an account, within the floors of its kind of line: every fault at its field."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from types import MappingProxyType

from guvercin.core.account import Account
from guvercin.core.errors import Code
from guvercin.core.pacing import Bounds, Caps, Gap, Pace, Rules
from guvercin.core.presets import PRESETS
from guvercin.gateway.drafting import Faults
from guvercin.gateway.requests import NO_CAPS, AccountChange, CapsChange

LONGEST_GAP = timedelta(hours=1)

_SECOND = timedelta(seconds=1)


def is_about_pace(change: AccountChange) -> bool:
    """Say whether a change concerns the pace at all."""
    return bool(change.gaps) or _is_about_rules(change) or change.preset is not None


def _is_about_rules(change: AccountChange) -> bool:
    asked = (change.known_gap, change.new_gap, change.monthly_new, change.keeps_quiet)
    return any(one is not None for one in asked) or NO_CAPS not in {change.hourly} & {change.daily}


def changed_pace(account: Account, change: AccountChange, bounds: Bounds | None) -> Pace:
    """Answer an account's pace after a change. INVALID_FIELD at what lies below a floor or above a ceiling."""
    faults = Faults()
    pace = account.pace if change.preset is None else PRESETS[change.preset]
    gaps = dict(pace.gaps) | dict(change.gaps)
    rules = pace.rules
    if _is_about_rules(change):
        rules = _changed_rules(rules or Rules(), change)
    for lane, gap in gaps.items():
        _check_gap(faults, f"gaps.{lane.value}", gap, None if bounds is None else bounds.gaps[lane])
    if rules is not None:
        _check_gap(faults, "gaps.known", rules.known, None if bounds is None else bounds.known)
        _check_gap(faults, "gaps.new", rules.new, None if bounds is None else bounds.new)
        if bounds is not None:
            _check_caps(faults, rules, bounds)
    faults.check()
    return Pace(gaps=MappingProxyType(gaps), rules=rules)


def _changed_rules(rules: Rules, change: AccountChange) -> Rules:
    return replace(
        rules,
        known=change.known_gap or rules.known,
        new=change.new_gap or rules.new,
        hourly=_changed_caps(rules.hourly, change.hourly),
        daily=_changed_caps(rules.daily, change.daily),
        monthly_new=change.monthly_new or rules.monthly_new,
        keeps_quiet=rules.keeps_quiet if change.keeps_quiet is None else change.keeps_quiet,
    )


def _changed_caps(caps: Caps | None, change: CapsChange) -> Caps | None:
    given = {field.name: value for field in fields(change) if (value := getattr(change, field.name)) is not None}
    return caps if caps is None or not given else replace(caps, **given)


def _check_gap(faults: Faults, where: str, gap: Gap, floor: timedelta | None) -> None:
    least = floor or timedelta(0)
    if gap.least < least or gap.most > LONGEST_GAP:
        wanted = f"{least / _SECOND:g}–{LONGEST_GAP // _SECOND}"
        faults.add(Code.INVALID_FIELD, where, "aralik", wanted=wanted)


def _check_caps(faults: Faults, rules: Rules, bounds: Bounds) -> None:
    pairs: Mapping[str, tuple[Caps | None, Caps]] = {
        "hourly": (rules.hourly, bounds.hourly),
        "daily": (rules.daily, bounds.daily),
    }
    for window, (caps, most) in pairs.items():
        for field in fields(most):
            ceiling = getattr(most, field.name)
            if caps is not None and not 1 <= getattr(caps, field.name) <= ceiling:
                faults.add(Code.INVALID_FIELD, f"limits.{window}.{field.name}", "aralik", wanted=f"1–{ceiling}")
    if rules.monthly_new is not None and rules.monthly_new > bounds.monthly_new:
        faults.add(Code.INVALID_FIELD, "limits.monthly_new", "aralik", wanted=f"1–{bounds.monthly_new}")
