"""The fake of Meta's server gets along with clients that others have written for the real one."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kapso_whatsapp import WhatsAppClient
from pywa.client import WhatsApp
from pywa.errors import WhatsAppError
from tests.contracts.graph_thread import GraphThread

from guvercin.testing.graph import story_of

NUMBER, TOKEN, CUSTOMER = "100000000000001", "EAAG-1", "905321234567"

REFUSALS = {"905000000102": 131026, "905000000106": 131056, "905000000109": 131048, "905000000115": 131047}


@pytest.fixture
def fake() -> Iterator[GraphThread]:
    fake = GraphThread(script=story_of()).start()
    fake.graph.add_number(NUMBER, "+90 850 000 00 01", TOKEN, templates={("fatura_hazir", "tr")})
    yield fake
    fake.stop()


@pytest.fixture
def pywa_client(fake: GraphThread) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(token: str = TOKEN) -> Any:
        client: Any = WhatsApp(phone_id=NUMBER, token=token, api_version=25.0)
        client.api._session.base_url = f"{fake.url}/v25.0"  # its own is written into it
        made.append(client)
        return client

    yield make
    for client in made:
        client.api._session.close()


def code_of(call: Callable[[], object]) -> int:
    with pytest.raises(WhatsAppError) as raised:
        call()
    return int(raised.value.code)


def test_pywa_sends_through_it(fake: GraphThread, pywa_client: Callable[..., Any]) -> None:
    client = pywa_client()
    sent = client.send_text(CUSTOMER, "Merhaba", tracker="42")
    assert sent.id == fake.graph.arrivals[0].remote_id
    assert fake.graph.arrivals[0].body["biz_opaque_callback_data"] == "42"
    media = client.upload_media(b"%PDF-1.4", mime_type="application/pdf", filename="FTR-1.pdf")
    assert client.send_document(CUSTOMER, media.id, filename="FTR-1.pdf", caption="Fatura").id
    assert client.get_media_url(media.id).file_size == len(b"%PDF-1.4")
    assert client.get_business_phone_number().whatsapp_business_manager_messaging_limit == "TIER_250"
    assert client.mark_message_as_read("wamid.1")


def test_pywa_reads_its_refusals(fake: GraphThread, pywa_client: Callable[..., Any]) -> None:
    client = pywa_client()
    for number, code in REFUSALS.items():
        assert code_of(lambda number=number: client.send_text(number, "Merhaba")) == code  # type: ignore[misc]
    assert code_of(lambda: client.send_document(CUSTOMER, "123456789012345", filename="a.pdf")) == 100
    assert code_of(lambda: pywa_client("EAAG-2").send_text(CUSTOMER, "Merhaba")) == 190
    fake.graph.fail_next(130429)
    assert code_of(lambda: client.send_text(CUSTOMER, "Merhaba")) == 130429
    assert fake.graph.arrivals == []


async def test_kapso_sends_through_it_and_reads_its_refusals(fake: GraphThread) -> None:
    client = WhatsAppClient(access_token=TOKEN, base_url=fake.url, graph_version="v25.0", max_retries=0)
    try:
        sent = await client.messages.send_text(phone_number_id=NUMBER, to=CUSTOMER, body="Merhaba")
        assert sent.messages[0].id == fake.graph.arrivals[0].remote_id
        for number, code in REFUSALS.items():
            with pytest.raises(Exception, match=str(code)):
                await asyncio.wait_for(
                    client.messages.send_text(phone_number_id=NUMBER, to=number, body="Merhaba"), timeout=20
                )
    finally:
        await client.close()
    assert len(fake.graph.arrivals) == 1
