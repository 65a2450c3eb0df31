"""What the owner is told of troubles: in mails, on the phone, in the terminal."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from guvercin.core.account import LineState
from guvercin.core.alert import AlertKind
from guvercin.core.errors import Code
from guvercin.core.hook import CloseReason
from guvercin.locale import Translator
from guvercin.locale.codes import WORDS
from guvercin.locale.terms import CLOSINGS, LINES

TROUBLES: Mapping[AlertKind, tuple[str, str]] = MappingProxyType(
    {
        AlertKind.LINE: (
            "The line of «{account}» is down: {state}. Its messages wait.",
            "Look: guvercin hesap liste",
        ),
        AlertKind.BATCH: (
            "Bulk request {batch} has stopped by itself: {why}",
            "Look at it, then let it go on: guvercin toplu-devam {batch}",
        ),
        AlertKind.HOOK: (
            "Webhook {hook} is switched off: {why}. Nothing is lost; it waits.",
            "Mend {url}, then: guvercin webhook ac {hook}",
        ),
        AlertKind.DISK: (
            "The disk of the data folder is nearly full: about {room} MB are free.",
            "Make room. When it is full, no message is accepted any more.",
        ),
        AlertKind.BACKUP: (
            "There has been no backup for {days} days.",
            "Make one: guvercin yedek FILE",
        ),
    },
)
"""What is the matter, and what to do."""

RAISED = "Güvercin needs you: {count}"
CLEARED = "Güvercin: all is well again"
WAS = "This was the matter and is over:"
TRIAL = "Güvercin: a trial of the alerts"
TRIAL_BODY = "This is a trial: nothing is the matter. Alerts come here."

TEXTS = (RAISED, CLEARED, WAS, TRIAL, TRIAL_BODY)


def sentences(say: Translator, told: Mapping[str, Any]) -> tuple[str, str]:
    """Answer what is said of one trouble as its event has it: what is the matter, and what to do."""
    kind = AlertKind(told["tur"])
    what, remedy = TROUBLES[kind]
    known = {name: str(told.get(field, "")) for name, field in _FIELDS.items()}
    known["state"] = _state(say, told)
    known["why"] = _why(say, kind, str(told.get("neden", "")))
    return say(what, **known), say(remedy, **known)


_FIELDS = {"account": "hesap", "batch": "toplu_id", "hook": "webhook", "url": "adres", "room": "bos_mb", "days": "gun"}


def _state(say: Translator, told: Mapping[str, Any]) -> str:
    code = told.get("kod") or ""
    if code in set(Code):
        return say(WORDS[Code(code)].title)
    state = told.get("durum") or ""
    return say(LINES[LineState(state)]) if state in set(LineState) else ""


def _why(say: Translator, kind: AlertKind, reason: str) -> str:
    if kind is AlertKind.HOOK and reason in set(CloseReason):
        return say(CLOSINGS[CloseReason(reason)])
    return say(WORDS[Code(reason)].detail) if reason in set(Code) else reason


def letter(say: Translator, events: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, str]:
    """Answer the subject and the text of one message about several events, oldest first (their type and detail)."""
    lines: list[str] = []
    count, is_well = 0, False
    for kind, detail in events:
        is_well = kind == "uyari.bitti"
        if is_well:
            lines += [say(CLEARED), say(WAS)]
        for told in detail.get("uyarilar", ()):
            what, remedy = sentences(say, told)
            lines.append(f"- {what}" if is_well else f"- {what}\n  {remedy}")
            count += not is_well
        lines.append("")
    subject = say(CLEARED) if is_well else say(RAISED, count=count)
    return subject, "\n".join(lines).strip()
