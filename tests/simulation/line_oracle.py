"""Who may be claimed when: what the oracle demands of the order in which messages get their turn, by events alone."""

from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from typing import Any

from tests.simulation.promises import Broken

_ACCEPTED, _RELEASED = "mesaj.kabul_edildi", "mesaj.sirada"
_CLAIMED = "mesaj.gonderiliyor"
_DEFERRED = "mesaj.ertelendi"
_STOPS = {"toplu.durduruldu": "paused", "toplu.iptal_edildi": "cancelled"}
_RESUMED = "toplu.surduruldu"


class LineOracle:
    """Hears every event once, in its order."""

    def __init__(self, ask: Callable[..., Sequence[Any]], has_rules: Container[int]) -> None:
        self._ask = ask
        self._has_rules = has_rules
        """Accounts whose singles may have to wait for other reasons than their turn."""
        self._stopped: dict[int, str] = {}
        """Batches that give nothing to the line, and why."""
        self._singles: defaultdict[int, dict[int, int]] = defaultdict(dict)
        """By account: single messages that stand in line, and how many bulk messages had their turn since."""
        self._deferred: set[int] = set()
        self._excused: set[int] = set()
        """Single messages that were held back by an earlier one of their recipient."""

    def hear(self, kind: str, account_id: int | None, message_id: int | None, batch_id: int | None) -> None:
        """Judge one event."""
        if batch_id is not None and message_id is None:
            self._hear_of_batch(kind, batch_id)
        if message_id is None or account_id is None:
            return
        if kind == _CLAIMED and batch_id is not None:
            if why := self._stopped.get(batch_id):
                raise Broken("STOP", f"{message_id} was claimed while its batch {batch_id} was {why}")
            if account_id not in self._has_rules:
                self._a_bulk_message_goes(account_id, message_id)
        if kind == _DEFERRED:
            self._deferred.add(message_id)
        else:
            self._deferred.discard(message_id)
        if batch_id is None and (kind == _RELEASED or (kind == _ACCEPTED and not self._is_planned(message_id))):
            self._singles[account_id][message_id] = 0
        else:
            self._singles[account_id].pop(message_id, None)

    def _hear_of_batch(self, kind: str, batch_id: int) -> None:
        if kind in _STOPS and self._stopped.get(batch_id) != "cancelled":
            self._stopped[batch_id] = _STOPS[kind]
        if kind == _RESUMED:
            if self._stopped.get(batch_id) == "cancelled":
                raise Broken("STOP", f"batch {batch_id} was cancelled, and goes on")
            self._stopped.pop(batch_id, None)

    def _is_planned(self, message_id: int) -> bool:
        [(due_at, created_at)] = self._ask("SELECT due_at, created_at FROM message WHERE id = ?", message_id)
        return bool(due_at > created_at)

    def _a_bulk_message_goes(self, account_id: int, claimed: int) -> None:
        for number in self._singles[account_id]:
            if number in self._excused or self._is_held_back(number):
                self._excused.add(number)
                continue
            self._singles[account_id][number] += 1
            if self._singles[account_id][number] > 1:
                raise Broken("OVERTAKE", f"{number} stood in line, and {claimed} was claimed before it")

    def _is_held_back(self, number: int) -> bool:
        """Say whether an earlier message of the same recipient and rank waits for another try."""
        before = self._ask(
            "SELECT e.id FROM message m JOIN message e ON e.account_id = m.account_id AND e.recipient = m.recipient "
            "AND e.priority = m.priority AND e.id < m.id WHERE m.id = ?",
            number,
        )
        return any(row[0] in self._deferred for row in before)
