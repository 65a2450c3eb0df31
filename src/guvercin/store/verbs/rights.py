"""People's rights to what is held of them: seeing it, having it forgotten, having it kept; and who did what."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.audit import ALL, Chain, Entry, Sought
from guvercin.core.rights import Destruction, Dossier, Forgotten, Hold


class Rights(Protocol):
    """What is held of a person, and the records of who did what with it."""

    async def dossier(self, phone: str) -> Dossier:
        """Answer everything that is held of a number."""

    async def tell_of_export(self, phone: str, *, now: datetime) -> None:
        """Write into the audit that somebody was given what is held of a number."""

    async def forget_person(self, phone: str, *, now: datetime) -> Forgotten:
        """Forget everything of a number but a hash of it where it refused. IN_HAND, ON_HOLD: nothing was changed."""

    async def digests_in_use(self, digests: Collection[str]) -> frozenset[str]:
        """Answer which of these files something still names."""

    async def scrub(self, *, now: datetime) -> bool:
        """Take what was forgotten out of the journal and unused space; says whether traces may stay until the night."""

    async def hold_person(self, phone: str, why: str | None, *, now: datetime) -> Hold:
        """Keep everything of a number whatever else is asked."""

    async def let_person_go(self, phone: str, *, now: datetime) -> bool:
        """End a hold; says whether there was one."""

    async def audit(self, *, limit: int, below: int | None, sought: Sought = ALL) -> Sequence[Entry]:
        """Answer who did what, newest first, with ids below `below`."""

    async def audit_actors(self) -> Mapping[int, str]:
        """Answer whoever stands in the audit, by token, with the name that the token has."""

    async def audit_chain(self, *, at_most: int | None) -> Chain | None:
        """Look whether the chain is whole; null: it has more than `at_most` entries, and nobody looked."""

    async def destructions(self, *, limit: int, below: int | None) -> Sequence[Destruction]:
        """Answer what was destroyed, newest first, with ids below `below`."""
