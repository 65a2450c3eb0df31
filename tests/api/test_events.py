"""The event feed: everything once, in its order, from wherever a consumer stopped."""

import asyncio

import httpx2
from tests.api.conftest import BASE, Connect, Server

FEED = f"{BASE}/olaylar"


async def send(client: httpx2.AsyncClient, text: str) -> int:
    sent = await client.post(f"{BASE}/gonder", json={"telefon": "+905000000003", "mesaj": text})
    assert sent.status_code == 200
    return int(sent.json()["log_id"])


async def test_a_consumer_that_was_down_hears_everything_in_order(client: httpx2.AsyncClient) -> None:
    for number in range(5):
        await send(client, f"{number}")
    heard, after = [], ""
    while True:
        answer = (await client.get(f"{FEED}?limit=2&olaylar=mesaj.gonderildi{after}")).json()
        heard += [each["data"]["log_id"] for each in answer["data"]]
        after = f"&sonra={answer['sonraki']}"
        if not answer["data"]:
            break
    assert heard == [1, 2, 3, 4, 5]


async def test_it_tells_what_a_webhook_tells(client: httpx2.AsyncClient) -> None:
    log_id = await send(client, "Gizli")
    answer = await client.get(f"{FEED}?olaylar=mesaj.gonderildi")
    (event,) = answer.json()["data"]
    assert list(event) == ["id", "type", "timestamp", "data"]
    assert (event["type"], event["data"]["log_id"], event["data"]["durum"]) == ("mesaj.gonderildi", log_id, "sent")
    assert event["id"].startswith("msg_")
    assert "Gizli" not in answer.text


async def test_whoever_begins_now_waits_for_what_comes(client: httpx2.AsyncClient) -> None:
    await send(client, "1")
    begin = (await client.get(f"{FEED}?sonra=son")).json()
    wanted = f"{FEED}?olaylar=mesaj.gonderildi&sonra={begin['sonraki']}"
    nothing = await client.get(wanted)
    assert (begin["data"], nothing.json()["data"]) == ([], [])
    waiting = asyncio.create_task(client.get(wanted, headers={"Prefer": "wait=30"}))
    log_id = await send(client, "2")
    answer = await waiting
    assert [each["data"]["log_id"] for each in answer.json()["data"]] == [log_id]
    assert answer.headers["preference-applied"] == "wait=30"


async def test_it_is_let_go_when_the_server_closes(server: Server, client: httpx2.AsyncClient) -> None:
    begin = (await client.get(f"{FEED}?sonra=son")).json()["sonraki"]
    wanted = f"{FEED}?olaylar=mesaj.okundu&sonra={begin}"  # of the account's line there may be news at any moment
    waiting = asyncio.create_task(client.get(wanted, headers={"Prefer": "wait=120"}))
    while not server.gateway.hooks._waiters:
        assert not waiting.done()
        await client.get(FEED)  # reads the disk, and so lets others have their turn
    server.gateway.close()
    assert (await waiting).json()["data"] == []


async def test_a_limited_token_hears_of_its_accounts_alone(
    server: Server, connect: Connect, client: httpx2.AsyncClient
) -> None:
    await send(client, "1")
    async with connect(await server.token(account_ids=frozenset({99}))) as limited:
        assert (await limited.get(FEED)).json()["data"] == []
    async with connect(await server.token(account_ids=frozenset({server.account.id}))) as limited:
        assert (await limited.get(FEED)).json()["data"]


async def test_a_place_that_is_none_is_refused(client: httpx2.AsyncClient) -> None:
    for query in ("sonra=x", "olaylar=yok", "limit=0", "limit=201"):
        assert (await client.get(f"{FEED}?{query}")).status_code == 422
