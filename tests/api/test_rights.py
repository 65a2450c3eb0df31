"""Every route by every kind of token: what it may not do is 403, what it may not see is as if it were not there.

A new operation fails `test_every_operation_stands_here` until it has its line in NEEDS.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from tests.api.conftest import BASE, NO_GAP, Connect, Server

from guvercin.api.app import document
from guvercin.core.account import Kind
from guvercin.core.inbound import Media
from guvercin.core.outcome import Inbound
from guvercin.core.token import PREFIX, Permission
from guvercin.gateway.access import hash_of
from guvercin.store.sqlite import engine_for

PUBLIC = {("GET", "/saglik"), ("GET", "/hazir")}
"""Answered to everybody."""

METRICS = ("GET", "/metrics")
"""Answered to this machine without a token; else to two permissions, and to no limited token."""

METAS = {(method, "/meta/webhook/{account_id}") for method in ("GET", "POST")}
"""Meta's own door: whoever comes shows Meta's signature, and no token opens it (tests/api/test_meta_hook.py)."""

PAIRS = {("POST", "/api/v1/auth/token"), ("POST", "/api/v1/auth/revoke")}
"""A pair buys a token there, and the token gives itself back: no permission is asked for (test_signing.py)."""

NEEDS: dict[tuple[str, str], Permission | None] = {
    ("POST", "/gonder"): Permission.SEND,
    ("POST", "/toplu-gonder"): Permission.BULK,
    ("POST", "/dosya-gonder"): Permission.FILE,
    ("POST", "/dosyalar"): Permission.FILE,
    ("GET", "/durum/{logId}"): Permission.READ,
    ("GET", "/gonderimler"): Permission.READ,
    ("GET", "/gonderimler/{log_id}"): Permission.READ,
    ("POST", "/gonderimler/{log_id}/iptal"): Permission.SEND,
    ("POST", "/gonderimler/{log_id}/birak"): Permission.SEND,
    ("POST", "/gonderimler/{log_id}/yeniden-gonder"): Permission.SEND,
    ("POST", "/iptal"): Permission.SEND,
    ("POST", "/toplu/on-kontrol"): Permission.BULK,
    ("POST", "/toplu/dosya"): Permission.BULK,
    ("POST", "/toplu/taslak/{draft_id}/baslat"): Permission.BULK,
    ("GET", "/toplu"): Permission.READ,
    ("GET", "/toplu/{batch_id}"): Permission.READ,
    ("POST", "/toplu/{batch_id}/duraklat"): Permission.BULK,
    ("POST", "/toplu/{batch_id}/devam"): Permission.BULK,
    ("POST", "/toplu/{batch_id}/iptal"): Permission.BULK,
    ("GET", "/toplu/{batch_id}/rapor.csv"): Permission.READ,
    ("GET", "/toplu/{batch_id}/rapor.xlsx"): Permission.READ,
    ("GET", "/turler"): Permission.READ,
    ("PUT", "/turler/{category_id}"): Permission.ADMIN,
    ("DELETE", "/turler/{category_id}"): Permission.ADMIN,
    ("GET", "/ret-listesi"): Permission.READ,
    ("POST", "/ret-listesi"): Permission.ADMIN,
    ("DELETE", "/ret-listesi"): Permission.ADMIN,
    ("GET", "/bakilacaklar"): Permission.READ,
    ("POST", "/bakilacaklar/{opt_out_id}/karar"): Permission.ADMIN,
    ("GET", "/onaylar"): Permission.READ,
    ("POST", "/onaylar"): Permission.ADMIN,
    ("GET", "/onaylar.csv"): Permission.READ,
    ("GET", "/gelen"): Permission.READ,
    ("POST", "/gelen/okundu"): Permission.SEND,
    ("GET", "/gelen/{inbound_id}"): Permission.READ,
    ("GET", "/gelen/{inbound_id}/dosya"): Permission.READ,
    ("POST", "/gelen/{inbound_id}/okundu"): Permission.SEND,
    ("GET", "/kisiler/{telefon}"): Permission.ADMIN,
    ("DELETE", "/kisiler/{telefon}"): Permission.ADMIN,
    ("POST", "/kisiler/{telefon}/saklama"): Permission.ADMIN,
    ("DELETE", "/kisiler/{telefon}/saklama"): Permission.ADMIN,
    ("GET", "/denetim"): Permission.ADMIN,
    ("GET", "/imha"): Permission.ADMIN,
    ("GET", "/hesaplar"): Permission.READ,
    ("POST", "/hesaplar"): Permission.ACCOUNTS,
    ("GET", "/hesaplar/{account_id}"): Permission.READ,
    ("PATCH", "/hesaplar/{account_id}"): Permission.ACCOUNTS,
    ("DELETE", "/hesaplar/{account_id}"): Permission.ACCOUNTS,
    ("POST", "/hesaplar/{account_id}/varsayilan"): Permission.ACCOUNTS,
    ("POST", "/hesaplar/{account_id}/duraklat"): Permission.ACCOUNTS,
    ("POST", "/hesaplar/{account_id}/devam"): Permission.ACCOUNTS,
    ("POST", "/hesaplar/{account_id}/bagla"): Permission.ACCOUNTS,
    ("GET", "/hesaplar/{account_id}/bagla"): Permission.ACCOUNTS,
    ("GET", "/hesaplar/{account_id}/bagla/qr.{kind}"): Permission.ACCOUNTS,
    ("POST", "/hesaplar/{account_id}/baglantiyi-kes"): Permission.ACCOUNTS,
    ("GET", "/hesaplar/{account_id}/saglik"): Permission.READ,
    ("POST", "/hesaplar/{account_id}/okundu"): Permission.SEND,
    ("GET", "/hesaplar/{account_id}/anlasilmayanlar"): Permission.ACCOUNTS,
    ("GET", "/numara-kontrol"): Permission.READ,
    ("GET", "/olaylar"): Permission.READ,
    ("POST", "/api/v1/webhooks"): Permission.ADMIN,
    ("GET", "/api/v1/webhooks"): Permission.ADMIN,
    ("GET", "/api/v1/webhooks/{hook_id}"): Permission.ADMIN,
    ("PATCH", "/api/v1/webhooks/{hook_id}"): Permission.ADMIN,
    ("POST", "/api/v1/webhooks/{hook_id}/dene"): Permission.ADMIN,
    ("POST", "/api/v1/webhooks/{hook_id}/secret"): Permission.ADMIN,
    ("GET", "/api/v1/webhooks/{hook_id}/bildirimler"): Permission.ADMIN,
    ("POST", "/api/v1/webhooks/{hook_id}/bildirimler/{event_id}/yeniden"): Permission.ADMIN,
    ("POST", "/api/v1/webhooks/{hook_id}/yeniden"): Permission.ADMIN,
    ("DELETE", "/api/v1/webhooks/{hook_id}"): Permission.ADMIN,
}
"""The one permission that each operation asks for."""

NOBODYS = ("{draft_id}", "{category_id}", "{telefon}")
"""A draft belongs to its token alone (tests/api/test_drafts.py), a category and a person to the whole business."""

NAMES_A_THING = [
    operation for operation in NEEDS if "{" in operation[1] and not any(name in operation[1] for name in NOBODYS)
]
"""Operations on what belongs to an account."""
PHONE = "+905321234567"
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/gonder"): {"telefon": PHONE, "mesaj": "a"},
    ("POST", "/toplu-gonder"): {"alicilar": [{"telefon": PHONE}], "mesaj": "a"},
    ("POST", "/toplu/on-kontrol"): {"alicilar": [{"telefon": PHONE}], "mesaj": "a"},
    ("POST", "/dosya-gonder"): {"telefon": PHONE, "dosya_yolu": "yok.pdf"},
    ("POST", "/iptal"): {"referans": "R-1"},
    ("POST", "/hesaplar"): {"isim": "Yeni", "tur": "sandbox"},
    ("PATCH", "/hesaplar/{account_id}"): {"isim": "Ad"},
    ("PUT", "/turler/{category_id}"): {"ad": "Servis"},
    ("POST", "/ret-listesi"): {"telefon": "+905391234567"},
    ("POST", "/bakilacaklar/{opt_out_id}/karar"): {"karar": "devam"},
    ("POST", "/gelen/okundu"): {"son_id": 1},
    ("POST", "/onaylar"): {"telefon": "+905391234567", "onay_kaynagi": "HS_WEB", "onay_zamani": "2026-02-20 10:15:00"},
    ("POST", "/kisiler/{telefon}/saklama"): {},
    ("POST", "/hesaplar/{account_id}/bagla"): {"yontem": "qr"},
    ("POST", "/hesaplar/{account_id}/okundu"): {"message_id": "W-1"},
    ("POST", "/api/v1/webhooks"): {"url": "https://magaza.example/", "olaylar": ["mesaj.iletildi"]},
    ("PATCH", "/api/v1/webhooks/{hook_id}"): {"durum": "kapali"},
    ("POST", "/api/v1/webhooks/{hook_id}/secret"): {},
    ("POST", "/api/v1/webhooks/{hook_id}/yeniden"): {"baslangic": "2026-02-23 14:30:00"},
}


def ids(operation: tuple[str, str]) -> str:
    return " ".join(operation)


@dataclass(frozen=True)
class Things:
    """What belongs to one account. Its line is paused: what waits, waits."""

    account: int
    message: int
    batch: int
    hook: int
    event: int
    doubt: int
    received: int = 999_999

    def path(self, pattern: str) -> str:
        named = {
            "logId": self.message,
            "log_id": self.message,
            "batch_id": self.batch,
            "account_id": self.account,
            "draft_id": "0" * 32,
            "category_id": 11,
            "telefon": "05391234567",
            "opt_out_id": self.doubt,
            "inbound_id": self.received,
            "kind": "svg",
            "hook_id": self.hook,
            "event_id": self.event,
        }
        return whole(pattern).format_map(named)


def whole(pattern: str) -> str:
    """Answer a path from the root on: most are told below the API's own."""
    return pattern if pattern.startswith("/api/") else BASE + pattern


@pytest.fixture
async def things(server: Server, client: httpx2.AsyncClient) -> tuple[Things, Things]:
    """Make two accounts with a message and a batch each."""
    other = await server.store.add_account("Diğer", Kind.SANDBOX, None, NO_GAP, now=server.clock.now())
    made = []
    for account in (server.account.id, other.id):
        asked = {"url": "https://magaza.example/", "olaylar": ["hesap.durum_degisti"], "hesaplar": [account]}
        hook = (await client.post("/api/v1/webhooks", json=asked)).json()["data"]["id"]
        await client.post(f"{BASE}/hesaplar/{account}/duraklat")
        named = {"hesap_id": account, "referans": "R-1", "mesaj": "a"}
        answer = await client.post(f"{BASE}/gonder", json={"telefon": PHONE, **named}, headers={"Prefer": "wait=0"})
        batch = await client.post(
            f"{BASE}/toplu-gonder", json={"alicilar": [{"telefon": PHONE}], **named}, headers={"Prefer": "wait=0"}
        )
        heard = (await client.get(f"/api/v1/webhooks/{hook}/bildirimler")).json()["data"][-1]["id"]
        wrote = Inbound(
            remote_id="I-1",
            sender="+905351234567",
            text="bir daha mesaj atmayın",
            at=server.clock.now(),
            media=Media(type="image/jpeg", name=None),
            source=b"a way that nobody can read",
        )
        await server.store.receive_inbound(account, wrote, now=server.clock.now())
        (doubt,) = await server.store.opt_outs(frozenset({account}), limit=1, below=None)
        inbox = (await client.get(f"{BASE}/gelen?hesap_id={account}")).json()["data"]
        sent = (answer.json()["log_id"], batch.json()["toplu_id"])
        made.append(Things(account, *sent, hook, heard, doubt.id, inbox[0]["id"]))
    return made[0], made[1]


async def ask(client: httpx2.AsyncClient, operation: tuple[str, str], target: Things) -> httpx2.Response:
    method, pattern = operation
    return await client.request(
        method, target.path(pattern), json=BODIES.get(operation), headers={"Prefer": "respond-async"}
    )


def test_every_operation_stands_here() -> None:
    documented = {
        (method.upper(), path.removeprefix(BASE))
        for path, operations in document()["paths"].items()
        for method in operations
    }
    assert documented == {*NEEDS, *PUBLIC, METRICS, *METAS, *PAIRS}


# -- what a token may do


async def test_an_operation_wants_its_permission_and_no_other(
    server: Server, connect: Connect, things: tuple[Things, Things]
) -> None:
    for permission in Permission:
        async with connect(await server.token(permissions=frozenset({permission}))) as client:
            for operation, needed in NEEDS.items():
                answer = await ask(client, operation, things[0])
                if permission is needed:
                    assert answer.status_code not in {401, 403}, (operation, answer.text)
                else:
                    assert (answer.status_code, answer.json()["kod"]) == (403, "yetki_yok"), (operation, permission)


async def test_without_a_good_token_nothing_is_told(
    server: Server, connect: Connect, things: tuple[Things, Things]
) -> None:
    revoked, expired = await server.token(), await server.token(expires_at=server.clock.now() - timedelta(seconds=1))
    await server.store.revoke_token((await server.store.tokens())[-2].id, now=server.clock.now())
    bad = {None: "anahtar_yok", revoked: "anahtar_gecersiz", expired: "anahtar_gecersiz", "gv_x": "anahtar_gecersiz"}
    rows = await server.rows()
    for place, operation in enumerate(NEEDS):
        for secret, code in bad.items():
            async with connect(secret, peer=f"192.0.2.{place}") as client:  # who guesses often is slowed down
                answer = await ask(client, operation, things[0])
                assert (answer.status_code, answer.json()["kod"]) == (401, code), (operation, secret)
    assert await server.rows() == rows


# -- what a token may see


@pytest.fixture
async def limited(server: Server, connect: Connect, things: tuple[Things, Things]) -> AsyncIterator[httpx2.AsyncClient]:
    """Lend a client that may do everything, with the first account alone."""
    async with connect(await server.token(account_ids=frozenset({things[0].account}))) as client:
        yield client


@pytest.mark.parametrize("operation", NAMES_A_THING, ids=ids)
async def test_what_is_foreign_is_as_good_as_missing(
    limited: httpx2.AsyncClient, things: tuple[Things, Things], operation: tuple[str, str]
) -> None:
    own, foreign = things
    missing = Things(account=999, message=999_999, batch=999, hook=999, event=999_999, doubt=999)
    answers = [await ask(limited, operation, target) for target in (foreign, missing)]
    for answer in answers:
        assert (answer.status_code, answer.json()["kod"]) == (404, "bulunamadi")
        assert answer.json().keys() == answers[0].json().keys()
    told = [{**answer.json(), "instance": "", "istek_id": ""} for answer in answers]
    assert told[0] == told[1], "who asks learns nothing of what is there"
    assert (await ask(limited, operation, own)).status_code != 404


async def test_what_is_foreign_stays_as_it_is(
    limited: httpx2.AsyncClient, client: httpx2.AsyncClient, things: tuple[Things, Things]
) -> None:
    foreign = things[1]

    async def standing() -> list[Any]:
        paths = ("/gonderimler/{log_id}", "/toplu/{batch_id}", "/hesaplar/{account_id}")
        return [(await client.get(foreign.path(path))).json() for path in paths]

    before = await standing()
    for operation in NAMES_A_THING:
        await ask(limited, operation, foreign)
    assert (await limited.post(f"{BASE}/iptal", json={"referans": "R-1"})).json()["adet"] == 2  # its own two
    assert await standing() == before


async def test_a_body_or_a_query_leads_no_further_than_a_path(
    limited: httpx2.AsyncClient, server: Server, things: tuple[Things, Things]
) -> None:
    own, foreign = things
    rows = await server.rows()
    for operation in (
        ("POST", "/gonder"),
        ("POST", "/toplu-gonder"),
        ("POST", "/toplu/on-kontrol"),
        ("POST", "/dosya-gonder"),
    ):
        body = {**BODIES[operation], "hesap_id": foreign.account}
        answer = await limited.post(BASE + operation[1], json=body)
        assert (answer.status_code, answer.json()["kod"]) == (404, "bulunamadi")
        # Whoever the token is decides, not what the request says beside it.
        sideways = await limited.post(f"{BASE}{operation[1]}?hesap_id={foreign.account}", json=body)
        assert sideways.status_code == 404
    assert await server.rows() == rows
    for query in ("", f"hesap_id={foreign.account}", f"toplu_id={foreign.batch}", "referans=R-1", f"telefon={PHONE}"):
        found = (await limited.get(f"{BASE}/gonderimler?{query.replace('+', '%2B')}")).json()["data"]
        assert {row["hesap_id"] for row in found} <= {own.account}, query
    assert [row["id"] for row in (await limited.get(f"{BASE}/hesaplar")).json()["data"]] == [own.account]
    assert [row["id"] for row in (await limited.get(f"{BASE}/toplu")).json()["data"]] == [own.batch]


async def test_a_file_of_another_token_is_as_good_as_missing(
    server: Server, client: httpx2.AsyncClient, connect: Connect
) -> None:
    upload = await client.post(f"{BASE}/dosyalar", files={"dosya": ("a.pdf", b"%PDF-1.4")})
    async with connect(await server.token()) as other:
        told = []
        for file_id in (upload.json()["dosya_id"], "0" * 32):
            answer = await other.post(f"{BASE}/dosya-gonder", json={"telefon": PHONE, "dosya_id": file_id})
            assert answer.status_code == 422
            told.append({**answer.json(), "istek_id": ""})
        assert told[0] == told[1]


async def test_a_key_of_another_token_is_another_key(
    server: Server, client: httpx2.AsyncClient, connect: Connect
) -> None:
    key = {"Idempotency-Key": "FTR-1", "Prefer": "wait=0"}
    mine = await client.post(f"{BASE}/gonder", json=BODIES["POST", "/gonder"], headers=key)
    async with connect(await server.token()) as other:
        theirs = await other.post(f"{BASE}/gonder", json=BODIES["POST", "/gonder"], headers=key)
        assert theirs.json()["log_id"] != mine.json()["log_id"]


async def test_a_limited_token_decides_nothing_for_the_others(
    limited: httpx2.AsyncClient, client: httpx2.AsyncClient, things: tuple[Things, Things]
) -> None:
    """Else the messages of all the others would leave from its own account, for it to read."""
    own, _ = things
    for path, body in (
        (own.path("/hesaplar/{account_id}/varsayilan"), None),
        (f"{BASE}/hesaplar", BODIES["POST", "/hesaplar"]),
    ):
        answer = await limited.post(path, json=body)
        assert (answer.status_code, answer.json()["kod"]) == (403, "yetki_yok")
    answer = await limited.get("/metrics")
    assert (answer.status_code, answer.json()["kod"]) == (403, "yetki_yok")
    assert (await client.get("/metrics")).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *((host, 200) for host in ("127.0.0.1:8080", "localhost", "[::1]:80", "LOCALHOST:1")),
        *((host, 401) for host in ("evil.example", "", "localhost.evil.example", "[::1", "x@localhost", "127.1")),
    ],
)
async def test_a_foreign_page_reads_no_figures_through_a_browser_here(connect: Connect, host: str, status: int) -> None:
    """A page whose name leads to this machine has its own name in Host."""
    async with connect(None, peer="127.0.0.1") as browser:
        assert (await browser.get("/metrics", headers={"Host": host})).status_code == status


# -- how tokens are kept


async def test_tokens_are_long_random_and_kept_as_hashes_alone(server: Server) -> None:
    secrets = {await server.token() for _ in range(20)}
    assert len(secrets) == 20
    path = server.store.path
    with engine_for(path).connect() as connection:
        kept = [bytes(row[0]) for row in connection.execute(text("SELECT secret_hash FROM token"))]
        question = "EXPLAIN QUERY PLAN SELECT id FROM token WHERE secret_hash = x'00'"
        (plan,) = (row[-1] for row in connection.execute(text(question)))
    # The comparison is SQLite's, of a hash by its index: what is compared is not what was sent, so how long it takes
    # says nothing of a secret.
    assert "USING" in plan
    assert "INDEX" in plan
    assert "SCAN" not in plan
    content = b"".join(file.read_bytes() for file in path.parent.glob("guvercin.db*"))
    for secret in secrets:
        assert len(bytes.fromhex(secret.removeprefix(PREFIX))) == 32
        assert hash_of(secret) in kept
        assert secret.encode() not in content
        assert secret[20:].encode() not in content
