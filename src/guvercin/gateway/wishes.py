"""What people want, as those who run the business see it: refusals, what only sounds like one, and consents.

Laws
1. What holds for every account is decided by who sees every account: a limited token reads it and changes its own
   alone.
2. A refusal is never forgotten by a slip: ending one names a person.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from guvercin.core.consent import Consent, NewConsent, Proof
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.folding import fold
from guvercin.core.optout import (
    LONGEST_OWN,
    MOST_OWN,
    STOPS,
    NewOptOut,
    OptOut,
    OptOutScope,
    OptOutSource,
    Wish,
    wish_of,
)
from guvercin.core.token import Token
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_phone, check_word
from guvercin.gateway.files import Spool
from guvercin.gateway.requests import AskConsent, AskOptOut
from guvercin.store.store import Store

LONGEST_SAID = 1_000
LONGEST_VERSION = 100
LONGEST_WHY = 200
_EXPORTED_AT_ONCE = 1_000
_AT_ONCE = 500
"""Refusals of one list that are put to the store together; it commits them in groups."""

_TICK = timedelta(milliseconds=1)
"""What the store's times are rounded to."""


class Wishes:
    """What the people of one business want."""

    def __init__(self, *, store: Store, accounts: Accounts, spool: Spool, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._spool = spool
        self._clock = clock

    # -- refusals

    async def opt_outs(
        self,
        token: Token,
        *,
        phone: str | None = None,
        is_doubtful: bool | None = None,
        is_live: bool | None = None,
        limit: int,
        below: int | None,
    ) -> Sequence[OptOut]:
        """Answer a page of the refusals that this token sees, newest first."""
        return await self._store.opt_outs(
            token.rules.account_ids, phone=phone, is_doubtful=is_doubtful, is_live=is_live, limit=limit, below=below
        )

    async def opt_out(self, token: Token, opt_out_id: int) -> OptOut:
        """Answer one refusal, an ended one too. NOT_FOUND."""
        found = await self._store.opt_out(opt_out_id)
        if found is None or (found.account_id is not None and not token.sees(found.account_id)):
            raise GuvercinError(Code.NOT_FOUND)
        return found

    async def stop_words(self) -> Sequence[str]:
        """Answer the words of the owner's own that refuse beside the fixed ones, as they were typed."""
        return await self._store.stop_words()

    async def set_stop_words(self, token: Token, written: str) -> Sequence[str]:
        """Set them: one a line, or with commas between. The fixed words count whatever is set here.

        NOT_ALLOWED: the token sees only some accounts. INVALID_FIELD names the first word that can't be one.
        """
        if token.rules.account_ids is not None:
            raise GuvercinError(Code.NOT_ALLOWED)
        faults = Faults()
        chosen: dict[str, str] = {}
        for word in filter(None, map(str.strip, written.replace("\n", ",").split(","))):
            check_word(faults, word, "words", LONGEST_OWN)
            folded = fold(word)
            if not folded:
                faults.add(Code.INVALID_FIELD, "words", "gecersiz")
            elif folded in STOPS:
                faults.add(Code.INVALID_FIELD, "words", "sabit_soz", name=word)
            elif wish_of(word) in {Wish.START, Wish.WRONG_NUMBER}:
                faults.add(Code.INVALID_FIELD, "words", "baska_soz", name=word)
            chosen.setdefault(folded, " ".join(word.split()))
        if len(chosen) > MOST_OWN:
            faults.add(Code.INVALID_FIELD, "words", "cok_soz", limit=MOST_OWN)
        faults.check()
        words = tuple(chosen.values())
        await self._store.set_stop_words(words, now=self._clock.now())
        return words

    async def refuse_all(self, token: Token, phones: Sequence[str], source: OptOutSource) -> int:
        """Keep a refusal of everything, for every account, of each of these numbers (E.164); answers how many are new.

        NOT_ALLOWED as `refuse`. What was kept before a trouble stays kept: asking again adds the rest.
        """
        await self._check_account(token, None)
        began, new = self._clock.now() - _TICK, 0
        for start in range(0, len(phones), _AT_ONCE):
            now = self._clock.now()
            kept = await asyncio.gather(
                *(
                    self._store.add_opt_out(
                        NewOptOut(
                            account_id=None,
                            phone=phone,
                            scope=OptOutScope.EVERYTHING,
                            source=source,
                            token_id=token.id,
                        ),
                        now=now,
                    )
                    for phone in phones[start : start + _AT_ONCE]
                )
            )
            new += sum(each.created_at > began for each in kept)
        return new

    async def refuse(self, token: Token, ask: AskOptOut) -> OptOut:
        """Keep a refusal. INVALID_PHONE, NOT_FOUND; NOT_ALLOWED: for every account, by who sees only some."""
        await self._check_account(token, ask.account_id)
        faults = Faults()
        phone = check_phone(faults, ask.phone)
        said = check_word(faults, ask.said, "said", LONGEST_SAID)
        faults.check()
        assert phone is not None  # noqa: S101 -- a fault otherwise, raised above
        new = NewOptOut(
            account_id=ask.account_id,
            phone=phone.e164,
            scope=ask.scope,
            source=ask.source,
            said=said,
            token_id=token.id,
        )
        return await self._store.add_opt_out(new, now=self._clock.now())

    async def allow(
        self,
        token: Token,
        phone: str,
        *,
        account_id: int | None,
        scope: OptOutScope | None,
        by: OptOutSource,
        why: str | None = None,
    ) -> int:
        """End a person's refusals: of one account or all, of one scope or any; answers how many.

        INVALID_PHONE; INVALID_FIELD for a reason that is no line of text.
        """
        faults = Faults()
        checked = check_phone(faults, phone)
        why = check_word(faults, why, "reason", LONGEST_WHY)
        faults.check()
        assert checked is not None  # noqa: S101 -- a fault otherwise, raised above
        return await self._store.end_opt_outs(
            checked.e164,
            accounts=token.rules.account_ids,
            account_id=account_id,
            scope=scope,
            by=by,
            why=why,
            now=self._clock.now(),
        )

    async def decide(self, token: Token, opt_out_id: int, scope: OptOutScope | None, by: OptOutSource) -> OptOut:
        """Decide what somebody meant: a refusal of this scope, or none. Answers what stands now. NOT_FOUND."""
        doubted = await self.opt_out(token, opt_out_id)
        now = self._clock.now()
        decided = await self._store.decide_opt_out(opt_out_id, scope, by=by, token_id=token.id, now=now)
        ended = await self._store.opt_out(opt_out_id)
        return decided or ended or doubted

    async def _check_account(self, token: Token, account_id: int | None) -> None:
        if account_id is not None:
            await self._accounts.one(token, account_id)
        elif token.rules.account_ids is not None:
            raise GuvercinError(Code.NOT_ALLOWED)

    # -- consents

    async def consents(self, *, phone: str | None = None, limit: int, below: int | None) -> Sequence[Consent]:
        """Answer a page of consents, newest first."""
        return await self._store.consents(phone=phone, limit=limit, below=below)

    async def consents_for_iys(self) -> Sequence[Consent]:
        """Answer all consents as İYS takes them in: the newest of a person last."""
        kept: list[Consent] = []
        below: int | None = None
        while page := await self._store.consents(phone=None, limit=_EXPORTED_AT_ONCE, below=below):
            kept += page
            below = page[-1].id
        return kept[::-1]

    async def consent(self, token: Token, ask: AskConsent) -> Consent:
        """Keep a consent. INVALID_PHONE, INVALID_TIME, FILE_NOT_OPENED; NOT_ALLOWED for a limited token."""
        await self._check_account(token, None)
        now = self._clock.now()
        faults = Faults()
        phone = check_phone(faults, ask.phone)
        version = check_word(faults, ask.text_version, "text_version", LONGEST_VERSION)
        if ask.given_at > now:
            faults.add(Code.INVALID_TIME, "given_at", "gelecek_zaman")
        faults.check()
        assert phone is not None  # noqa: S101 -- a fault otherwise, raised above
        new = NewConsent(
            phone=phone.e164,
            recipient_kind=ask.recipient_kind,
            source=ask.source,
            given_at=ask.given_at,
            text_version=version,
            proof=None if ask.proof_id is None else await self._proof(token, ask.proof_id),
            token_id=token.id,
        )
        return await self._store.keep_consent(new, now=now)

    async def _proof(self, token: Token, upload_id: str) -> Proof:
        kept = await self._store.upload(upload_id)
        if kept is None or kept.token_id != token.id or not self._spool.has(kept.file.digest):
            raise GuvercinError(Code.FILE_NOT_OPENED, faults=(FieldFault("proof_id", Code.FILE_NOT_OPENED.value),))
        return Proof(digest=kept.file.digest, name=kept.file.name)
