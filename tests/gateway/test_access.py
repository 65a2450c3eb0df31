"""Who is asking: a revoked token works no longer than a second, an expired one not at all, and limits hold."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.gateway.house import House, World, seconds

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.token import PREFIX, Permission, Token, TokenRules
from guvercin.gateway.access import _MOST_KNOWN, HINT_LENGTH, create_token, hash_of


@pytest.fixture
async def house(world: World) -> AsyncIterator[House]:
    house = await world.begin()
    yield house
    await house.close()


async def make(house: House, secret: bytes = b"s" * 32, **rules: object) -> tuple[Token, str]:
    given = TokenRules(**{"name": "kasa", "permissions": frozenset({Permission.SEND})} | rules)  # type: ignore[arg-type]
    return await create_token(house.store, given, secret, now=house.clock.now())


async def code_of(house: House, secret: str | None) -> Code:
    with pytest.raises(GuvercinError) as refused:
        await house.gateway.authenticate(secret)
    return refused.value.code


async def test_a_token_is_known_by_its_secret_and_only_its_hash_is_kept(house: House) -> None:
    token, secret = await make(house)
    assert secret.startswith(PREFIX)
    assert token.hint == secret[:HINT_LENGTH]
    assert await house.gateway.authenticate(secret) == token
    await house.store.close()
    stored = (world_file := house.world.folder / "guvercin.db").read_bytes()
    assert world_file.exists()
    assert secret.encode() not in stored
    assert hash_of(secret) in stored
    await house.store.open()


async def test_nobody_and_strangers_are_told_apart(house: House) -> None:
    _, secret = await make(house)
    for nothing in (None, ""):
        assert await code_of(house, nothing) is Code.NO_TOKEN
    for wrong in ("gv_x", secret[:-1], secret + "0", secret.upper(), " " + secret, "ş"):
        assert await code_of(house, wrong) is Code.INVALID_TOKEN


async def test_a_revoked_token_works_for_a_second_at_most(house: House) -> None:
    token, secret = await make(house)
    await house.gateway.authenticate(secret)
    await house.store.revoke_token(token.id, now=house.clock.now())
    house.clock.advance(seconds(0.999))
    await house.gateway.authenticate(secret)
    house.clock.advance(seconds(0.001))
    assert await code_of(house, secret) is Code.INVALID_TOKEN


async def test_use_does_not_prolong_what_is_remembered(house: House) -> None:
    token, secret = await make(house)
    await house.gateway.authenticate(secret)
    await house.store.revoke_token(token.id, now=house.clock.now())
    for _ in range(9):
        house.clock.advance(seconds(0.11))
        await house.gateway.authenticate(secret)
    house.clock.advance(seconds(0.02))
    assert await code_of(house, secret) is Code.INVALID_TOKEN


async def test_a_new_token_works_at_once(house: House) -> None:
    secret = PREFIX + (b"n" * 32).hex()
    assert await code_of(house, secret) is Code.INVALID_TOKEN
    await make(house, b"n" * 32)
    await house.gateway.authenticate(secret)


async def test_an_expired_token_ends_at_its_moment(house: House) -> None:
    _, secret = await make(house, expires_at=house.clock.now() + timedelta(hours=1))
    house.clock.advance(timedelta(hours=1) - timedelta(milliseconds=1))
    await house.gateway.authenticate(secret)
    house.clock.advance(timedelta(milliseconds=1))
    assert await code_of(house, secret) is Code.INVALID_TOKEN, "however fresh the memory of it is"


async def test_a_clock_set_back_does_not_keep_a_revoked_token_alive(house: House) -> None:
    token, secret = await make(house)
    await house.gateway.authenticate(secret)
    await house.store.revoke_token(token.id, now=house.clock.now())
    house.clock.jump_wall(-timedelta(days=1))
    house.clock.advance(seconds(1))
    assert await code_of(house, secret) is Code.INVALID_TOKEN


async def test_memory_has_a_bound_and_strangers_leave_no_trace(house: House) -> None:
    for number in range(_MOST_KNOWN + 10):
        secret = number.to_bytes(32, "big")
        await make(house, secret)
        await house.gateway.authenticate(PREFIX + secret.hex())
        assert len(house.access._known) <= _MOST_KNOWN
    known = len(house.access._known)
    for number in range(50):
        assert await code_of(house, f"gv_{number}") is Code.INVALID_TOKEN
    assert len(house.access._known) >= known - 1  # the first stranger's question took the oldest one's place


async def test_a_token_without_a_limit_may_ask_as_often_as_it_likes(house: House) -> None:
    token, _ = await make(house)
    assert [house.gateway.spend(token) for _ in range(100)] == [None] * 100


async def test_a_limit_counts_by_the_minute(house: House) -> None:
    token, _ = await make(house, per_minute=3)
    left = []
    for _ in range(3):
        allowance = house.gateway.spend(token)
        assert allowance is not None
        left.append((allowance.limit, allowance.remaining, allowance.resets_in))
        house.clock.advance(seconds(10))
    assert left == [(3, 2, seconds(60)), (3, 1, seconds(50)), (3, 0, seconds(40))]
    with pytest.raises(GuvercinError) as refused:
        house.gateway.spend(token)
    assert (refused.value.code, refused.value.retry_after) == (Code.TOO_MANY_REQUESTS, seconds(30))
    house.clock.jump_wall(timedelta(days=1))
    house.clock.advance(seconds(29.9))
    with pytest.raises(GuvercinError):
        house.gateway.spend(token)
    house.clock.advance(seconds(0.1))
    allowance = house.gateway.spend(token)
    assert allowance is not None
    assert allowance.remaining == 2


async def test_what_is_refused_is_not_counted(house: House) -> None:
    token, _ = await make(house, per_minute=1)
    house.gateway.spend(token)
    for _ in range(100):
        with pytest.raises(GuvercinError):
            house.gateway.spend(token)
    house.clock.advance(seconds(60))
    house.gateway.spend(token)


async def test_each_token_has_its_own_minute(house: House) -> None:
    first, _ = await make(house, b"a" * 32, per_minute=1)
    second = replace(first, id=first.id + 1)
    house.gateway.spend(first)
    house.gateway.spend(second)
    with pytest.raises(GuvercinError):
        house.gateway.spend(first)
