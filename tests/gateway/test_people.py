"""Who signs in: the first person by a code, the others by a name, each for as long as their session lives."""

from datetime import timedelta
from random import Random  # noqa: TID251 -- seeded here, handed down as an argument

import pytest
from tests.gateway.house import House, World

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.person import IDLE_LIMIT, SESSION_LIMIT, SETUP_LIMIT, SETUP_TRIES, Role
from guvercin.core.token import Permission
from guvercin.gateway.people import PAUSE, TRIES, MustWait, People

pytestmark = pytest.mark.anyio

PASSWORD = "bir güvercin iki mektup"


@pytest.fixture
def people(world: World, house: House) -> People:
    return People(store=house.store, clock=world.clock, rng=Random(world.seed))


async def owner(people: People) -> str:
    await people.set_up(await people.make_setup_code(), PASSWORD)
    secret = await people.sign_in(None, PASSWORD, agent="", address="192.0.2.1")
    assert isinstance(secret, str)
    return secret


async def fault_of(refused: pytest.ExceptionInfo[GuvercinError]) -> str:
    return refused.value.faults[0].fault


async def test_the_first_person_needs_the_code_and_spends_it(people: People) -> None:
    code = await people.make_setup_code()
    assert await people.try_setup_code(code.lower().replace("-", " "))
    with pytest.raises(GuvercinError) as refused:
        await people.set_up("AAAA-BBBB", PASSWORD)
    assert refused.value.code is Code.NOT_FOUND
    first = await people.set_up(code, PASSWORD)
    assert (first.role, first.may(Permission.ADMIN), first.token.is_key) == (Role.ADMIN, True, False)
    assert not await people.try_setup_code(code)
    with pytest.raises(GuvercinError):
        await people.set_up(code, PASSWORD)
    with pytest.raises(GuvercinError):
        await people.make_setup_code()


async def test_a_code_ends_by_time_by_wrong_tries_and_by_the_next_one(world: World, people: People) -> None:
    old = await people.make_setup_code()
    code = await people.make_setup_code()
    assert not await people.try_setup_code(old)
    assert await people.try_setup_code(code)
    for _ in range(SETUP_TRIES - 1):
        await people.try_setup_code("AAAA-BBBB")
    assert not await people.try_setup_code(code)
    fresh = await people.make_setup_code()
    world.clock.advance(SETUP_LIMIT)
    assert not await people.try_setup_code(fresh)


@pytest.mark.parametrize(
    ("password", "fault"), [("kısa", "kisa_parola"), ("Galatasaray", "bilinen_parola"), ("a" * 12, "bilinen_parola")]
)
async def test_a_password_that_anybody_would_guess_is_refused(people: People, password: str, fault: str) -> None:
    with pytest.raises(GuvercinError) as refused:
        await people.set_up(await people.make_setup_code(), password)
    assert await fault_of(refused) == fault
    assert await people.every() == ()


async def test_a_session_lives_while_it_is_used_and_not_for_ever(world: World, people: People) -> None:
    secret = await owner(people)
    began = world.clock.now()
    while world.clock.now() - began < SESSION_LIMIT - IDLE_LIMIT:
        world.clock.advance(IDLE_LIMIT - timedelta(minutes=1))
        assert await people.session(secret) is not None
    world.clock.advance(IDLE_LIMIT)
    assert await people.session(secret) is None
    again = await people.sign_in(None, PASSWORD, agent="", address="192.0.2.1")
    assert isinstance(again, str)
    world.clock.advance(IDLE_LIMIT)
    assert await people.session(again) is None


async def test_wrong_passwords_close_the_door_even_if_they_come_at_once(world: World, people: People) -> None:
    await owner(people)
    for _ in range(TRIES):
        assert await people.sign_in(None, "yanlış", agent="", address="192.0.2.2") is None
    assert isinstance(await people.sign_in(None, PASSWORD, agent="", address="192.0.2.2"), MustWait)
    # The person's own door is closed from everywhere, a stranger's name is asked for elsewhere.
    assert isinstance(await people.sign_in(None, PASSWORD, agent="", address="192.0.2.3"), MustWait)
    world.clock.advance(PAUSE)
    assert isinstance(await people.sign_in(None, PASSWORD, agent="", address="192.0.2.2"), str)


async def test_names_are_told_apart_as_turks_read_them(people: People) -> None:
    await owner(people)
    await people.add("İrem Işık", Role.VIEWER, PASSWORD)
    with pytest.raises(GuvercinError) as refused:
        await people.add("irem ışık", Role.VIEWER, PASSWORD)
    assert await fault_of(refused) == "ad_alinmis"
    assert isinstance(await people.sign_in("IREM ISIK", PASSWORD, agent="", address=""), str)
    assert await people.sign_in(None, PASSWORD, agent="", address="") is None


async def test_somebody_is_left_who_may_change_things(people: People) -> None:
    await owner(people)
    (first,) = await people.every()
    for leave in (people.remove(first.id), people.set_role(first.id, Role.VIEWER)):
        with pytest.raises(GuvercinError) as refused:
            await leave
        assert await fault_of(refused) == "son_yonetici"
    second = await people.add("Bora", Role.ADMIN, PASSWORD)
    assert (await people.set_role(first.id, Role.VIEWER)).token.rules.permissions == {Permission.READ}
    secret = await people.sign_in("yönetici", PASSWORD, agent="", address="")
    assert isinstance(secret, str)
    await people.remove(first.id)
    assert await people.session(secret) is None
    assert [person.id for person in await people.every()] == [second.id]
