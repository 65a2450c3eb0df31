"""From lines to their answers: linking, health, and what is known of numbers."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from types import MappingProxyType
from typing import Literal

from guvercin.api.answers.lines import (
    HealthAnswer,
    HealthRecord,
    LimitUseRecord,
    LinkAnswer,
    LinkProgress,
    LinkRecord,
    LookupAnswer,
    LookupRecord,
    RestrictionRecord,
    UnclearList,
    UnclearRecord,
)
from guvercin.api.render.accounts import account_words, line_status
from guvercin.api.render.ground import clock_time, iso_time
from guvercin.core.log import Unclear
from guvercin.core.pacing import ALL, EXISTING, NEW
from guvercin.core.restriction import Restriction
from guvercin.gateway.lines import Health, Linking, Lookup
from guvercin.gateway.outlook import LimitUse, RulesUse
from guvercin.transports.base import LinkState

_PROGRESS: Mapping[LinkState, LinkProgress] = MappingProxyType(
    {
        LinkState.NONE: "yok",
        LinkState.STARTING: "hazirlaniyor",
        LinkState.SHOWING: "gosteriliyor",
        LinkState.LINKED: "baglandi",
        LinkState.TIMED_OUT: "suresi_doldu",
        LinkState.FAILED: "olmadi",
        LinkState.PASSKEY: "olmadi",
    },
)


def link_answer(found: Linking, zone: tzinfo) -> LinkAnswer:
    """Answer how linking stands."""
    link, account = found.link, found.account
    has_ended = link.state in {LinkState.TIMED_OUT, LinkState.FAILED, LinkState.PASSKEY}
    return LinkAnswer(
        ok=True,
        data=LinkRecord(
            state=_PROGRESS[link.state],
            qr=link.qr,
            code=link.code,
            valid_until=link.valid_until and clock_time(link.valid_until, zone),
            valid_until_iso=link.valid_until and iso_time(link.valid_until, zone),
            phone=account.phone,
            is_default=account.is_default,
            reason=account.line.code if has_ended else None,
        ),
    )


_COUNTED: Mapping[str, Literal["hepsi", "mevcut", "yeni"]] = MappingProxyType(
    {ALL: "hepsi", EXISTING: "mevcut", NEW: "yeni"}
)


def _limit_use(one: LimitUse) -> LimitUseRecord:
    limit = one.limit
    return LimitUseRecord(
        name=limit.word,
        counts=_COUNTED[limit.group],
        hours=limit.window // 3_600_000,
        used=one.used,
        most=limit.most,
    )


def _restriction(one: Restriction, zone: tzinfo) -> RestrictionRecord:
    return RestrictionRecord(what=one.kind, code=one.code, until=one.until and clock_time(one.until, zone))


def health_answer(found: Health, use: RulesUse | None, zone: tzinfo) -> HealthAnswer:
    """Answer how a line is. One that says it stands and doesn't answer is connecting, whatever was last heard."""
    account = found.account
    status = line_status(account, found.looked_at)
    if status == "connected" and not found.is_alive:
        status = "connecting"
    row = account_words(account, zone, found.looked_at)
    return HealthAnswer(
        ok=True,
        data=HealthRecord(
            id=account.id,
            status=status,
            is_alive=found.is_alive,
            looked_at=clock_time(found.looked_at, zone),
            code=row["code"],
            action=row["action"],
            since=clock_time(account.line.since, zone),
            until=account.line.until and clock_time(account.line.until, zone),
            until_iso=account.line.until and iso_time(account.line.until, zone),
            connected_at=row["connected_at"],
            limits=[] if use is None else [_limit_use(one) for one in use.limits],
            warm_days=None if use is None else use.warm_days,
            restrictions=[] if use is None else [_restriction(one, zone) for one in use.restrictions],
        ),
    )


def lookup_answer(found: Lookup) -> LookupAnswer:
    """Answer whether a number is on WhatsApp."""
    return LookupAnswer(
        ok=True,
        data=LookupRecord(phone=found.number, is_registered=found.is_registered, account_id=found.account.id),
    )


def unclear_list(found: Sequence[Unclear], zone: tzinfo) -> UnclearList:
    """Answer what nobody understood."""
    rows = [
        UnclearRecord(at=clock_time(each.at, zone), at_iso=iso_time(each.at, zone), what=each.what, body=each.body)
        for each in found
    ]
    return UnclearList(ok=True, data=rows)
