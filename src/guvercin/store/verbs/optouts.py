"""What people want: refusals and consents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.consent import Consent, NewConsent
from guvercin.core.errors import Code
from guvercin.core.optout import NewOptOut, OptOut, OptOutScope, OptOutSource


class Refusals(Protocol):
    """Who wants no messages, and who has agreed to be advertised to."""

    async def add_opt_out(self, new: NewOptOut, *, now: datetime) -> OptOut:
        """Keep a refusal; whatever waits and is covered by it fails in the same change. The one that stands, if any."""

    async def end_opt_outs(
        self,
        phone: str,
        *,
        accounts: frozenset[int] | None,
        account_id: int | None,
        scope: OptOutScope | None,
        by: OptOutSource,
        why: str | None = None,
        now: datetime,
    ) -> int:
        """End a person's refusals: those of these accounts (null: of all), of one account, of one scope; how many.

        `why`: in the words of whoever ends them.
        """

    async def decide_opt_out(
        self, opt_out_id: int, scope: OptOutScope | None, *, by: OptOutSource, token_id: int, now: datetime
    ) -> OptOut | None:
        """Decide what a doubtful message meant: a refusal of this scope, or none. NOT_FOUND."""

    async def stop_words(self) -> Sequence[str]:
        """Answer the words that the owner has added to those which refuse, as they were typed."""

    async def set_stop_words(self, words: Sequence[str], *, now: datetime) -> None:
        """Let these words refuse beside the fixed ones, from the next message on."""

    async def opt_out(self, opt_out_id: int) -> OptOut | None:
        """Answer one refusal, ended ones among them."""

    async def opt_outs(
        self,
        accounts: frozenset[int] | None,
        *,
        phone: str | None = None,
        is_doubtful: bool | None = None,
        is_live: bool | None = None,
        limit: int,
        below: int | None,
    ) -> Sequence[OptOut]:
        """Answer refusals of these accounts (null: of all) and those of every account, newest first."""

    async def keep_consent(self, new: NewConsent, *, now: datetime) -> Consent:
        """Keep that somebody has agreed to be advertised to."""

    async def consents(self, *, phone: str | None = None, limit: int, below: int | None) -> Sequence[Consent]:
        """Answer consents, newest first, with ids below `below`."""

    async def objections(
        self, account_id: int, asked: Sequence[tuple[str, int]], *, is_direct: bool
    ) -> Sequence[Code | None]:
        """Answer for each recipient and category why such a message would not be accepted now."""
