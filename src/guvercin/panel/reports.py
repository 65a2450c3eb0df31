"""Raporlar: how many messages went, arrived and were read, over a day, a week, a month or a year."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.message import Status
from guvercin.core.tally import DayCount
from guvercin.gateway.tally import MOST_READ
from guvercin.locale.codes import WORDS
from guvercin.panel.desk import desk_of, viewer_of
from guvercin.panel.overview import Day
from guvercin.panel.shell import kinds, show

REPORTS = "/panel/raporlar"
_DAYS = {"gun": 1, "7": 7, "30": 30, "yil": 365}
_MOST_REASONS = 6


async def show_reports(request: Request) -> Response:
    """Show the numbers of a period beside those of the one before."""
    desk, viewer = desk_of(request), viewer_of(request)
    asked = request.query_params.get("sure", "7")
    period = asked if asked in _DAYS else "7"
    today = desk.tally.day_of(desk.now())
    is_year = period == "yil"
    length = timedelta(days=_DAYS[period])
    first = _months_back(today, 11) if is_year else today - length + timedelta(days=1)
    start = _months_back(today, 23) if is_year else first - length
    counts = await desk.tally.between(start, today, monthly=is_year)
    now = [each for each in counts if each.day >= first]
    before = [each for each in counts if each.day < first]
    accounts = {account.id: account.name for account in await desk.gateway.accounts.seen(viewer.token)}
    askers = {key.id: key.rules.name for key in await desk.access.keys()}
    askers |= {person.token.id: person.name for person in await desk.people.every()}
    of_kind = await kinds(request)
    bars, labels = await _bars(request, period, now, first, today)
    reasons = Counter[Any]()
    for each in now:
        if each.status is Status.FAILED and each.reason is not None:
            reasons[each.reason] += each.n
    return await show(
        request,
        "raporlar.html",
        period=period,
        total=Day(now),
        before=Day(before),
        has_before=bool(before),
        bars=bars,
        labels=labels,
        hours=await desk.tally.reading_hours(min(_DAYS[period], _DAYS["30"])),
        most_read=MOST_READ,
        by_account=_by(now, lambda each: accounts.get(each.account_id, str(each.account_id))),
        by_kind=_by(now, lambda each: of_kind.get(each.category, str(each.category))),
        by_key=_by(now, lambda each: askers.get(each.token_id, str(each.token_id))),
        reasons=[(WORDS[code], n, code.value) for code, n in reasons.most_common(_MOST_REASONS)],
    )


def _by(counts: Sequence[DayCount], name: Any) -> Sequence[tuple[str, Day]]:
    """Answer the same numbers apart, the largest first."""
    apart: defaultdict[str, list[DayCount]] = defaultdict(list)
    for each in counts:
        apart[name(each)].append(each)
    return sorted(((what, Day(some)) for what, some in apart.items()), key=lambda row: -row[1].total)


async def _bars(
    request: Request, period: str, counts: Sequence[DayCount], first: date, today: date
) -> tuple[Sequence[tuple[date, Day]], Sequence[str]]:
    """Answer the bars of the chart and what stands below each: hours of a day, days, or months."""
    desk, viewer = desk_of(request), viewer_of(request)
    if period == "gun":
        hours: Mapping[int, list[DayCount]] = {hour: [] for hour in range(24)}
        for each in await desk.tally.hours(today):
            if each.hour in hours:
                hours[each.hour].append(_bare(today, each.status, each.n))
        return [(today, Day(hours[hour])) for hour in range(24)], [f"{hour:02}" for hour in range(24)]
    if period == "yil":
        months = [_months_back(today, ago) for ago in reversed(range(12))]
        bars = [(month, Day([each for each in counts if each.day == month])) for month in months]
        return bars, [viewer.date_of(day).partition(" ")[2] for day, _ in bars]
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    bars = [(day, Day([each for each in counts if each.day == day])) for day in days]
    return bars, [viewer.weekday_of(day) if period == "7" else viewer.date_of(day) for day in days]


def _months_back(day: date, ago: int) -> date:
    """Answer the first day of the month that was so many months ago."""
    months = day.year * 12 + day.month - 1 - ago
    return date(months // 12, months % 12 + 1, 1)


def _bare(day: date, status: Status, n: int) -> DayCount:
    return DayCount(day=day, account_id=0, category=0, token_id=0, status=status, reason=None, n=n)


routes = [Route(REPORTS, show_reports)]
