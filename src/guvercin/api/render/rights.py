"""From what is held of people, and from who did what, to the answers about it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from guvercin.api.answers.rights import (
    AuditPage,
    AuditRecord,
    CheckRecord,
    DestructionPage,
    DestructionRecord,
    DossierAnswer,
    DossierRecord,
    ErasureAnswer,
    ErasureRecord,
    HeldMessage,
    HoldAnswer,
    HoldRecord,
    SeenRecord,
    WroteRecord,
)
from guvercin.api.render.ground import clock_time, iso_time
from guvercin.api.render.messages import message_history
from guvercin.api.render.people import consent_record, opt_out_record
from guvercin.core.audit import Entry
from guvercin.core.rights import Destruction, Dossier, Hold
from guvercin.gateway.requests import History
from guvercin.gateway.rights import Erasure


def dossier_answer(found: Dossier, zone: tzinfo, *, sandboxes: frozenset[int]) -> DossierAnswer:
    """Answer everything that is held of a number."""
    held = []
    for told in found.messages:
        history = History(
            message=told.message,
            is_sandbox=told.message.account_id in sandboxes,
            attempts=told.attempts,
            events=told.events,
        )
        shown = message_history(history, zone).data
        held.append(HeldMessage(**dict(shown), variables=dict(told.message.variables or {})))
    record = DossierRecord(
        phone=found.phone,
        messages=held,
        refusals=[opt_out_record(each, zone) for each in found.refusals],
        consents=[consent_record(each, zone) for each in found.consents],
        wrote=[
            WroteRecord(account_id=each.account_id, at=clock_time(each.at, zone), name=each.name, text=each.text)
            for each in found.wrote
        ],
        seen=[
            SeenRecord(
                account_id=each.account_id,
                wrote_at=_clock(each.wrote_at, zone),
                written_at=_clock(each.written_at, zone),
            )
            for each in found.seen
        ],
        checks=[
            CheckRecord(account_id=each.account_id, is_registered=each.is_registered, at=_clock(each.at, zone))
            for each in found.checks
        ],
        drafts=found.drafts,
        hold=None if found.hold is None else _hold(found.hold, zone),
    )
    return DossierAnswer(ok=True, data=record)


def write_dossier(zone: tzinfo) -> Callable[[Dossier, frozenset[int]], bytes]:
    """Answer how everything that is held of a number is written as a file for people: the same JSON, indented."""

    def write(found: Dossier, sandboxes: frozenset[int]) -> bytes:
        return dossier_answer(found, zone, sandboxes=sandboxes).model_dump_json(by_alias=True, indent=2).encode()

    return write


def erasure_answer(done: Erasure) -> ErasureAnswer:
    """Answer what an erasure took."""
    record = ErasureRecord(
        messages=done.forgotten.messages,
        refusals=done.forgotten.refusals,
        files=done.files,
        others=done.forgotten.others,
        has_traces=done.has_traces,
        copies=list(done.copies),
    )
    return ErasureAnswer(ok=True, data=record)


def hold_answer(found: Hold, zone: tzinfo) -> HoldAnswer:
    """Answer a hold."""
    return HoldAnswer(ok=True, data=_hold(found, zone))


def audit_page(found: Sequence[Entry], after: str | None, zone: tzinfo) -> AuditPage:
    """Answer a page of the audit."""
    records = [
        AuditRecord(
            id=each.id,
            at=clock_time(each.at, zone),
            at_iso=iso_time(each.at, zone),
            what=each.what,
            about=each.about,
            who=each.who,
            token_id=each.token_id,
            way=each.way,
            address=each.address,
            detail=_plain(each.detail),
        )
        for each in found
    ]
    return AuditPage(ok=True, data=records, next=after)


def destruction_page(found: Sequence[Destruction], after: str | None, zone: tzinfo) -> DestructionPage:
    """Answer a page of the log of destructions."""
    records = [
        DestructionRecord(
            id=each.id,
            began_at=clock_time(each.began_at, zone),
            ended_at=_clock(each.ended_at, zone),
            cause=each.cause,
            texts=each.texts,
            records=each.records,
            files=each.files,
            others=each.others,
        )
        for each in found
    ]
    return DestructionPage(ok=True, data=records, next=after)


def _hold(found: Hold, zone: tzinfo) -> HoldRecord:
    return HoldRecord(why=found.why, since=clock_time(found.since, zone))


def _clock(at: datetime | None, zone: tzinfo) -> str | None:
    return None if at is None else clock_time(at, zone)


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    return dict(detail)
