"""The paces that an owner chooses by name, for every kind of line that keeps rules."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from guvercin.core.message import Lane
from guvercin.core.pacing import Caps, Gap, Pace, Rules


class Preset(StrEnum):
    """A pace by its name on the wire."""

    CAREFUL = "dikkatli"
    NORMAL = "normal"
    FAST = "hizli"


def _gap(least: float, most: float) -> Gap:
    return Gap(least=timedelta(seconds=least), most=timedelta(seconds=most))


CAREFUL = Rules(
    known=_gap(10, 22),
    new=_gap(70, 140),
    hourly=Caps(all=90, existing=45, new=3),
    daily=Caps(all=300, existing=150, new=8),
    monthly_new=80,
    breather=_gap(120, 300),
)
NORMAL = Rules()
FAST = replace(
    NORMAL,
    known=_gap(4, 9),
    new=_gap(30, 60),
    hourly=Caps(all=300, existing=150, new=10),
    daily=Caps(all=1_200, existing=800, new=30),
    monthly_new=250,
    breather=_gap(45, 120),
)


def _pace(single: tuple[float, float], bulk: tuple[float, float], rules: Rules) -> Pace:
    gaps = {Lane.SINGLE: single, Lane.BULK: bulk}
    return Pace(
        gaps=MappingProxyType({lane: _gap(*span) for lane, span in gaps.items()}),
        rules=rules,
    )


PRESETS: Mapping[Preset, Pace] = MappingProxyType(
    {
        Preset.CAREFUL: _pace((5, 10), (20, 40), CAREFUL),
        Preset.NORMAL: _pace((3, 6), (12, 25), NORMAL),
        Preset.FAST: _pace((2, 4), (8, 16), FAST),
    }
)

WEB_PACE = PRESETS[Preset.NORMAL]
"""What a linked phone begins with: the pace of somebody who types, not of a machine."""


def name_of(pace: Pace) -> Preset | None:
    """Answer the name of a pace; null for one that its owner has made up."""
    return next((name for name, preset in PRESETS.items() if _same(preset, pace)), None)


def _same(one: Pace, other: Pace) -> bool:
    return dict(one.gaps) == dict(other.gaps) and one.rules == other.rules
