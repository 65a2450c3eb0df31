"""A bulk request looked through before it is made: what would become of each of its rows, and how long it takes.

Laws
1. The checks are those of the request itself (gateway/drafting.py): a row that is called good here is taken there.
2. Every row is in one group: to be sent, bad, or a repeat. The three add up to all of them.
3. Nothing is stored, and no file is taken: that happens when the request itself is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from guvercin.core.account import Account
from guvercin.core.errors import Code, FieldFault
from guvercin.core.message import Lane, WaitsFor
from guvercin.core.pacing import time_to_send
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.gateway.batches import forecast, starts
from guvercin.gateway.drafting import BatchLine
from guvercin.gateway.outlook import Prospect
from guvercin.gateway.requests import AskBatch

NO_NOTES: Mapping[int, Code] = MappingProxyType({})


class Fate(StrEnum):
    """What would become of a row."""

    SENT = "gonderilecek"
    BAD = "hatali"
    REPEATED = "mukerrer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What there is to say of one row. `place` counts from 0; `fault` is finer than `code`, where there is one.

    `stops_all`: the whole request is refused while this row is in it.
    """

    place: int
    recipient: str
    fate: Fate
    code: Code
    fault: FieldFault | None = None
    stops_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a bulk request would come to.

    `verdicts`: a row each that is not plainly good, in the list's order. `sample`: the text of the first good row as it
    will be read. `finish_at` null: nothing is to be sent, or the line of the account stands still.
    `waits_for`: why the first of them would not leave now, and until when; `waits`: what they wait for on their way.
    `too_late`: rows that would not leave before the lifetime that their sender gave them is over.
    """

    account: Account
    counts: Mapping[Fate, int]
    verdicts: Sequence[Verdict]
    sample: str | None
    warning: Code | None
    duration: timedelta
    finish_at: datetime | None
    too_late: int = 0
    waits_for: WaitsFor | None = None
    waits_until: datetime | None = None
    waits: Mapping[WaitsFor, timedelta] = field(default_factory=dict)

    @property
    def is_acceptable(self) -> bool:
        """Say whether the request would be taken as it stands."""
        return not any(verdict.stops_all for verdict in self.verdicts)


def rehearse(
    ask: AskBatch,
    account: Account,
    lines: Sequence[BatchLine],
    looked_at: Mapping[str, Code | None],
    *,
    objections: Sequence[Code | None],
    notes: Mapping[int, Code] = NO_NOTES,
    now: datetime,
) -> Rehearsal:
    """Judge the rows of a request. `looked_at`: each path of a file -> why it can't be taken, or null.

    `objections`: for each row why its recipient may not be written to, or null.

    `notes`: what is doubtful about a row, by its place.
    """
    verdicts: list[Verdict] = []
    counts = dict.fromkeys(Fate, 0)
    sample: str | None = None
    for place, line in enumerate(lines):
        verdict = _verdict(place, line, looked_at, objections[place], ask) or _doubt(place, line, notes)
        fate = Fate.SENT if verdict is None else verdict.fate
        counts[fate] += 1
        if verdict is not None:
            verdicts.append(verdict)
        if fate is Fate.SENT and sample is None:
            sample = line.draft.content.text
    left = {Lane.BULK: counts[Fate.SENT]}
    starts_at = lines[0].draft.due_at
    return Rehearsal(
        account=account,
        counts=counts,
        verdicts=verdicts,
        sample=sample,
        warning=lines[0].draft.warning if _is_of_all(lines[0]) else None,
        duration=time_to_send(account.pace, left),
        finish_at=forecast(account, left, starts_at=starts_at, now=now) if counts[Fate.SENT] else None,
    )


def foreseen(
    rehearsal: Rehearsal,
    ahead: Prospect | None,
    *,
    lifetime: timedelta | None,
    starts_at: datetime | None,
    now: datetime,
) -> Rehearsal:
    """Answer a rehearsal with what the account's rules make of it: they know more than the mean gap."""
    if ahead is None or not ahead.moments:
        return rehearsal
    begins = starts(rehearsal.account, now, None)
    shift = timedelta(0) if begins is None else begins - now
    end = None if lifetime is None else (starts_at or now) + lifetime
    return replace(
        rehearsal,
        duration=ahead.moments[-1] - max(now, starts_at or now),
        finish_at=None if begins is None else ahead.moments[-1] + shift,
        waits_for=ahead.waits_for,
        waits_until=ahead.waits_until,
        waits=ahead.waits,
        too_late=0 if end is None else sum(at + shift > end for at in ahead.moments),
    )


def _verdict(
    place: int, line: BatchLine, looked_at: Mapping[str, Code | None], objection: Code | None, ask: AskBatch
) -> Verdict | None:
    """Answer what is the matter with a row, the worst of it first; null: nothing."""
    draft = line.draft
    stops = line.faults.first
    if stops is not None:
        code, fault = stops
        return Verdict(place=place, recipient=draft.recipient, fate=Fate.BAD, code=code, fault=fault, stops_all=True)
    if draft.reason is Code.DUPLICATE:
        return Verdict(place=place, recipient=draft.recipient, fate=Fate.REPEATED, code=Code.DUPLICATE)
    if draft.reason is not None:
        finer = _phone_fault(ask.recipients[place].phone)
        return Verdict(place=place, recipient=draft.recipient, fate=Fate.BAD, code=draft.reason, fault=finer)
    if objection is not None:
        return Verdict(place=place, recipient=draft.recipient, fate=Fate.BAD, code=objection)
    trouble = looked_at.get(line.file_path) if line.file_path is not None else None
    if trouble is not None:
        return Verdict(place=place, recipient=draft.recipient, fate=Fate.BAD, code=trouble)
    return None


def _doubt(place: int, line: BatchLine, notes: Mapping[int, Code]) -> Verdict | None:
    """Answer what is doubtful about a row that will be sent; null: nothing."""
    code = notes.get(place) or (None if _is_of_all(line) else line.draft.warning)
    if code is None:
        return None
    return Verdict(place=place, recipient=line.draft.recipient, fate=Fate.SENT, code=code)


def _is_of_all(line: BatchLine) -> bool:
    """Say whether a row's note is of its category or its text, which all rows share."""
    return line.draft.warning in {Code.UNKNOWN_CATEGORY, Code.SOUNDS_COMMERCIAL}


def _phone_fault(typed: str | int) -> FieldFault | None:
    try:
        parse_phone(typed)
    except InvalidPhone as invalid:
        return FieldFault("phone", invalid.fault.value)
    return None
