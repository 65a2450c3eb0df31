"""The pace of an account: when may it send this message.

This file is the table: docs/PACING.md is drawn from it, the API and the terminal change what stands in it within
`Bounds`, and nothing else in the program holds a figure of it. The figures are judgement, not evidence.

Laws
1. A slot depends on the pace, on durable use, and on nothing else: a restart never resets it.
2. The chance in a gap is drawn once, when a send is claimed, and stored with it: asking twice answers the same.
3. The gap belongs to the message that follows: a single keeps the short gap, a bulk row the long one.
4. A limit is a sliding window: never more than `most` within any `window`, whatever the hour at which it began.
5. Bulk leaves a tenth of every limit that it shares to single messages: a till is not stopped by a campaign.
6. Floors belong to the kind of line. The sandbox keeps no rules unless its owner switches them on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from guvercin.core.message import Lane, Track, WaitsFor


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The space before a send, drawn evenly between `least` and `most`."""

    least: timedelta
    most: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.least <= self.most:
            raise ValueError("a gap needs 0 <= least <= most")

    def at(self, draw: float) -> timedelta:
        """Answer the gap for a draw in [0, 1)."""
        return self.least + (self.most - self.least) * draw

    @property
    def mean(self) -> timedelta:
        """Answer the gap that forecasts count with."""
        return self.at(0.5)


def _gap(least: float, most: float) -> Gap:
    return Gap(least=timedelta(seconds=least), most=timedelta(seconds=most))


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)

KNOWN_FOR = timedelta(days=28)
"""How long somebody who wrote is *tanıdık*: as long as WhatsApp's own token of such a chat lives (tctoken)."""

REFUSED_FOR = timedelta(days=7)
"""How long somebody to whom WhatsApp has refused a message counts as *yeni*, though declared a customer: as long as a
number that isn't on WhatsApp is not asked about again. Sending to such people is what closes new chats."""

SINGLES_SHARE = 10
"""One part in so many of a shared limit is left to single messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most within one window: of everything, of bulk to *mevcut*, and to *yeni*."""

    all: int
    existing: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A step of the warm-up: the daily caps from its day on. Days with traffic both ways count, from 1."""

    from_day: int
    daily: Caps


WARM_UP = (
    Stage(from_day=1, daily=Caps(all=30, existing=15, new=3)),
    Stage(from_day=3, daily=Caps(all=80, existing=40, new=5)),
    Stage(from_day=6, daily=Caps(all=200, existing=100, new=8)),
    Stage(from_day=11, daily=Caps(all=400, existing=200, new=12)),
)
WARM_AFTER = 20
"""Days after which a line is warm."""

RELINKED_AT = 2
"""Days that a line keeps of its warm-up when it is linked anew: it begins again on its third."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one account keeps beside its gaps. What is null is not kept."""

    known: Gap = field(default_factory=lambda: _gap(6, 14))
    """Before a bulk message to *tanıdık*; to *mevcut* it is the bulk gap of the pace."""
    new: Gap = field(default_factory=lambda: _gap(45, 90))
    """Between two messages to *yeni*."""
    hourly: Caps | None = field(default_factory=lambda: Caps(all=150, existing=80, new=5))
    daily: Caps | None = field(default_factory=lambda: Caps(all=600, existing=300, new=15))
    monthly_new: int | None = 150
    warms_up: bool = True
    keeps_quiet: bool = True
    has_breakers: bool = True
    breather_after: int | None = 25
    """Bulk messages until a pause."""
    breather: Gap = field(default_factory=lambda: _gap(60, 180))
    head_start: int = 5
    """Rows of a batch that leave at single gaps …"""
    head_starts_hourly: int = 20
    """… while there were fewer than so many in an hour."""
    recipient_gap: timedelta | None = timedelta(seconds=6)
    unanswered_daily: int | None = 3
    unanswered_monthly: int | None = 6
    loop_after: int | None = 20
    """Single messages of one token within LOOP_WINDOW after which the next ones are bulk."""


NO_RULES = Rules(
    known=_gap(0, 0),
    new=_gap(0, 0),
    hourly=None,
    daily=None,
    monthly_new=None,
    warms_up=False,
    keeps_quiet=False,
    has_breakers=False,
    breather_after=None,
    recipient_gap=None,
    unanswered_daily=None,
    unanswered_monthly=None,
    loop_after=None,
)
"""What a linked phone keeps that leads to a test server: nothing but the gaps of its pace."""

LOOP_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an owner may change of a pace: no gap below these, no cap above."""

    gaps: Mapping[Lane, timedelta]
    known: timedelta
    new: timedelta
    hourly: Caps
    daily: Caps
    monthly_new: int


WEB_BOUNDS = Bounds(
    gaps=MappingProxyType({Lane.SINGLE: timedelta(seconds=2), Lane.BULK: timedelta(seconds=8)}),
    known=timedelta(seconds=4),
    new=timedelta(seconds=30),
    hourly=Caps(all=300, existing=150, new=20),
    daily=Caps(all=1_500, existing=1_000, new=50),
    monthly_new=300,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakers:
    """When a bulk send is paused and a human is asked: the cheap signs of being blocked or reported."""

    failed_of_last: tuple[int, int] = (5, 20)
    not_on_whatsapp: float = 0.10
    refusals: float = 0.02
    refusals_within: timedelta = timedelta(hours=24)
    least_refusals: int = 2
    """One person who refuses proves nothing."""
    delivered: float = 0.60
    delivered_after: timedelta = timedelta(hours=6)
    least_sent: int = 20
    """Fewer than so many prove nothing about a share."""


BREAKERS = Breakers()


@dataclass(frozen=True, slots=True)
class Limit:
    """Never more than `most` of `group` within `window`; `shared`: `most` for bulk, which leaves room for singles.

    `window` is in milliseconds, as a course counts.
    """

    group: str
    most: int
    shared: int
    window: int
    word: WaitsFor


ALL, EXISTING, NEW = "all", "existing", "new"
GROUPS: Mapping[Track, tuple[str, ...]] = MappingProxyType(
    {
        Track.SINGLE: (ALL,),
        Track.KNOWN: (ALL,),
        Track.EXISTING: (ALL, EXISTING),
        Track.NEW: (ALL, NEW),
    }
)
"""What each track counts towards."""

SLOWED = 4
"""After a ban every cap is divided, and every gap multiplied, by this for a day."""

WARNED = 2
"""The same for *yeni* alone, once WhatsApp has warned that the month's quota runs out."""


def warm_up_of(rules: Rules, warm_days: int) -> Caps | None:
    """Answer the daily caps of a line that has so many days behind it; null: it is warm."""
    if not rules.warms_up or warm_days >= WARM_AFTER:
        return None
    return [stage for stage in WARM_UP if stage.from_day <= warm_days + 1][-1].daily


@lru_cache(maxsize=256)
def limits_of(
    rules: Rules, warm_days: int, *, is_slowed: bool = False, is_warned: bool = False
) -> Mapping[Track, tuple[Limit, ...]]:
    """Answer the limits that each track keeps."""
    windows: list[tuple[Caps | None, timedelta, WaitsFor]] = [
        (rules.hourly, HOUR, WaitsFor.HOURLY),
        (rules.daily, DAY, WaitsFor.DAILY),
        (warm_up_of(rules, warm_days), DAY, WaitsFor.WARM_UP),
    ]
    if rules.monthly_new is not None:
        windows.append((Caps(all=0, existing=0, new=rules.monthly_new), MONTH, WaitsFor.MONTHLY))
    found: dict[str, list[Limit]] = {ALL: [], EXISTING: [], NEW: []}
    for caps, window, word in windows:
        if caps is None:
            continue
        for group, cap in ((ALL, caps.all), (EXISTING, caps.existing), (NEW, caps.new)):
            if not cap:
                continue
            share = (SLOWED if is_slowed else 1) * (WARNED if is_warned and group == NEW else 1)
            most = max(1, cap // share)
            shared = max(1, most - -(-most // SINGLES_SHARE)) if group == ALL else most
            found[group].append(Limit(group, most, shared, window // timedelta(milliseconds=1), word))
    return MappingProxyType(
        {track: tuple(limit for group in groups for limit in found[group]) for track, groups in GROUPS.items()}
    )


def largest_window(rules: Rules) -> timedelta:
    """Answer how far back the use of an account matters."""
    return MONTH if rules.monthly_new is not None else DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The spacing policy of one account: a gap for every lane, and rules if it keeps any."""

    gaps: Mapping[Lane, Gap] = field(default_factory=lambda: MappingProxyType({lane: _gap(0.2, 0.2) for lane in Lane}))
    rules: Rules | None = None

    def longest_gap(self) -> timedelta:
        """Answer the longest gap that this pace can draw: no wait of a gap can be longer."""
        return max(gap.most for gap in self.gaps.values())


SANDBOX_PACE = Pace()
"""0.2 s between any two sends: quick to try, slow enough to watch."""


CLOUD_PACE = Pace(gaps=MappingProxyType({lane: _gap(0, 0) for lane in Lane}))
"""No gap of our own: a number goes as fast as Meta grants it this moment (core/grant.py)."""


@dataclass(frozen=True, slots=True)
class Use:
    """What an account has used of its pace: the last claim and the chance drawn for the gap after it. Durable."""

    last_at: datetime | None = None
    draw: float = 0.0


def next_slot(pace: Pace, use: Use, lane: Lane) -> datetime | None:
    """Answer the first moment at which a message of `lane` may leave; null means at once."""
    if use.last_at is None:
        return None
    return use.last_at + pace.gaps[lane].at(use.draw)


def time_to_send(pace: Pace, waiting: Mapping[Lane, int]) -> timedelta:
    """Estimate how long the waiting messages take: what is left × the mean gap of its lane."""
    return sum((pace.gaps[lane].mean * count for lane, count in waiting.items()), timedelta(0))
