"""From accounts to their answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any

from guvercin.api.answers.accounts import (
    AccountAnswer,
    AccountList,
    AccountRecord,
    AccountRow,
    Action,
    CapsRecord,
    GapRecord,
    GapRecords,
    LimitRecords,
    LineStatus,
)
from guvercin.api.render.ground import clock_time, iso_time
from guvercin.core.account import Account, Kind, LineState
from guvercin.core.errors import Code
from guvercin.core.message import Lane
from guvercin.core.pacing import Caps, Gap, Pace, Rules
from guvercin.core.presets import name_of


def account_list(accounts: Sequence[Account], zone: tzinfo, now: datetime) -> AccountList:
    """Answer the accounts."""
    return AccountList(ok=True, data=[AccountRow(**account_words(account, zone, now)) for account in accounts])


def account_record(account: Account, zone: tzinfo, now: datetime) -> AccountAnswer:
    """Answer one account with what its owner may change."""
    guard = account.manners.repeat_guard
    return AccountAnswer(
        ok=True,
        data=AccountRecord(
            **account_words(account, zone, now),
            is_enabled=account.is_enabled,
            gaps=_gaps(account.pace),
            preset=name_of(account.pace),
            limits=None if account.pace.rules is None else _limits(account.pace.rules),
            keeps_quiet=account.pace.rules is not None and account.pace.rules.keeps_quiet,
            on_unknown=account.on_unknown,
            keeps_notices=account.manners.keeps_notices,
            sender_title=account.manners.sender_title,
            repeat_guard_hours=guard and guard // timedelta(hours=1),
            created_at=clock_time(account.created_at, zone),
            created_at_iso=iso_time(account.created_at, zone),
        ),
    )


def _gaps(pace: Pace) -> GapRecords:
    rules = pace.rules
    return GapRecords(
        single=_gap(pace.gaps[Lane.SINGLE]),
        bulk=_gap(pace.gaps[Lane.BULK]),
        known=None if rules is None else _gap(rules.known),
        new=None if rules is None else _gap(rules.new),
    )


def _limits(rules: Rules) -> LimitRecords:
    def caps(one: Caps | None) -> CapsRecord | None:
        return None if one is None else CapsRecord(all=one.all, existing=one.existing, new=one.new)

    return LimitRecords(hourly=caps(rules.hourly), daily=caps(rules.daily), monthly_new=rules.monthly_new)


def _gap(gap: Gap) -> GapRecord:
    return GapRecord(least=gap.least.total_seconds(), most=gap.most.total_seconds())


_SHUT_OUT = frozenset({Code.LOCKED, Code.CLOSED})
"""Blocks that are WhatsApp's verdict on the account."""


def line_status(account: Account, now: datetime) -> LineStatus:
    """Answer the state of an account's line in the wire's words."""
    if account.line.is_connected(now):
        return "connected"
    match account.line.state:
        case LineState.CONNECTING | LineState.WAITING:
            return "connecting"
        case LineState.PAIRING:
            return "pairing"
        case LineState.BANNED:
            return "banned"
        case LineState.BLOCKED if account.line.code in _SHUT_OUT:
            return "banned"
        case _:
            return "disconnected"


_ACTIONS: Mapping[LineState, Action] = MappingProxyType(
    {
        LineState.STOPPED: "devam",
        LineState.BANNED: "bekle",
        LineState.LOGGED_OUT: "bagla",
        LineState.PAIRING: "bagla",
        LineState.BLOCKED: "telefona_bak",
    },
)

_ACTIONS_OF_CODES: Mapping[Code, Action] = MappingProxyType(
    {
        Code.OPENED_ELSEWHERE: "devam",
        Code.ENGINE_OUTDATED: "guncelle",
        Code.NO_DELIVERIES: "telefona_bak",
        Code.NEW_CHATS_RESTRICTED: "bekle",
        Code.TEMPLATE_STOPPED: "metaya_bak",
    },
)
"""What wants another action than the state of its line alone."""


def _action(account: Account) -> Action | None:
    """Answer what a person has to do about a line that is not as it should be."""
    if account.kind is Kind.CLOUD and account.line.state is LineState.BLOCKED:
        return "metaya_bak"
    of_code = None if account.line.code is None else _ACTIONS_OF_CODES.get(account.line.code)
    return of_code or _ACTIONS.get(account.line.state)


def account_words(account: Account, zone: tzinfo, now: datetime) -> dict[str, Any]:
    """Answer the fields that every answer about an account has."""
    line = account.line
    is_told = line.state is LineState.CONNECTED or not line.is_connected(now)
    return {
        "id": account.id,
        "name": account.name,
        "phone": account.phone,
        "status": line_status(account, now),
        "is_default": account.is_default,
        "kind": account.kind,
        "code": line.code if is_told else None,
        "action": _action(account) if is_told else None,
        "connected_at": line.connected_at and clock_time(line.connected_at, zone),
    }
