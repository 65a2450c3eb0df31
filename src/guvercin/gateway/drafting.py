"""From what a sender asked to a row that can be stored: every check of a request's content, all faults at once."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from guvercin.core.account import Account, Kind
from guvercin.core.advertising import sounds_like_advertising
from guvercin.core.category import LARGEST_ID, Category, rules_of
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.message import Content, Draft, File, Lane, priority
from guvercin.core.phone import InvalidPhone, Phone, parse_phone
from guvercin.core.template import BrokenTemplate, Template, known_values, read_template
from guvercin.core.token import Token
from guvercin.gateway.commercial import imprint, signed
from guvercin.gateway.requests import Ask, AskBatch, AskRecipient

MOST_RECIPIENTS = 20_000
"""As many as a customer list may have (gateway/sheets.py); one call of the API has fewer (api/wire.py)."""

LONGEST_NAME = 200
LONGEST_REFERENCE = 100
LONGEST_LIFETIME = timedelta(days=30)
FARTHEST_PLAN = timedelta(days=366)
LATEST_PLAN = timedelta(minutes=5)
"""A planned time this little in the past means now: tills' clocks are not exact."""

_SANDBOX_NUMBERS = "+9050000000"

_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters save line ends and tabs, and halves of surrogate pairs: no phone shows, no UTF-8 holds them."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""As above, in one line of text."""


_MOST_FAULTS = 100
"""Faults that one answer tells: a list with the same slip in each of its lines is told often enough."""


class Faults:
    """The faults of one request, gathered before any is told."""

    def __init__(self) -> None:
        self._found: list[tuple[Code, FieldFault]] = []

    @property
    def first(self) -> tuple[Code, FieldFault] | None:
        """Answer what was noted first, if anything was."""
        return self._found[0] if self._found else None

    def add(self, code: Code, where: str, fault: str, **params: str | int) -> None:
        """Note one fault."""
        if len(self._found) < _MOST_FAULTS:
            self._found.append((code, FieldFault(where, fault, params)))

    def check(self) -> None:
        """Raise what was found: one fault by its own code, several as INVALID_FIELD."""
        if not self._found:
            return
        code = self._found[0][0] if len(self._found) == 1 else Code.INVALID_FIELD
        raise GuvercinError(code, faults=tuple(fault for _, fault in self._found))


def check_phone(faults: Faults, typed: str | int, where: str = "phone") -> Phone | None:
    """Read a number, or note its fault."""
    try:
        return parse_phone(typed)
    except InvalidPhone as invalid:
        faults.add(Code.INVALID_PHONE, where, invalid.fault.value)
        return None


def check_text(faults: Faults, text: str | None, most: int, *, needed: bool, where: str = "text") -> str | None:
    """Note an empty, over-long or unprintable text; answers it as it will be sent."""
    if text is None or not text.strip():
        if needed:
            faults.add(Code.EMPTY_TEXT, where, Code.EMPTY_TEXT.value)
        return None
    if len(text) > most:
        faults.add(Code.LONG_TEXT, where, Code.LONG_TEXT.value, limit=most)
    if _UNSENDABLE.search(text):
        faults.add(Code.INVALID_FIELD, where, "gecersiz_karakter")
    return text


def check_template(faults: Faults, text: str, where: str) -> Template | None:
    """Read a text's places, or note what is broken in it."""
    try:
        return read_template(text)
    except BrokenTemplate as broken:
        faults.add(Code.INVALID_TEMPLATE, where, broken.fault, at=broken.at)
        return None


def check_word(faults: Faults, word: str | None, where: str, most: int) -> str | None:
    """Note a name or a reference that is too long or unprintable; an empty one is none."""
    if word is None or not word.strip():
        return None
    if len(word) > most:
        faults.add(Code.INVALID_FIELD, where, "uzun", limit=most)
    if _UNPRINTABLE.search(word):
        faults.add(Code.INVALID_FIELD, where, "gecersiz_karakter")
    return word.strip()


Categories: TypeAlias = Mapping[int, Category]
"""Every category that is known, by id."""


def check_category(faults: Faults, category: int, token: Token, known: Categories) -> tuple[Category, Code | None]:
    """Answer the rules that a category follows, with a warning where nobody knows it."""
    if not 1 <= category <= LARGEST_ID or (token.rules.strict_categories and category not in known):
        faults.add(Code.INVALID_CATEGORY, "category", Code.INVALID_CATEGORY.value)
    return rules_of(category, known), None if category in known else Code.UNKNOWN_CATEGORY


def check_times(
    faults: Faults, planned_at: datetime | None, lifetime: timedelta | None, rules: Category, now: datetime
) -> tuple[datetime | None, datetime]:
    """Answer when a message becomes due (null: now) and the moment after which it must not leave."""
    due_at = planned_at
    if planned_at is not None:
        if planned_at < now - LATEST_PLAN:
            faults.add(Code.INVALID_TIME, "planned_at", "gecmis_zaman")
        elif planned_at > now + FARTHEST_PLAN:
            faults.add(Code.INVALID_TIME, "planned_at", "uzak_zaman")
            due_at = None  # so far away that nothing could be added to it
        if planned_at <= now:
            due_at = None
    if lifetime is not None and not timedelta(minutes=1) <= lifetime <= LONGEST_LIFETIME:
        faults.add(Code.INVALID_TIME, "lifetime", "aralik", wanted=f"1–{LONGEST_LIFETIME // timedelta(minutes=1)}")
        lifetime = None
    return due_at, (due_at or now) + (lifetime or rules.lifetime)


def draft_one(
    ask: Ask,
    account: Account,
    token: Token,
    *,
    known: Categories,
    now: datetime,
    max_text: int,
    file: File | None,
    faults: Faults,
) -> Draft:
    """Make the row of a single message. Raises every fault at once."""
    phone = check_phone(faults, ask.phone)
    if phone is not None and is_make_believe(phone, account):
        faults.add(Code.SANDBOX_NUMBER, "phone", Code.SANDBOX_NUMBER.value)
    rules, warning = check_category(faults, ask.category, token, known)
    below = imprint(account, rules)
    text = check_text(faults, ask.text, max_text - _room(below), needed=ask.file is None)
    due_at, expires_at = check_times(faults, ask.planned_at, ask.lifetime, rules, now)
    name = check_word(faults, ask.name, "name", LONGEST_NAME)
    reference = check_word(faults, ask.reference, "reference", LONGEST_REFERENCE)
    faults.check()
    assert phone is not None  # noqa: S101 -- a fault otherwise, raised above
    return Draft(
        account_id=account.id,
        recipient=phone.e164,
        recipient_name=name,
        content=Content(text=signed(text, below), file=file),
        category=ask.category,
        lane=Lane.SINGLE,
        priority=priority(rules.level, Lane.SINGLE),
        due_at=due_at,
        expires_at=expires_at,
        reference=reference,
        warning=warning or _tone(text, rules) or phone.warning,
    )


def _room(below: str) -> int:
    """Answer how many letters an imprint takes away from a text."""
    return len(below) + 2 if below else 0


def _tone(text: str | None, rules: Category) -> Code | None:
    """Note a text that sounds like advertising where none belongs."""
    is_odd = text is not None and not rules.is_commercial and sounds_like_advertising(text)
    return Code.SOUNDS_COMMERCIAL if is_odd else None


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A row of a batch, and the path of the file that it still lacks.

    `faults`: why the request can't be taken with this line in it; never of a line that `draft_batch` answers.
    """

    draft: Draft
    file_path: str | None = None
    faults: Faults = field(default_factory=Faults)


class _Wording:
    """Words and paths of a batch: what is common to its lines, and what each of them changes."""

    def __init__(self, ask: AskBatch, faults: Faults, max_text: int, rules: Category, below: str) -> None:
        self._ask = ask
        self._below = below
        self._rules = rules
        self._max_text = max_text = max_text - _room(below)
        self._templates: dict[str, Template | None] = {}
        text = check_text(faults, ask.text, max_text * 4 if ask.is_template else max_text, needed=True)
        for where, template in (("text", text), ("file_path", ask.file_path)):
            if ask.is_template and template:
                self._templates[template] = check_template(faults, template, where)
        self.tone = _tone(ask.text, rules)
        """What is odd about the common text."""

    def text(self, faults: Faults, line: AskRecipient, where: str) -> tuple[str | None, Code | None]:
        """Answer one line's text, checked as it will be sent, and what is odd about it."""
        text = self._own_text(faults, line, where)
        tone = self.tone if text is self._ask.text else _tone(text, self._rules)
        return signed(text, self._below), tone

    def _own_text(self, faults: Faults, line: AskRecipient, where: str) -> str | None:
        own = line.text if line.text and line.text.strip() else None
        if own is None and not self._ask.is_template:
            return self._ask.text  # checked once for all
        filled = self._filled(faults, own or self._ask.text, line, where, "text", is_own=own is not None)
        return (
            None if filled is None else check_text(faults, filled, self._max_text, needed=True, where=f"{where}.text")
        )

    def file_path(self, faults: Faults, line: AskRecipient, where: str) -> str | None:
        """Answer the path of one line's file; null for a line without one."""
        path = line.file_path or self._ask.file_path
        return path and self._filled(faults, path, line, where, "file_path", is_own=bool(line.file_path))

    def _filled(
        self, faults: Faults, text: str, line: AskRecipient, where: str, name: str, *, is_own: bool
    ) -> str | None:
        if not self._ask.is_template:
            return text
        template = self._templates.get(text)
        if template is None and is_own:
            template = self._templates[text] = check_template(faults, text, f"{where}.{name}")
        if template is None:
            return None
        values = known_values({**line.variables, "isim": line.name or ""})
        missing = template.missing(values)
        if missing is not None:
            faults.add(
                Code.INVALID_TEMPLATE,
                f"{where}.{name}" if is_own else where,
                "degisken_yok",
                name=missing.name[:LONGEST_REFERENCE],
            )
            return None
        return template.fill(values)


def draft_batch(
    ask: AskBatch, account: Account, token: Token, *, known: Categories, now: datetime, max_text: int
) -> list[BatchLine]:
    """Make the rows of a batch, one for each line of the list.

    A bad or repeated number becomes a failed row; a fault that concerns the whole request is raised, and so is a place
    in a text that a line doesn't fill: half a list must not get half a text.
    """
    faults = Faults()
    lines = _draft_lines(
        ask, account, token, known=known, now=now, max_text=max_text, faults=faults, faults_of_line=lambda: faults
    )
    faults.check()
    return lines


def examine_batch(
    ask: AskBatch, account: Account, token: Token, *, known: Categories, now: datetime, max_text: int
) -> list[BatchLine]:
    """Make the rows of a batch as `draft_batch` does, but leave each line's faults with it; none of it is to be stored.

    A fault that concerns the whole request is raised.
    """
    faults = Faults()
    lines = _draft_lines(
        ask, account, token, known=known, now=now, max_text=max_text, faults=faults, faults_of_line=Faults
    )
    faults.check()
    return lines


def _draft_lines(
    ask: AskBatch,
    account: Account,
    token: Token,
    *,
    known: Categories,
    now: datetime,
    max_text: int,
    faults: Faults,
    faults_of_line: Callable[[], Faults],
) -> list[BatchLine]:
    """Make the rows of a batch; `faults_of_line` answers where the faults of the next line go."""
    if len(ask.recipients) > MOST_RECIPIENTS:
        raise GuvercinError(Code.TOO_MANY_RECIPIENTS, params={"limit": MOST_RECIPIENTS})
    if not ask.recipients:
        faults.add(Code.INVALID_FIELD, "recipients", "bos")
    rules, warning = check_category(faults, ask.category, token, known)
    wording = _Wording(ask, faults, max_text, rules, imprint(account, rules))
    due_at, expires_at = check_times(faults, ask.planned_at, ask.lifetime, rules, now)
    shared = check_word(faults, ask.reference, "reference", LONGEST_REFERENCE)
    is_kept = account.kind is Kind.CLOUD  # a template of Meta's may ask for them; nobody else will
    lines: list[BatchLine] = []
    seen: set[str] = set()
    for place, line in enumerate(ask.recipients):
        where = f"recipients.{place}"
        own = faults_of_line()
        name = check_word(own, line.name, f"{where}.name", LONGEST_NAME)
        reference = check_word(own, line.reference, f"{where}.reference", LONGEST_REFERENCE)
        recipient, reason, doubt = _recipient(line, seen, account)
        text, tone = wording.text(own, line, where)
        draft = Draft(
            account_id=account.id,
            recipient=recipient,
            recipient_name=name,
            content=Content(text=text),
            category=ask.category,
            lane=Lane.BULK,
            priority=priority(rules.level, Lane.BULK),
            due_at=due_at,
            expires_at=expires_at,
            reference=reference or shared,
            reason=reason,
            warning=warning or tone or doubt,
            variables=known_values(line.variables) if is_kept and line.variables else None,
        )
        path = wording.file_path(own, line, where)
        lines.append(BatchLine(draft, path if reason is None else None, own))
    return lines


def is_make_believe(phone: Phone, account: Account) -> bool:
    """Say whether a number is one of the sandbox's, which no real line may be asked for."""
    return account.kind is not Kind.SANDBOX and phone.e164.startswith(_SANDBOX_NUMBERS)


def _recipient(line: AskRecipient, seen: set[str], account: Account) -> tuple[str, Code | None, Code | None]:
    """Answer a line's number, why it can't be sent to, and what is doubtful about it."""
    try:
        phone = parse_phone(line.phone)
    except InvalidPhone:
        return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(line.phone)[:LONGEST_NAME]), Code.INVALID_PHONE, None
    if phone.e164 in seen:
        return phone.e164, Code.DUPLICATE, None
    if is_make_believe(phone, account):
        return phone.e164, Code.SANDBOX_NUMBER, None
    seen.add(phone.e164)
    return phone.e164, None, phone.warning


def fingerprint(draft: Draft, ask: Ask) -> bytes:
    """Answer what makes two requests the same in the eyes of the guard against retries.

    Number, text, file and reference; the account and a planned time too, since a request that differs there is no
    repeat, and swallowing it would lose a message. The account as it was asked for, not as it came out: a retry is the
    same request although the default account has changed since the first try.
    """
    file = draft.content.file
    parts = (
        "" if ask.account_id is None else str(ask.account_id),
        draft.recipient,
        draft.content.text or "",
        file.digest if file else "",
        draft.reference or "",
        "" if draft.due_at is None else draft.due_at.astimezone(UTC).isoformat(),
    )
    return hashlib.sha256("\x00".join(parts).encode()).digest()[:16]
