"""Who may sign in to the panel, their sessions, and what the owner set there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.person import Person, Role, Session


class People(Protocol):
    """People of the panel, their sessions, and what the owner set."""

    async def people(self) -> Sequence[Person]:
        """Answer everybody who may sign in to the panel, by id."""

    async def password_hash(self, person_id: int) -> str | None:
        """Answer the hash of a person's password."""

    async def add_person(
        self, name: str, role: Role, password_hash: str, token_hash: bytes, *, now: datetime, code_hash: bytes | None
    ) -> Person:
        """Add a person; the first one by the set-up code, which it spends. NOT_FOUND, INVALID_FIELD."""

    async def change_person(
        self,
        person_id: int,
        *,
        role: Role | None = None,
        password_hash: str | None = None,
        language: str | None = None,
        now: datetime,
    ) -> Person:
        """Change what is given of a person. NOT_FOUND; INVALID_FIELD if no administrator would be left."""

    async def remove_person(self, person_id: int, *, now: datetime) -> None:
        """End a person's sessions and let them sign in no more. Raises as `change_person`."""

    async def open_session(
        self, person_id: int, secret_hash: bytes, *, agent: str, address: str, now: datetime
    ) -> None:
        """Remember a browser in which a person signed in, by the SHA-256 of its secret."""

    async def session(self, secret_hash: bytes) -> Session | None:
        """Answer the session of a secret, over or not."""

    async def sessions(self, person_id: int) -> Sequence[Session]:
        """Answer a person's sessions, the last used first."""

    async def touch_session(self, session_id: int, *, now: datetime) -> None:
        """Write that a session was used."""

    async def close_sessions(self, person_id: int, session_id: int | None = None) -> None:
        """End one session of a person, or all."""

    async def keep_setup_code(self, code_hash: bytes, *, now: datetime) -> None:
        """Make a code the only one by which the first person is added. NOT_FOUND: there is one."""

    async def try_setup_code(self, code_hash: bytes, *, now: datetime) -> bool:
        """Say whether a set-up code is good; a wrong one costs the right one a try."""

    async def settings(self) -> Mapping[str, str]:
        """Answer what the owner set, by its name."""

    async def set_setting(self, name: str, value: str) -> None:
        """Set one thing."""
