"""Gönderim hızı: how fast an account sends, chosen by a name or set by hand within the floors of its line.

Law: the page shows what is stored and nothing rounded: whoever saves it unchanged changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import time, timedelta, tzinfo
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.account import Account, Kind
from guvercin.core.errors import GuvercinError
from guvercin.core.hours import quiet_hours
from guvercin.core.message import Lane
from guvercin.core.pacing import ALL, DAY, EXISTING, HOUR, MONTH, NEW, WARM_AFTER, WEB_BOUNDS, Caps, Gap, Rules
from guvercin.core.presets import PRESETS, Preset, name_of
from guvercin.gateway.outlook import RulesUse
from guvercin.gateway.paces import LONGEST_GAP
from guvercin.gateway.requests import NO_CAPS, AccountChange, CapsChange
from guvercin.locale import sentence
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.shell import back, errors_of, show
from guvercin.panel.viewer import Viewer

PACES = "/panel/hesaplar/{account_id:int}/hiz"
OWN = "ozel"

PRESET_NAMES: Mapping[Preset, str] = {
    Preset.CAREFUL: sentence("Careful"),
    Preset.NORMAL: sentence("Normal"),
    Preset.FAST: sentence("Fast"),
}
OWN_NAME = sentence("Of your own")

_SECOND, _MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
_GROUPS: Mapping[str, str] = {
    ALL: sentence("everybody"),
    EXISTING: sentence("customers, in bulk"),
    NEW: sentence("people you never wrote to"),
}
_WINDOWS: Mapping[int, str] = {
    HOUR // _MILLISECOND: sentence("an hour"),
    DAY // _MILLISECOND: sentence("24 hours"),
    MONTH // _MILLISECOND: sentence("30 days"),
}
_GAPS: Mapping[str, str] = {
    "single": sentence("A single message"),
    "bulk": sentence("In bulk, to customers"),
    "known": sentence("In bulk, to people who wrote to you"),
    "new": sentence("To people you never wrote to"),
}
_CAPS: Mapping[str, str] = {
    "hourly": sentence("Most in an hour"),
    "daily": sentence("Most in 24 hours"),
}
_FIELDS: Mapping[str, str] = {
    **{f"gaps.{name}": f"{name}_az" for name in _GAPS},
    **{f"limits.{window}.{field.name}": f"{window}_{field.name}" for window in _CAPS for field in fields(Caps)},
    "limits.monthly_new": "monthly_new",
}
"""The places that our refusals name, as the form calls them."""


def pace_name(account: Account) -> str:
    """Answer what the pace of an account is called, as a sentence of the catalogue; empty for one without rules."""
    if account.pace.rules is None:
        return ""
    preset = _preset(account)
    return OWN_NAME if preset is None else PRESET_NAMES[preset]


def _preset(account: Account) -> Preset | None:
    """Answer the preset that an account follows, whatever it was told about quiet hours."""
    rules = account.pace.rules
    if rules is None:
        return None
    return name_of(replace(account.pace, rules=replace(rules, keeps_quiet=Rules().keeps_quiet)))


async def show_pace(request: Request) -> Response:
    """Show how fast an account sends, and what it has used of it."""
    return await _page(request)


async def _page(
    request: Request, *, errors: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    account = await desk.gateway.accounts.one(viewer.token, request.path_params["account_id"])
    use = await desk.gateway.outlook.use(account)
    rules, chosen = account.pace.rules, _preset(account)
    return await show(
        request,
        "hiz.html",
        status=422 if errors else 200,
        account=account,
        has_rules=account.kind is Kind.WEB and rules is not None,
        kind=account.kind.value,
        choices=[(name.value, PRESET_NAMES[name], _told(viewer, name)) for name in PRESETS],
        chosen=(given or {}).get("secim") or (chosen.value if chosen else OWN),
        keeps_quiet=(given or {}).get("sessiz") == "1" if given else rules is not None and rules.keeps_quiet,
        quiet=_quiet(viewer, desk.zone),
        given=given or _given(account),
        gaps=_GAPS,
        caps=_CAPS,
        groups=_GROUPS,
        bounds=_bounds(),
        limits=_strictest(use),
        warm_days=use.warm_days if use else 0,
        warm_after=WARM_AFTER,
        own=OWN,
        errors=errors or {},
        saved="kaydedildi" in request.query_params,
    )


def _strictest(use: RulesUse | None) -> Sequence[tuple[str, str, int, int]]:
    """Answer of each limit that holds the one that ends first: the pace's own, or the warm-up's."""
    found: dict[tuple[str, int], tuple[str, str, int, int]] = {}
    for one in use.limits if use else ():
        key, most = (one.limit.group, one.limit.window), one.limit.most
        if key not in found or most < found[key][3]:
            found[key] = (_GROUPS[one.limit.group], _WINDOWS[one.limit.window], one.used, most)
    return tuple(found.values())


def _told(viewer: Viewer, name: Preset) -> str:
    """Answer what a preset means, in one sentence."""
    pace = PRESETS[name]
    rules, gap = pace.rules or Rules(), pace.gaps[Lane.BULK]
    hourly, daily = rules.hourly, rules.daily
    return viewer.say(
        "At most {hour} messages an hour and {day} a day; in bulk {least}–{most} s between two.",
        hour=hourly.all if hourly else 0,
        day=daily.all if daily else 0,
        least=_seconds(gap.least),
        most=_seconds(gap.most),
    )


def _quiet(viewer: Viewer, zone: tzinfo) -> str:
    week = quiet_hours(zone).week

    def span(day: tuple[time, time] | None) -> str:
        mark = "." if viewer.language == "tr" else ":"
        return "–" if day is None else "–".join(at.strftime(f"%H{mark}%M") for at in day)

    return viewer.say(
        "Weekdays {weekdays}, Saturdays {saturdays}; not on Sundays and official holidays.",
        weekdays=span(week[0]),
        saturdays=span(week[5]),
    )


def _given(account: Account) -> Mapping[str, str]:
    """Answer what the fields of one's own pace hold."""
    pace, rules = account.pace, account.pace.rules or Rules()
    gaps: Mapping[str, Gap] = {
        "single": pace.gaps[Lane.SINGLE],
        "bulk": pace.gaps[Lane.BULK],
        "known": rules.known,
        "new": rules.new,
    }
    shown = {f"{name}_az": _seconds(gap.least) for name, gap in gaps.items()}
    shown |= {f"{name}_cok": _seconds(gap.most) for name, gap in gaps.items()}
    for window, caps in (("hourly", rules.hourly), ("daily", rules.daily)):
        shown |= {f"{window}_{each.name}": str(getattr(caps, each.name)) if caps else "" for each in fields(Caps)}
    return shown | {"monthly_new": str(rules.monthly_new or "")}


def _bounds() -> Mapping[str, str]:
    least: Mapping[str, timedelta] = {
        "single": WEB_BOUNDS.gaps[Lane.SINGLE],
        "bulk": WEB_BOUNDS.gaps[Lane.BULK],
        "known": WEB_BOUNDS.known,
        "new": WEB_BOUNDS.new,
    }
    shown = {name: _seconds(gap) for name, gap in least.items()}
    for window, caps in (("hourly", WEB_BOUNDS.hourly), ("daily", WEB_BOUNDS.daily)):
        shown |= {f"{window}_{each.name}": str(getattr(caps, each.name)) for each in fields(Caps)}
    return shown | {"monthly_new": str(WEB_BOUNDS.monthly_new), "longest": _seconds(LONGEST_GAP)}


def _seconds(span: timedelta) -> str:
    return f"{span / _SECOND:g}"


async def change(request: Request) -> Response:
    """Change the pace of an account. What a field holds that is no number is told at the field."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    account_id, chosen = request.path_params["account_id"], typed(form, "secim")
    given = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    keeps_quiet = typed(form, "sessiz") == "1"
    if chosen in set(Preset):
        wanted = AccountChange(preset=Preset(chosen), keeps_quiet=keeps_quiet)
    else:
        slips: dict[str, str] = {}
        wanted = _own(form, slips, viewer.say("Write a number, the smaller one first."), keeps_quiet=keeps_quiet)
        if slips:
            return await _page(request, errors=slips, given=given)
    try:
        await desk.gateway.accounts.change(viewer.token, account_id, wanted)
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        return await _page(request, errors=errors_of(viewer.say, refusal, **_FIELDS), given=given)
    return back(PACES.replace("{account_id:int}", str(account_id)), kaydedildi="1")


def _own(form: FormData, slips: dict[str, str], told: str, *, keeps_quiet: bool) -> AccountChange:
    """Read one's own pace from a form; `slips` takes the fields that hold no numbers."""
    gaps = {name: _gap(form, name, slips, told) for name in _GAPS}
    caps: dict[str, Any] = {}
    for window in _CAPS:
        read = {each.name: _whole(form, f"{window}_{each.name}", slips, told) for each in fields(Caps)}
        caps[window] = CapsChange(**read)
    return AccountChange(
        gaps={lane: gap for lane in Lane if (gap := gaps[lane.value]) is not None},
        known_gap=gaps["known"],
        new_gap=gaps["new"],
        hourly=caps.get("hourly", NO_CAPS),
        daily=caps.get("daily", NO_CAPS),
        monthly_new=_whole(form, "monthly_new", slips, told),
        keeps_quiet=keeps_quiet,
    )


def _gap(form: FormData, name: str, slips: dict[str, str], told: str) -> Gap | None:
    try:
        least, most = (
            timedelta(seconds=float(typed(form, f"{name}_{end}").replace(",", "."))) for end in ("az", "cok")
        )
        return Gap(least=least, most=most)
    except (ValueError, OverflowError):
        slips[f"{name}_az"] = told
        return None


def _whole(form: FormData, name: str, slips: dict[str, str], told: str) -> int | None:
    text = typed(form, name).strip()
    if not text.isdecimal() or len(text) > 9:
        slips[name] = told
        return None
    return int(text)


routes = [
    Route(PACES, show_pace),
    Route(PACES, change, methods=["POST"]),
]
