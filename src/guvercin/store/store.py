"""The Store: async verbs, values in, values out. One verb is one atomic change.

Here stand those of the house; each of the others stands with its subject, in verbs/.
No connection, transaction or SQL leaves this package. A verb that changes something returns once the change is durable.
Every verb may raise QUEUE_FULL (nothing was tried) or STORE_UNAVAILABLE (nothing was kept).
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from guvercin.store.verbs.accepting import Accepting
from guvercin.store.verbs.access import Access
from guvercin.store.verbs.accounts import Accounts
from guvercin.store.verbs.alerts import Alerts
from guvercin.store.verbs.batches import Batches
from guvercin.store.verbs.categories import Categories
from guvercin.store.verbs.claiming import Claiming
from guvercin.store.verbs.hearing import Hearing
from guvercin.store.verbs.hooks import Hooks
from guvercin.store.verbs.inbox import Inbox
from guvercin.store.verbs.messages import Messages
from guvercin.store.verbs.numbers import Numbers
from guvercin.store.verbs.optouts import Refusals
from guvercin.store.verbs.pacing import Pacing
from guvercin.store.verbs.people import People
from guvercin.store.verbs.retention import Retention
from guvercin.store.verbs.rights import Rights
from guvercin.store.verbs.tally import Tally
from guvercin.store.verbs.upkeep import Upkeep
from guvercin.store.verbs.uploads import Uploads
from guvercin.store.writer import Committed


class Store(
    Accepting,
    Claiming,
    Pacing,
    Hearing,
    Inbox,
    Numbers,
    Messages,
    Batches,
    Uploads,
    Upkeep,
    Accounts,
    Refusals,
    Rights,
    Retention,
    Categories,
    Access,
    People,
    Tally,
    Hooks,
    Alerts,
    Protocol,
):
    """Durable memory, the same for SQLite and PostgreSQL."""

    async def open(self) -> None:
        """Connect. The schema must be there."""

    async def close(self) -> None:
        """Finish what was begun, then let go. From its first moment on nothing more is taken: CLOSING."""

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` after every commit that changed a message or an account. It only shortens waits."""

    @property
    def waiting(self) -> int:
        """Answer how many changes wait to be written."""

    async def check(self, now: datetime) -> None:
        """Write for real; raises STORE_UNAVAILABLE when that fails."""

    async def backup(self, target: Path) -> None:
        """Write a consistent copy of a live database."""
