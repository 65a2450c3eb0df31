"""What people want: the oracle hears every refusal and every consent, and lays them beside what leaves and what stands.

What a refusal covers stands here once more, and so do the words that people write.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.simulation.ledger import Ledger, Said
from tests.simulation.promises import Broken

_BEGINS, _ENDS = {"ret.eklendi", "ret.bakilacak"}, "ret.kaldirildi"
_ACCEPTED, _CLAIMED = "mesaj.kabul_edildi", "mesaj.gonderiliyor"
_NOTICES, _DEBTS, _ADVERTISING = {1, 3, 4, 6, 8}, {5, 7}, 9

STOPS, STARTS = ("Dur", "RET", "çıkış", "Mesaj istemiyorum"), ("Başla", "BAŞLA")
"""Words that people write."""

_MESSAGE = "SELECT recipient, account_id, category, batch_id, resend_of FROM message WHERE id = ?"


class _Refusal(NamedTuple):
    """A refusal that stands."""

    phone: str
    account_id: int | None
    scope: str


class WillOracle:
    """Hears every event once, in its order: that of commits, whatever the clocks said."""

    def __init__(self, ask: Callable[..., Sequence[Any]], ledger: Ledger) -> None:
        self._ask = ask
        self._ledger = ledger
        self._live: dict[int, _Refusal] = {}

    def hear(self, kind: str, message_id: int | None, detail: str | None) -> None:
        """Judge one event."""
        if kind in _BEGINS:
            number = int(json.loads(detail or "{}")["ret_id"])
            [row] = self._ask("SELECT phone, account_id, scope FROM opt_out WHERE id = ?", number)
            self._live[number] = _Refusal(*row)
        elif kind == _ENDS:
            self._live.pop(int(json.loads(detail or "{}")["ret_id"]), None)
        elif kind in {_ACCEPTED, _CLAIMED} and message_id is not None:
            self._judge(message_id, is_claim=kind == _CLAIMED)

    def _judge(self, number: int, *, is_claim: bool) -> None:
        [(phone, account_id, category, batch_id, resend_of)] = self._ask(_MESSAGE, number)
        against = {
            refusal_id: each
            for refusal_id, each in self._live.items()
            if each.phone == phone and each.account_id in {None, account_id}
        }
        if against and not self._confirms(number, against):
            for each in against.values():
                # What only sounds like a refusal holds a list's rows where they would leave, and nothing else.
                is_asked = is_claim or (each.scope != "bakilacak" and resend_of is None)
                if is_asked and self._covers(each.scope, account_id, category, is_direct=batch_id is None):
                    raise Broken("P7", f"{number} of category {category} goes on against {each}")
        if category == _ADVERTISING and not self._ask("SELECT 1 FROM consent WHERE phone = ? LIMIT 1", phone):
            raise Broken("WILL", f"{number} advertises to {phone}, who never agreed")

    def _confirms(self, number: int, against: dict[int, _Refusal]) -> bool:
        confirmed = self._ask("SELECT id FROM opt_out WHERE confirmation_id = ?", number)
        return any(refusal_id in against for (refusal_id,) in confirmed)

    def _covers(self, scope: str, account_id: int, category: int, *, is_direct: bool) -> bool:
        match scope:
            case "her_sey":
                return not (account_id in self._ledger.notices and is_direct and category in _NOTICES)
            case "ticari":
                return category == _ADVERTISING
            case "yanlis_numara":
                return category in _DEBTS
            case _:
                return not is_direct

    def judge(self, started: str) -> None:
        """Check what stands at the end: what each person wrote last. `started`: what is answered to who comes back."""
        self._last_words_stand()
        back = Counter(row[0] for row in self._ask("SELECT phone FROM opt_out WHERE ended_by = 'mesaj'"))
        for phone, count in Counter(
            row[0] for row in self._ask("SELECT recipient FROM message WHERE body = ? AND resend_of IS NULL", started)
        ).items():
            if count > back[phone]:
                raise Broken("WILL", f"{phone} came back {back[phone]} times, and heard so {count} times")

    def _last_words_stand(self) -> None:
        if self._ledger.has_jumped:  # then nobody knows what was written last
            return
        of_person: defaultdict[tuple[int, str], list[Said]] = defaultdict(list)
        for said in self._ledger.said:
            if said.text in {*STOPS, *STARTS} and said.phone not in self._ledger.decided:
                of_person[said.account_id, said.phone].append(said)
        for (account_id, phone), words in of_person.items():
            last = max(words, key=lambda said: said.at)
            # Who comes back before their refusal is heard is not known to have come back: that one stands.
            if last.text in STARTS and any(said.told_at > last.told_at for said in words if said.text in STOPS):
                continue
            stands = [each for each in self._live.values() if each == _Refusal(phone, account_id, "her_sey")]
            if bool(stands) is not (last.text in STOPS):
                raise Broken("WILL", f"{phone} wrote {words} to {account_id}, and {stands} stands")
