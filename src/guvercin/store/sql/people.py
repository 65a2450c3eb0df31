"""People of the panel, over SQL: what each verb promises stands in store/verbs/people.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from guvercin.core.person import Person, Role, Session
from guvercin.store import people
from guvercin.store.sql.database import Database


class SqlPeople(Database):
    """See guvercin.store.verbs.people.People."""

    async def people(self) -> Sequence[Person]:
        return await self._read(people.every)

    async def password_hash(self, person_id: int) -> str | None:
        return await self._read(partial(people.password_of, person_id=person_id))

    async def add_person(
        self, name: str, role: Role, password_hash: str, token_hash: bytes, *, now: datetime, code_hash: bytes | None
    ) -> Person:
        return await self._writer.do(
            lambda tx: people.add(tx, name, role, password_hash, token_hash, now=now, code_hash=code_hash)
        )

    async def change_person(
        self,
        person_id: int,
        *,
        role: Role | None = None,
        password_hash: str | None = None,
        language: str | None = None,
        now: datetime,
    ) -> Person:
        return await self._writer.do(
            lambda tx: people.change(tx, person_id, now=now, role=role, password_hash=password_hash, language=language)
        )

    async def remove_person(self, person_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: people.remove(tx, person_id, now=now))

    async def open_session(
        self, person_id: int, secret_hash: bytes, *, agent: str, address: str, now: datetime
    ) -> None:
        await self._writer.do(
            lambda tx: people.open_session(tx, person_id, secret_hash, agent=agent, address=address, now=now)
        )

    async def session(self, secret_hash: bytes) -> Session | None:
        return await self._read(partial(people.session_of, secret_hash=secret_hash))

    async def sessions(self, person_id: int) -> Sequence[Session]:
        return await self._read(partial(people.sessions_of, person_id=person_id))

    async def touch_session(self, session_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: people.touch(tx, session_id, now=now))

    async def close_sessions(self, person_id: int, session_id: int | None = None) -> None:
        await self._writer.do(lambda tx: people.close_sessions(tx, person_id=person_id, session_id=session_id))

    async def keep_setup_code(self, code_hash: bytes, *, now: datetime) -> None:
        await self._writer.do(lambda tx: people.keep_setup_code(tx, code_hash, now=now))

    async def try_setup_code(self, code_hash: bytes, *, now: datetime) -> bool:
        return await self._writer.do(lambda tx: people.try_setup_code(tx, code_hash, now=now))

    async def settings(self) -> Mapping[str, str]:
        return await self._read(people.settings)

    async def set_setting(self, name: str, value: str) -> None:
        await self._writer.do(lambda tx: people.set_setting(tx, name, value))
