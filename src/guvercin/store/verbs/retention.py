"""What ends because its time is over."""

from datetime import datetime
from typing import Protocol

from guvercin.core.rights import Destruction


class Retention(Protocol):
    """What a night destroys because its time is over."""

    async def last_night(self) -> Destruction | None:
        """Answer the newest destruction of a night."""

    async def begin_destruction(self, *, now: datetime) -> int:
        """Begin the night's destruction in the log, or go on with one that was cut short; answers its id."""

    async def destroy_contents(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        """Take the content of some finished messages above an id; answers how far it has come, null at the end."""

    async def destroy_records(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        """Remove some finished messages with everything that names them; answers as `destroy_contents`."""

    async def destroy_beside(self, destruction_id: int, *, before: datetime) -> bool:
        """Remove some other rows whose time is over; says whether there may be more."""

    async def shorten_audit(self, *, before: datetime, now: datetime, limit: int) -> int:
        """Drop the oldest entries of the audit; answers how many."""

    async def end_destruction(self, destruction_id: int, *, now: datetime) -> None:
        """Write that a destruction is over."""

    async def log_destroyed_files(self, files: int, *, now: datetime) -> None:
        """Write into the log of destructions that copies of files were removed because their time was over."""

    async def compact(self) -> None:
        """Cut the journal off, and write the whole file anew if something was forgotten in a large one."""
