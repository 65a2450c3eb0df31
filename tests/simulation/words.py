"""The words of the database as the oracle reads them: what may follow what, and a message's row.

They stand here once more on purpose: an oracle that asked the code under test would believe it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from tests.simulation.ledger import text_of

OPEN = {"queued", "sending", "unknown"}
THERE = {"sent", "delivered", "read"}
MAY_FOLLOW: Mapping[str, set[str]] = {
    **{status: {*OPEN, *THERE, "failed", "cancelled"} for status in OPEN},
    "sent": {"sent", "delivered", "read", "failed"},
    "delivered": {"delivered", "read"},
    "read": {"read"},
    "failed": {"failed", "delivered", "read"},
    "cancelled": {"cancelled", "delivered", "read"},
}
STATUS_OF_EVENT = {
    "mesaj.kabul_edildi": "queued",
    "mesaj.ertelendi": "queued",
    "mesaj.sirada": "queued",
    "mesaj.gonderiliyor": "sending",
    "mesaj.belirsiz": "unknown",
    "mesaj.gonderildi": "sent",
    "mesaj.iletildi": "delivered",
    "mesaj.okundu": "read",
    "mesaj.basarisiz": "failed",
    "mesaj.iptal_edildi": "cancelled",
}
HELD, PAUSED = "mesaj.bekletildi", "toplu.durduruldu"
_FROM_SENDING = {"sending", "queued", "unknown", "sent", "delivered", "read", "failed"}
NEXT: Mapping[str, set[str]] = {
    "queued": {"queued", "sending", "failed", "cancelled", "sent", "delivered", "read"},
    "sending": _FROM_SENDING - {"sending"},
    "unknown": _FROM_SENDING - {"sending", "unknown"},
    "sent": {"delivered", "read", "failed"},
    "delivered": {"read"},
    "read": set(),
    "failed": {"delivered", "read"},
    "cancelled": {"delivered", "read"},
}

ROWS = (
    "SELECT id, status, reason, remote_id, recipient, priority, body, batch_id, created_at, resend_of, category "
    "FROM message ORDER BY id"
)


class Row(NamedTuple):
    """One message as the database has it."""

    id: int
    status: str
    reason: str | None
    remote_id: str | None
    recipient: str
    priority: int
    body: str
    batch_id: int | None
    created_at: int
    resend_of: int | None
    category: int

    @property
    def text(self) -> str:
        """Answer what its caller wanted to say."""
        return text_of(self.body)

    def __repr__(self) -> str:
        return f"#{self.id} {self.status} {self.reason or ''}".strip()


def to_ms(moment: datetime) -> int:
    """Answer a moment as the database has it."""
    return round(moment.astimezone(UTC).timestamp() * 1000)
