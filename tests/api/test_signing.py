"""Signing in with a pair, as the vendor's page prints it, and what the token of a day stands for."""

import re
from datetime import datetime, timedelta

import httpx2
from tests.api.conftest import BASE, EVERYTHING, Connect, Server

from guvercin.core.token import Token
from guvercin.gateway.access import create_pair

TOKEN, REVOKE = "/api/v1/auth/token", "/api/v1/auth/revoke"


async def pair(server: Server) -> tuple[Token, dict[str, str]]:
    token, key, secret = await create_pair(server.store, EVERYTHING, server.rng.randbytes(32), now=server.clock.now())
    return token, {"api_key": key, "api_secret": secret}


async def buy(client: httpx2.AsyncClient, asked: dict[str, str]) -> str:
    answer = await client.post(TOKEN, json=asked)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["token"])


async def test_a_pair_buys_a_token_of_a_day_as_the_vendor_prints_it(server: Server, connect: Connect) -> None:
    _, asked = await pair(server)
    async with connect(None) as nobody:
        answer = await nobody.post(TOKEN, json=asked)
    assert answer.headers["cache-control"] == "no-store"
    assert list(answer.json()) == ["success", "data"]
    data = answer.json()["data"]
    assert list(data) == ["token", "expires_at", "token_type"]
    assert data["token_type"] == "Bearer"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", data["expires_at"])
    left = datetime.fromisoformat(data["expires_at"]) - server.clock.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    async with connect(data["token"]) as client:
        sent = await client.post(f"{BASE}/gonder", json={"telefon": "+905321234567", "mesaj": "a"})
        assert sent.status_code == 200


async def test_what_it_buys_stands_for_the_pair_and_ends_with_it(server: Server, connect: Connect) -> None:
    token, asked = await pair(server)
    async with connect(None) as nobody:
        first, second = await buy(nobody, asked), await buy(nobody, asked)
    body = {"telefon": "+905321234567", "mesaj": "a"}
    async with connect(first) as one, connect(second) as two:
        sent = await one.post(f"{BASE}/gonder", json=body)
        again = await two.post(f"{BASE}/gonder", json=body)
        assert again.json()["log_id"] == sent.json()["log_id"], "a repeat is known over two sign-ins"
        assert await server.store.token_of(sent.json()["log_id"]) == token.id
        await server.store.revoke_token(token.id, now=server.clock.now())
    async with connect(None) as nobody:
        refused = await nobody.post(TOKEN, json=asked)
    assert (refused.status_code, refused.json()["kod"]) == (401, "anahtar_gecersiz")


async def test_it_gives_itself_back(server: Server, connect: Connect, token: str) -> None:
    _, asked = await pair(server)
    async with connect(None) as nobody:
        bought = await buy(nobody, asked)
        assert (await nobody.post(REVOKE)).status_code == 401
    async with connect(bought) as client:
        answer = await client.post(REVOKE)
        assert answer.json() == {"success": True, "message": "Token başarıyla iptal edildi."}
        assert (await client.get(f"{BASE}/hesaplar")).status_code == 401
    async with connect(token) as owner:  # what an owner has made, its program doesn't end
        assert (await owner.post(REVOKE)).status_code == 403
        assert (await owner.get(f"{BASE}/hesaplar")).status_code == 200


async def test_guesses_are_counted_as_failed_sign_ins(server: Server, connect: Connect) -> None:
    _, asked = await pair(server)
    wrong = {**asked, "api_secret": "sk_live_" + "0" * 48}
    async with connect(None, peer="192.0.2.99") as guesser:
        answers = [(await guesser.post(TOKEN, json=wrong)).status_code for _ in range(12)]
        assert answers == [401] * 10 + [429] * 2
        assert (await guesser.post(TOKEN, json=asked)).status_code == 200, "who has the pair is let in all the same"
        assert (await guesser.post(TOKEN, json={"api_key": asked["api_key"]})).status_code == 422


async def test_neither_half_is_a_token_and_no_half_is_kept(server: Server, connect: Connect) -> None:
    _, asked = await pair(server)
    for half in asked.values():
        async with connect(half) as client:
            assert (await client.get(f"{BASE}/hesaplar")).status_code == 401
    async with connect(None) as nobody:
        bought = await buy(nobody, asked)
    for secret in (asked["api_secret"], bought):
        assert all(secret.encode() not in path.read_bytes() for path in server.store.path.parent.glob("guvercin.db*"))
