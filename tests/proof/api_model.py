"""The HTTP API in plain Python: what it has accepted, and what may be said of that.

Nothing here knows how the server does it. A row's fate follows from its number (the sandbox acts it out), so the model
says what each row may still become, and what it must have become in the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guvercin.core.message import TRANSITIONS, Status

ORDINARY = "+905321234567"

ENDS = {
    "+905000000001": ("read", None),
    "+905000000002": ("failed", "numara_whatsappta_degil"),
    "+905000000003": ("delivered", None),
    "+905000000004": ("read", None),
    "+905000000006": ("read", None),
    "+905000000007": ("read", None),
    "+905000000008": ("unknown", "yanit_kayboldu"),
    "+905000000009": ("failed", "yeni_sohbet_kisitli"),
    "+905000000010": ("read", None),
    "+905000000011": ("read", None),
    "+905000000012": ("read", None),
    ORDINARY: ("read", None),
}
"""How the story of a number ends: status and reason."""

OPEN = frozenset({"queued", "scheduled", "sending"})
UNFINISHED = OPEN | {"unknown"}
ENDED_BY_US = frozenset({"iptal", "suresi_doldu", "yeniden_gonderildi", "gecersiz_telefon", "mukerrer"})

GUARD = timedelta(minutes=5)
BATCH_GUARD = timedelta(minutes=10)


def _later(status: Status) -> frozenset[str]:
    """Answer every status that one may turn into, by the table that the server runs on.

    What a line defers goes back in line, and that is no step back: the three that stand in line are one. What is in
    doubt never goes back here: the sandbox doesn't answer late.
    """
    seen, ahead = {status}, [status]
    while ahead:
        here = ahead.pop()
        for after in TRANSITIONS[here].values():
            if after not in seen and (here, after) != (Status.UNKNOWN, Status.QUEUED):
                seen.add(after)
                ahead.append(after)
    names = {each.value for each in seen}
    return frozenset(names | OPEN if names & OPEN else names)


LATER = {status.value: _later(status) for status in Status}
LATER["scheduled"] = LATER["queued"]


@dataclass(slots=True, kw_only=True)
class Row:
    """One message: what was asked, and what was last heard of it."""

    id: int
    account: int
    asked_of: int | None = None
    """The account that was asked for; null: the default one, whichever it was."""
    to: str
    text: str
    reference: str | None
    token: str
    created_at: datetime
    due_at: datetime | None
    expires_at: datetime
    batch: int | None = None
    resend_of: int | None = None
    reason: str | None = None
    status: str = "queued"
    planned: datetime | None = None
    is_guarded: bool = True

    @property
    def same(self) -> tuple[object, ...]:
        """Answer what makes two requests one, as far as it can be seen without a key; their time comes on top."""
        return self.token, self.asked_of, self.to, self.text, self.reference

    def hear(self, status: str, reason: str | None) -> None:
        """Hear where it stands now. It never goes back."""
        assert status in LATER[self.status], f"row {self.id} went from {self.status} to {status}"
        self.status, self.reason = status, reason

    def check_end(self, *, now: datetime, is_served: bool) -> None:
        """Say that the story is over as it must be. Without `is_served` its account is gone, and tells nothing more."""
        if self.reason == "suresi_doldu":
            assert self.expires_at <= now, self
            return
        if self.status == "cancelled" or (self.status == "failed" and self.reason in ENDED_BY_US):
            return
        if self.due_at is not None and self.due_at > now:
            assert self.status == "scheduled", self
        elif is_served:
            assert (self.status, self.reason) == ENDS[self.to], self
        else:
            assert self.status not in UNFINISHED, self


@dataclass(slots=True)
class Account:
    """An account as the list shows it."""

    id: int
    name: str
    is_enabled: bool = True


@dataclass(slots=True)
class Key:
    """What a key was given for."""

    body: object
    row: int | None = None
    batch: int | None = None


@dataclass(slots=True)
class Model:
    """Everything that was accepted."""

    rows: dict[int, Row] = field(default_factory=dict)
    batches: dict[int, tuple[str, object, datetime]] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    default: int | None = None
    keys: dict[tuple[str, str, str | None], Key] = field(default_factory=dict)

    def of_batch(self, batch: int) -> list[Row]:
        return [row for row in self.rows.values() if row.batch == batch]

    def of_account(self, account: int) -> Iterator[Row]:
        return (row for row in self.rows.values() if row.account == account)

    def repeat_of(self, asked: Row) -> Row | None:
        """Answer the row that a keyless repeat means: the newest of the last five minutes that is not over for good."""
        times = [asked.due_at] if asked.due_at is not None or asked.planned is None else [asked.planned, None]
        for due_at in times:
            for row in sorted(self.rows.values(), key=lambda row: -row.id):
                is_same = (row.same, row.due_at) == (asked.same, due_at)
                is_young = asked.created_at - row.created_at < GUARD
                if row.is_guarded and is_same and is_young and row.status not in {"failed", "cancelled"}:
                    return row
        return None

    def unfinished_batch_of(self, token: str, body: object, now: datetime) -> int | None:
        """Answer the batch that the same request made before, if something of it is still open."""
        for batch, (owner, asked, at) in sorted(self.batches.items(), reverse=True):
            is_open = any(row.status in OPEN for row in self.of_batch(batch))
            if (owner, asked) == (token, body) and now - at < BATCH_GUARD and is_open:
                return batch
        return None

    def matching(self, **wanted: object) -> list[int]:
        """Answer the ids of the rows that have all these values, newest first."""
        found = [row.id for row in self.rows.values() if all(getattr(row, k) == v for k, v in wanted.items())]
        return sorted(found, reverse=True)
