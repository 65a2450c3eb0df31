"""People's rights to what is held of them: seeing it, having it forgotten, having it kept; and who did what."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.audit import Entry
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

    async def audit(self, *, limit: int, below: int | None) -> Sequence[Entry]:
        """Answer who did what, newest first, with ids below `below`."""

    async def destructions(self, *, limit: int, below: int | None) -> Sequence[Destruction]:
        """Answer what was destroyed, newest first, with ids below `below`."""
