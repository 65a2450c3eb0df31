"""Random days of the HTTP API, held against the plain model beside this file after every request.

The whole product answers (tests/proof/office.py): app, gateway, loops, sandbox and database, on a clock that moves only
when a rule moves it or while a caller waits. A failure prints the requests that lead to it, as short as they get.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.api.declared import Declared
from tests.proof.api_model import ENDS, OPEN, ORDINARY, UNFINISHED, Account, Key, Model, Row
from tests.proof.office import BASE, SECOND, Office, empty_database
from tests.rounds import rounds

from guvercin.core.token import Permission

T = TypeVar("T")
Json = dict[str, Any]

DAYS = rounds(20, 400)
REQUESTS = rounds(25, 40)

ISTANBUL = ZoneInfo("Europe/Istanbul")
DAY = timedelta(days=1)
LATE = timedelta(minutes=5)
MOST_SETTLING = 60
"""Rounds of 20 seconds after which every story of a day must be over."""

TOKENS: dict[str, Json] = {
    "owner": {},
    "branch": {"account_ids": frozenset({2})},
    "reader": {"permissions": frozenset({Permission.READ})},
    "eager": {"guards_retries": False},
}
SENDERS = st.sampled_from(["owner", "owner", "owner", "owner", "owner", "branch", "eager", "reader"])
OWNERS = st.sampled_from(["owner", "owner", "owner", "branch"])
PEOPLE = st.sampled_from([ORDINARY, ORDINARY, "0532 123 45 67", 5321234567, *ENDS])
LINES = st.sampled_from([ORDINARY, "0532 123 45 67", "5", *ENDS])
TEXTS = st.sampled_from(["Merhaba", "Şifreniz 1234"])
REFERENCES = st.sampled_from([None, None, "SIP-1", "SIP-2"])
ACCOUNTS = st.sampled_from([None, None, None, None, None, 1, 2, 2, 99])
PLANS = st.sampled_from([None, None, None, None, -60, 60, 3_600])
LIVES = st.sampled_from([None, None, None, 1])
KEYS = st.sampled_from([None, None, None, "a", "b"])
WAITS = st.sampled_from([None, "respond-async", "respond-async", "wait=0", "wait=2"])
PICKS = st.integers(0, 999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What every send may wish. `plan`: seconds from the day's beginning; `life`: minutes; `wait`: Prefer."""

    token: str
    text: str
    reference: str | None = None
    account: int | None = None
    plan: int | None = None
    life: int | None = None
    key: str | None = None
    wait: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        wishes = {"Idempotency-Key": self.key, "Prefer": self.wait}
        return {name: value for name, value in wishes.items() if value is not None}

    @property
    def is_guarded(self) -> bool:
        """Say whether a repeat of it is recognised without a key."""
        return self.key is None and self.token != "eager"


ASKINGS = st.builds(
    Asking,
    token=SENDERS,
    text=TEXTS,
    reference=REFERENCES,
    account=ACCOUNTS,
    plan=PLANS,
    life=LIVES,
    key=KEYS,
    wait=WAITS,
)

FILTERS = {"durum": "status", "hesap_id": "account", "telefon": "to", "referans": "reference", "toplu_id": "batch"}
"""The query of a list, and what it means of a row."""


def e164(typed: str | int) -> str:
    """Answer a number of PEOPLE or LINES as answers write it."""
    return ORDINARY if str(typed).replace(" ", "").endswith("5321234567") else str(typed)


class Day(RuleBasedStateMachine):
    """One office and one model that are asked the same things."""

    folder: Path
    database: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.own = Path(mkdtemp(dir=self.folder))
        self.model = Model()
        self.declared = Declared()
        self.secrets: dict[str, str] = {}
        self.asked: list[Callable[[], None]] = []

    def play(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        async def begin() -> Office:
            office = await Office.open(self.own, self.database, accounts=2)
            for name, rules in TOKENS.items():
                self.secrets[name] = await office.token(name=name, **rules)
            return office

        self.office = self.play(begin())
        self.start = self.now.replace(microsecond=0)  # as a plan is written
        self.model.accounts = {1: Account(1, "Deneme"), 2: Account(2, "Hesap 2")}
        self.model.default = 1

    @property
    def now(self) -> datetime:
        return self.office.clock.now()

    # -- asking

    def ask(self, token: str, method: str, path: str, **more: Any) -> httpx2.Response:
        answer = self.play(self.office.ask(method, f"{BASE}{path}", self.secrets[token], **more))
        self.play(self.declared.record(answer))
        self.declared.check()
        assert answer.status_code != 500, answer.text
        return answer

    def get(self, token: str, path: str, **params: Any) -> Any:
        answer = self.ask(token, "GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sees(self, token: str, account: int) -> bool:
        return token != "branch" or account == 2

    def live(self, token: str, account: int) -> bool:
        return account in self.model.accounts and self.sees(token, account)

    def row(self, pick: int) -> Row:
        rows = list(self.model.rows.values())
        return rows[pick % len(rows)]

    def account(self, pick: int) -> int:
        return (*self.model.accounts, 99)[pick % (len(self.model.accounts) + 1)]

    def why_not(self, asking: Asking) -> tuple[int, str] | None:
        """Answer how a send is refused for what stands in it, if it is."""
        if asking.account is not None and not self.live(asking.token, asking.account):
            return 404, "bulunamadi"
        if asking.account is None and (self.model.default is None or not self.live(asking.token, self.model.default)):
            return 503, "hesap_yok"
        if (planned := self.planned(asking)) is not None and planned < self.now - LATE:
            return 422, "gecersiz_zaman"
        return None

    def refused(self, answer: httpx2.Response, why: tuple[int, str]) -> None:
        assert (answer.status_code, answer.json()["kod"]) == why, answer.text
        assert "log_id" not in answer.json()

    def planned(self, asking: Asking) -> datetime | None:
        return None if asking.plan is None else self.start + asking.plan * SECOND

    def body(self, asking: Asking) -> Json:
        planned = self.planned(asking)
        wishes = {
            "mesaj": asking.text,
            "hesap_id": asking.account,
            "referans": asking.reference,
            "planlanan_zaman": planned and f"{planned.astimezone(ISTANBUL):%Y-%m-%d %H:%M:%S}",
            "gecerlilik_dk": asking.life,
        }
        return {name: value for name, value in wishes.items() if value is not None}

    def draft(self, asking: Asking, to: str, default: int | None, now: datetime) -> Row:
        """Answer the row that a send makes; its id is not known yet."""
        account = asking.account or default
        assert account is not None
        planned = self.planned(asking)
        due = planned if planned is not None and planned > now else None
        return Row(
            id=0,
            account=account,
            asked_of=asking.account,
            to=to,
            text=asking.text,
            reference=asking.reference,
            token=asking.token,
            created_at=now,
            due_at=due,
            expires_at=(due or now) + (DAY if asking.life is None else timedelta(minutes=asking.life)),
            planned=planned,
        )

    def keep(self, row: Row, log_id: int) -> Row:
        """Put a row that was accepted into the model: its id is new, and larger than all before."""
        assert log_id > max(self.model.rows, default=0), f"{log_id} is not new"
        row.id = log_id
        self.model.rows[log_id] = row
        return row

    @staticmethod
    def accepted(answer: httpx2.Response, wait: str | None) -> int:
        """Answer the log id of an accepted message, however its answer looks: with, before or after its fate."""
        told = answer.json()
        if answer.status_code == 422:
            is_repeat = "Idempotency-Replayed" in answer.headers or "Tekrar" in answer.headers
            assert wait != "respond-async" or is_repeat, "a repeat says what has become of the first, and nothing else"
            return int(told["log_id"])
        assert answer.status_code == (202 if wait == "respond-async" else 200), answer.text
        assert ("durum" in told) is (told["message_id"] is None) or answer.status_code == 202, told
        return int(told["log_id"])

    # -- messages

    @rule(asking=ASKINGS, phone=PEOPLE)
    def send(self, asking: Asking, phone: str | int) -> None:
        self.asked.append(partial(self._send, asking, phone))
        self.asked[-1]()

    def _send(self, asking: Asking, phone: str | int) -> None:
        now, default, why_not = self.now, self.model.default, self.why_not(asking)
        body = {"telefon": phone, **self.body(asking)}
        answer = self.ask(asking.token, "POST", "/gonder", json=body, headers=asking.headers)
        known = self.model.keys.get((asking.token, "/gonder", asking.key))
        if asking.token == "reader":
            self.refused(answer, (403, "yetki_yok"))
        elif known is not None and known.body == body:
            assert self.accepted(answer, asking.wait) == known.row
            assert answer.headers["Idempotency-Replayed"] == "true"
        elif why_not is not None:
            self.refused(answer, why_not)
        elif known is not None:
            self.refused(answer, (422, "tekrar_anahtari_uyusmuyor"))
        else:
            row = self.draft(asking, e164(phone), default, now)
            before = self.model.repeat_of(row) if asking.is_guarded else None
            log_id = self.accepted(answer, asking.wait)
            assert answer.headers.get("Tekrar") == (None if before is None else "1")
            if before is not None:
                assert log_id == before.id
            else:
                self.keep(row, log_id)
            if asking.key is not None:
                self.model.keys[asking.token, "/gonder", asking.key] = Key(body, row=log_id)
        self.check()

    @rule(asking=ASKINGS, people=st.lists(LINES, min_size=1, max_size=4))
    def send_batch(self, asking: Asking, people: list[str]) -> None:
        self.asked.append(partial(self._send_batch, asking, people))
        self.asked[-1]()

    def _send_batch(self, asking: Asking, people: list[str]) -> None:
        now, default, why_not = self.now, self.model.default, self.why_not(asking)
        body = {"alicilar": [{"telefon": each} for each in people], **self.body(asking)}
        before = self.model.unfinished_batch_of(asking.token, body, now) if asking.is_guarded else None
        answer = self.ask(asking.token, "POST", "/toplu-gonder", json=body, headers=asking.headers)
        known = self.model.keys.get((asking.token, "/toplu-gonder", asking.key))
        if asking.token == "reader":
            self.refused(answer, (403, "yetki_yok"))
        elif known is not None and known.body == body:
            assert self.batch_of(answer) == known.batch
            assert answer.headers["Idempotency-Replayed"] == "true"
        elif why_not is not None:
            self.refused(answer, why_not)
        elif known is not None:
            self.refused(answer, (422, "tekrar_anahtari_uyusmuyor"))
        else:
            batch = self.batch_of(answer)
            assert answer.headers.get("Tekrar") == (None if before is None else "1")
            if before is not None:
                assert batch == before
            else:
                assert batch not in self.model.batches
                self.model.batches[batch] = (asking.token, body, now)
                self.keep_batch(batch, [self.draft(asking, e164(typed), default, now) for typed in people])
            if asking.key is not None:
                self.model.keys[asking.token, "/toplu-gonder", asking.key] = Key(body, batch=batch)
        self.check()

    def keep_batch(self, batch: int, rows: list[Row]) -> None:
        told = self.get("owner", "/gonderimler", toplu_id=batch, limit=200)["data"]
        assert len(told) == len(rows)
        seen: set[str] = set()
        for each, row in zip(reversed(told), rows, strict=True):
            self.keep(row, each["id"])
            row.batch, row.is_guarded = batch, False
            if row.to == "5":
                row.status, row.reason = "failed", "gecersiz_telefon"
            elif row.to in seen:
                row.status, row.reason = "failed", "mukerrer"
            seen.add(row.to)

    @staticmethod
    def batch_of(answer: httpx2.Response) -> int:
        told = answer.json()
        assert answer.status_code in {200, 202}, answer.text
        assert told["total"] == told["sent"] + told["failed"] + told.get("queued", 0)
        return int(answer.headers["Location"].rpartition("/")[2])

    @precondition(lambda self: self.model.rows)
    @rule(token=SENDERS, pick=PICKS)
    def cancel(self, token: str, pick: int) -> None:
        row = self.row(pick)
        answer = self.ask(token, "POST", f"/gonderimler/{row.id}/iptal")
        if token == "reader":
            self.refused(answer, (403, "yetki_yok"))
        elif not self.sees(token, row.account):
            self.refused(answer, (404, "bulunamadi"))
        elif row.status in {"queued", "scheduled", "cancelled"}:
            assert (answer.status_code, answer.json()["durum"]) == (200, "cancelled")
            row.hear("cancelled", row.reason)
        else:
            assert (answer.status_code, answer.json()["kod"]) == (409, "iptal_edilemez")
        self.check()

    @rule(token=OWNERS, reference=st.sampled_from(["SIP-1", "SIP-2", "SIP-3"]))
    def cancel_reference(self, token: str, reference: str) -> None:
        answer = self.ask(token, "POST", "/iptal", json={"referans": reference})
        waiting = [
            row
            for row in self.model.rows.values()
            if row.reference == reference and row.status in {"queued", "scheduled"} and self.sees(token, row.account)
        ]
        assert (answer.status_code, answer.json()["adet"]) == (200, len(waiting))
        for row in waiting:
            row.hear("cancelled", row.reason)
        self.check()

    @precondition(lambda self: self.model.rows)
    @rule(asking=ASKINGS, pick=PICKS)
    def resend(self, asking: Asking, pick: int) -> None:
        self.asked.append(partial(self._resend, asking, self.row(pick)))
        self.asked[-1]()

    def _resend(self, asking: Asking, old: Row) -> None:
        now = self.now
        path = f"/gonderimler/{old.id}/yeniden-gonder"
        answer = self.ask(asking.token, "POST", path, headers=asking.headers)
        known = self.model.keys.get((asking.token, path, asking.key))
        if asking.token == "reader":
            self.refused(answer, (403, "yetki_yok"))
        elif known is not None:
            assert self.accepted(answer, asking.wait) == known.row
            assert answer.headers["Idempotency-Replayed"] == "true"
        elif not self.live(asking.token, old.account):
            self.refused(answer, (404, "bulunamadi"))
        elif old.to == "5":
            self.refused(answer, (422, "gecersiz_telefon"))
        elif old.status in OPEN:
            assert (answer.status_code, answer.json()["kod"]) == (409, "sirada_mesaj_var")
        else:
            again = Asking(token=asking.token, text=old.text, reference=old.reference, account=old.account)
            row = self.draft(again, old.to, None, now)
            row.resend_of, row.is_guarded = old.id, False
            self.keep(row, self.accepted(answer, asking.wait))
            if asking.key is not None:
                self.model.keys[asking.token, path, asking.key] = Key({}, row=row.id)
            if old.status == "unknown":
                old.hear("failed", "yeniden_gonderildi")
        self.check()

    @precondition(lambda self: self.asked)
    @rule(back=st.integers(1, 4))
    def ask_again(self, back: int) -> None:
        """Send a request once more, word for word, as clients do that were cut off."""
        self.asked[-min(back, len(self.asked))]()

    @precondition(lambda self: self.model.rows)
    @rule(token=OWNERS, pick=PICKS)
    def release(self, token: str, pick: int) -> None:
        """Nothing is held here: a release changes nothing."""
        row = self.row(pick)
        answer = self.ask(token, "POST", f"/gonderimler/{row.id}/birak")
        if self.sees(token, row.account):
            assert (answer.status_code, answer.json()["durum"]) == (200, row.status)
        else:
            self.refused(answer, (404, "bulunamadi"))
        self.check()

    # -- accounts

    @precondition(lambda self: len(self.model.accounts) < 3)
    @rule(token=OWNERS)
    def add_account(self, token: str) -> None:
        answer = self.ask(token, "POST", "/hesaplar", json={"isim": "Yeni", "tur": "sandbox"})
        if token == "branch":
            self.refused(answer, (403, "yetki_yok"))
        else:
            assert answer.status_code == 201
            made = answer.json()["data"]["id"]
            assert made not in self.model.accounts
            self.model.accounts[made] = Account(made, "Yeni")
        self.check()

    @rule(token=OWNERS, pick=PICKS, verb=st.sampled_from(["duraklat", "devam", "devam", "varsayilan", "isim"]))
    def change_account(self, token: str, pick: int, verb: str) -> None:
        account = self.account(pick)
        path = f"/hesaplar/{account}"
        name = f"Adı {pick}"
        if verb == "isim":
            answer = self.ask(token, "PATCH", path, json={"isim": name})
        else:
            answer = self.ask(token, "POST", f"{path}/{verb}")
        if not self.live(token, account):
            self.refused(answer, (404, "bulunamadi"))
        elif verb == "varsayilan" and token == "branch":  # the default is everybody's, and it is limited to an account
            self.refused(answer, (403, "yetki_yok"))
        else:
            assert answer.status_code == 200, answer.text
            match verb:
                case "isim":
                    self.model.accounts[account].name = name
                case "varsayilan":
                    self.model.default = account
                case _:
                    self.model.accounts[account].is_enabled = verb == "devam"
        self.check()

    @precondition(lambda self: len(self.asked) > 6)  # seldom: afterwards much is refused
    @rule(token=OWNERS, pick=PICKS)
    def remove_account(self, token: str, pick: int) -> None:
        account = self.account(pick)
        answer = self.ask(token, "DELETE", f"/hesaplar/{account}")
        if not self.live(token, account):
            self.refused(answer, (404, "bulunamadi"))
        elif any(row.status in UNFINISHED for row in self.model.of_account(account)):
            self.refused(answer, (409, "sirada_mesaj_var"))
        else:
            assert answer.status_code == 200, answer.text
            del self.model.accounts[account]
            self.model.default = None if self.model.default == account else self.model.default
        self.check()

    # -- time, and reading

    @rule(seconds=st.sampled_from([1, 5, 5, 30, 61, 301]))
    def pass_time(self, seconds: int) -> None:
        if seconds <= 5:
            self.play(self.office.clock.elapse(seconds * SECOND))
        else:
            self.play(self.office.idle(seconds * SECOND))
        self.check()

    @precondition(lambda self: self.model.rows)
    @rule(token=OWNERS, pick=PICKS, by=st.sets(st.sampled_from(sorted(FILTERS))), limit=st.integers(1, 5))
    def look_up(self, token: str, pick: int, by: set[str], limit: int) -> None:
        """Narrow a list down to what a row is like, page by page."""
        row = self.row(pick)
        words = {
            "durum": "status",
            "hesap_id": "account",
            "telefon": "to",
            "referans": "reference",
            "toplu_id": "batch",
        }
        wanted = {word: getattr(row, words[word]) for word in by}
        wanted = {word: value for word, value in wanted.items() if value not in (None, "5")}
        found: list[int] = []
        after: dict[str, str] = {}
        while True:
            page = self.get(token, "/gonderimler", **wanted, limit=limit, **after)
            found += [each["id"] for each in page["data"]]
            if page["sonraki"] is None:
                break
            assert len(page["data"]) == limit
            after = {"sonra": page["sonraki"]}
        expected = self.model.matching(**{FILTERS[word]: value for word, value in wanted.items()})
        assert found == [each for each in expected if self.sees(token, self.model.rows[each].account)]

    @precondition(lambda self: self.model.rows)
    @rule(token=SENDERS, pick=PICKS)
    def read_one(self, token: str, pick: int) -> None:
        """An accepted row is always found again, by those who see its account; for others it does not exist."""
        row = self.row(pick)
        answers = [self.ask(token, "GET", f"/durum/{row.id}"), self.ask(token, "GET", f"/gonderimler/{row.id}")]
        if row.batch is not None:
            answers.append(self.ask(token, "GET", f"/toplu/{row.batch}"))
        for answer in answers:
            if not self.sees(token, row.account):
                self.refused(answer, (404, "bulunamadi"))
            else:
                assert answer.status_code == 200
        if self.sees(token, row.account):
            for answer in answers[:2]:
                told = answer.json()["data"]
                assert (told["id"], told["durum"], told["alici"]) == (row.id, row.status, row.to)
        self.refused(self.ask("owner", "GET", f"/durum/{max(self.model.rows) + 1}"), (404, "bulunamadi"))

    # -- held together

    def check(self) -> None:
        """Compare every row, every batch and every account with what the server tells of them."""
        told = self.get("owner", "/gonderimler", limit=200)
        assert [each["id"] for each in told["data"]] == self.model.matching()
        for each in told["data"]:
            row = self.model.rows[each["id"]]
            row.hear(each["durum"], each["neden"])
            said = (
                each["hesap_id"],
                each["alici"],
                each["mesaj"],
                each["referans"],
                each["toplu_id"],
                each["asil_log_id"],
            )
            assert said == (row.account, row.to, row.text, row.reference, row.batch, row.resend_of)
            assert (each["message_id"] is None) or row.status not in {"scheduled", "cancelled"}
        for batch in self.model.batches:
            self.check_batch(self.get("owner", f"/toplu/{batch}")["data"], self.model.of_batch(batch))
        accounts = {each["id"]: each for each in self.get("owner", "/hesaplar")["data"]}
        assert accounts.keys() == self.model.accounts.keys()
        for known in self.model.accounts.values():
            each = accounts[known.id]
            assert (each["isim"], each["varsayilan"]) == (known.name, known.id == self.model.default)
            assert known.is_enabled or each["durum"] == "disconnected"
        assert {each["id"] for each in self.get("branch", "/hesaplar")["data"]} == {2} & self.model.accounts.keys()

    @staticmethod
    def check_batch(told: Json, rows: list[Row]) -> None:
        counts = Counter(row.status for row in rows)
        assert {name: count for name, count in told["dagilim"].items() if count} == counts
        assert told["total"] == len(rows) == told["sent"] + told["failed"] + told["queued"]
        assert told["sent"] == sum(counts[each] for each in ("sent", "delivered", "read"))
        assert (told["durum"] == "running") is any(counts[each] for each in OPEN)

    def teardown(self) -> None:
        try:
            if hasattr(self, "office"):
                self.end()
        finally:
            self.runner.close()
            shutil.rmtree(self.own)

    def end(self) -> None:
        """Let every story end, and see that it ended as it must, and that nothing arrived twice."""
        try:
            for account in self.model.accounts:
                self.ask("owner", "POST", f"/hesaplar/{account}/devam")
                self.model.accounts[account].is_enabled = True
            for _ in range(MOST_SETTLING):
                self.play(self.office.idle(20 * SECOND, stride=5 * SECOND))
                self.check()
                if not self.unended():
                    break
            assert not self.unended()
            arrived = Counter(each["message_id"] for each in self.office.arrivals())
            assert not [log_id for log_id, times in arrived.items() if times > 1], arrived
            for row in self.model.rows.values():
                is_with_whatsapp = row.status in {"sent", "delivered", "read", "unknown"}
                assert not is_with_whatsapp or arrived[row.id] == 1, row
                assert row.status not in {"cancelled", "scheduled"} or row.id not in arrived, row
        finally:
            self.play(self.office.close())

    def unended(self) -> list[str]:
        found = []
        for row in self.model.rows.values():
            try:
                row.check_end(now=self.now, is_served=row.account in self.model.accounts)
            except AssertionError:
                found.append(repr(row))
        return found


def test_whatever_is_asked_the_answers_are_those_of_the_model(tmp_path: Path) -> None:
    Day.folder = tmp_path
    Day.database = empty_database(tmp_path)
    asked = settings(
        max_examples=DAYS,
        stateful_step_count=REQUESTS,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Day, settings=asked)
