"""People, their sessions, the one-time set-up code and what the owner set, as functions of a connection or transaction.

Secrets never come here: of a session and of a set-up code only the SHA-256, of a password its Argon2id hash.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from guvercin.core.audit import Act, Actor, Way
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.folding import fold
from guvercin.core.person import IDLE_LIMIT, PERMISSIONS, SESSION_LIMIT, SETUP_LIMIT, SETUP_TRIES, Person, Role, Session
from guvercin.core.token import PANEL_HINT, TokenRules
from guvercin.store import access, auditing
from guvercin.store.tables.access import token
from guvercin.store.tables.house import setting
from guvercin.store.tables.people import person, session, setup_code
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx


def _rules(name: str, role: Role) -> TokenRules:
    # A form carries its own key, so a text that somebody sends twice on purpose is sent twice.
    return TokenRules(name=name, permissions=PERMISSIONS[role], guards_retries=False)


_PEOPLE: Select[Any] = (
    select(
        *access.COLUMNS,
        person.c.id.label("person_id"),
        person.c.name,
        person.c.role,
        person.c.language,
        person.c.created_at.label("since"),
    )
    .join_from(person, token)
    .where(person.c.removed_at.is_(None))
)


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.person_id,
        name=row.name,
        role=Role(row.role),
        token=access.from_row(row),
        created_at=from_ms(row.since),
        language=row.language,
    )


def every(connection: Connection) -> Sequence[Person]:
    """Answer everybody who may sign in, by id."""
    return tuple(_person(row) for row in connection.execute(_PEOPLE.order_by(person.c.id)))


def password_of(connection: Connection, person_id: int) -> str | None:
    """Answer the hash of a person's password."""
    found: str | None = connection.execute(
        select(person.c.password_hash).where(person.c.id == person_id, person.c.removed_at.is_(None))
    ).scalar_one_or_none()
    return found


def add(
    tx: Tx, name: str, role: Role, password_hash: str, token_hash: bytes, *, now: datetime, code_hash: bytes | None
) -> Person:
    """Add a person and the token of what they do. INVALID_FIELD for a name that is taken.

    `code_hash`: the first person's set-up code, which is spent by it. NOT_FOUND when it isn't good, or somebody was
    first.
    """
    folded = fold(name)
    if code_hash is not None and not (_is_empty(tx.connection) and _is_good(tx.connection, code_hash, now)):
        raise GuvercinError(Code.NOT_FOUND)
    if any(fold(other.name) == folded for other in every(tx.connection)):
        raise GuvercinError(Code.INVALID_FIELD, faults=(FieldFault("name", "ad_alinmis"),))
    tx.connection.execute(delete(setup_code))
    made = access.create(tx, _rules(name, role), token_hash, PANEL_HINT, now=now)
    tx.connection.execute(
        insert(person).values(
            name=name, role=role.value, password_hash=password_hash, token_id=made.id, created_at=to_ms(now)
        )
    )
    added = next(each for each in every(tx.connection) if each.token.id == made.id)
    auditing.note(tx, Act.PERSON_ADDED, now=now, about=f"kullanici:{added.id}", detail={"rol": role.value})
    return added


def change(
    tx: Tx,
    person_id: int,
    *,
    now: datetime,
    role: Role | None = None,
    password_hash: str | None = None,
    language: str | None = None,
) -> Person:
    """Change what is given of a person. NOT_FOUND.

    INVALID_FIELD when nobody would be left who may change anything.
    """
    found = _one(tx.connection, person_id)
    if role is not None and role is not found.role:
        _check_admin_left(tx.connection, found)
        tx.connection.execute(update(person).where(person.c.id == person_id).values(role=role.value))
        rules = access.pack(_rules(found.name, role))
        tx.connection.execute(update(token).where(token.c.id == found.token.id).values(rules=rules))
    given = {"password_hash": password_hash, "language": language}
    changed = {column: value for column, value in given.items() if value is not None}
    if changed:
        tx.connection.execute(update(person).where(person.c.id == person_id).values(**changed))
    what = [word for word, value in (("rol", role), ("parola", password_hash)) if value is not None]
    if what:
        auditing.note(tx, Act.PERSON_CHANGED, now=now, about=f"kullanici:{person_id}", detail={"ne": what})
    return _one(tx.connection, person_id)


def remove(tx: Tx, person_id: int, *, now: datetime) -> None:
    """Let a person sign in no more; what they sent keeps their name. Raises as `change`."""
    found = _one(tx.connection, person_id)
    _check_admin_left(tx.connection, found)
    close_sessions(tx, person_id=person_id)
    tx.connection.execute(update(person).where(person.c.id == person_id).values(removed_at=to_ms(now)))
    access.revoke(tx, found.token.id, now=now)
    auditing.note(tx, Act.PERSON_REMOVED, now=now, about=f"kullanici:{person_id}")


def _one(connection: Connection, person_id: int) -> Person:
    for found in every(connection):
        if found.id == person_id:
            return found
    raise GuvercinError(Code.NOT_FOUND)


def _check_admin_left(connection: Connection, leaving: Person) -> None:
    admins = {found.id for found in every(connection) if found.role is Role.ADMIN}
    if admins == {leaving.id}:
        raise GuvercinError(Code.INVALID_FIELD, faults=(FieldFault("role", "son_yonetici"),))


# -- sessions


def open_session(tx: Tx, person_id: int, secret_hash: bytes, *, agent: str, address: str, now: datetime) -> None:
    """Remember a browser in which a person signed in."""
    tx.connection.execute(
        insert(session).values(
            secret_hash=secret_hash,
            person_id=person_id,
            opened_at=to_ms(now),
            seen_at=to_ms(now),
            agent=agent,
            address=address,
        )
    )
    owner = tx.execute("SELECT token_id FROM person WHERE id = ?", (person_id,)).fetchone()
    actor = Actor(way=Way.PANEL, token_id=owner and owner[0], address=address)
    auditing.write(tx, Act.SIGNED_IN.value, to_ms(now), about=f"kullanici:{person_id}", detail=None, actor=actor)


_SESSIONS = _PEOPLE.add_columns(
    session.c.id.label("session_id"), session.c.opened_at, session.c.seen_at, session.c.agent, session.c.address
).join(session, session.c.person_id == person.c.id)


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.session_id,
        person=_person(row),
        opened_at=from_ms(row.opened_at),
        seen_at=from_ms(row.seen_at),
        agent=row.agent,
        address=row.address,
    )


def session_of(connection: Connection, secret_hash: bytes) -> Session | None:
    """Answer the session of a secret, over or not."""
    row = connection.execute(_SESSIONS.where(session.c.secret_hash == secret_hash)).one_or_none()
    return None if row is None else _session(row)


def sessions_of(connection: Connection, person_id: int) -> Sequence[Session]:
    """Answer a person's sessions, the last used first."""
    rows = connection.execute(_SESSIONS.where(person.c.id == person_id).order_by(session.c.seen_at.desc()))
    return tuple(map(_session, rows))


def touch(tx: Tx, session_id: int, *, now: datetime) -> None:
    """Write that a session was used."""
    tx.connection.execute(update(session).where(session.c.id == session_id).values(seen_at=to_ms(now)))


def close_sessions(tx: Tx, *, person_id: int, session_id: int | None = None) -> None:
    """End one session of a person, or all."""
    ending = delete(session).where(session.c.person_id == person_id)
    tx.connection.execute(ending if session_id is None else ending.where(session.c.id == session_id))


def forget(tx: Tx, *, now: datetime) -> None:
    """Drop sessions that are over."""
    over = (to_ms(now - IDLE_LIMIT), to_ms(now - SESSION_LIMIT))
    tx.execute("DELETE FROM session WHERE seen_at <= ? OR opened_at <= ?", over)


# -- the first person


def keep_setup_code(tx: Tx, code_hash: bytes, *, now: datetime) -> None:
    """Make a code the only one by which the first person is added. NOT_FOUND: there is one."""
    if not _is_empty(tx.connection):
        raise GuvercinError(Code.NOT_FOUND)
    tx.connection.execute(delete(setup_code))
    tx.connection.execute(insert(setup_code).values(id=1, code_hash=code_hash, made_at=to_ms(now)))


def try_setup_code(tx: Tx, code_hash: bytes, *, now: datetime) -> bool:
    """Say whether a code is good; a wrong one costs the right one a try."""
    if not _is_empty(tx.connection):
        return False
    if _is_good(tx.connection, code_hash, now):
        return True
    tx.connection.execute(update(setup_code).values(wrong=setup_code.c.wrong + 1))
    return False


def _is_empty(connection: Connection) -> bool:
    return not connection.execute(select(func.count()).select_from(person)).scalar_one()


def _is_good(connection: Connection, code_hash: bytes, now: datetime) -> bool:
    row = connection.execute(select(setup_code)).one_or_none()
    return (
        row is not None
        and row.code_hash == code_hash
        and row.wrong < SETUP_TRIES
        and to_ms(now - SETUP_LIMIT) < row.made_at
    )


# -- what the owner set


def settings(connection: Connection) -> Mapping[str, str]:
    """Answer everything that was set, by its name."""
    return {row.name: row.value for row in connection.execute(select(setting))}


def set_setting(tx: Tx, name: str, value: str) -> None:
    """Set one thing."""
    tx.connection.execute(delete(setting).where(setting.c.name == name))
    tx.connection.execute(insert(setting).values(name=name, value=value))
