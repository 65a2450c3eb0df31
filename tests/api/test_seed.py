"""The seed as printed: every request and every answer of seed.txt, by key, order and type.

The text beside this file is the contract word for word; these tests read it and don't repeat it.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.api.conftest import Server

SEED = Path(__file__).with_name("seed.txt").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the seed."""

    method: str
    path: str
    body: dict[str, Any] | None
    answer: dict[str, Any]


def read_seed() -> dict[str, Operation]:
    operations = {}
    head = SEED.partition("\ncURL Örneği")[0]
    for method, path, text in re.findall(
        r"^(POST|GET)\n(/\S+)\n(.*?)(?=^(?:POST|GET)\n|\Z)", head, re.MULTILINE | re.DOTALL
    ):
        asked, _, answered = text.partition("\nResponse\n200\n")
        _, _, body = asked.partition("\nRequest Body\n")
        operations[path.rpartition("whatsapp/")[2]] = Operation(
            method=method,
            path=path,
            body=json.loads(body) if body else None,
            answer=json.loads(answered),
        )
    return operations


OPERATIONS = read_seed()


def shape(value: Any) -> Any:
    """Answer a value's keys in their order, and the types of the rest."""
    match value:
        case dict():
            return [(key, shape(inner)) for key, inner in value.items()]
        case list():
            return [shape(inner) for inner in value]
        case _:
            return type(value).__name__


def test_all_five_operations_are_read() -> None:
    assert list(OPERATIONS) == ["gonder", "toplu-gonder", "dosya-gonder", "hesaplar", "durum/{logId}"]


@pytest.fixture
def invoice(server: Server) -> None:
    folder = server.files / "faturalar"
    folder.mkdir()
    (folder / "FTR-001.pdf").write_bytes(b"%PDF-1.7\nfatura")


@pytest.mark.usefixtures("invoice")
@pytest.mark.parametrize("name", ["gonder", "toplu-gonder", "dosya-gonder"])
async def test_a_send_as_printed_answers_as_printed(client: httpx2.AsyncClient, name: str) -> None:
    operation = OPERATIONS[name]
    answer = await client.request(operation.method, operation.path, json=operation.body)
    assert answer.status_code == 200, answer.text
    assert shape(answer.json()) == shape(operation.answer)
    if name == "toplu-gonder":
        assert answer.json() == operation.answer


async def test_accounts_begin_as_printed(client: httpx2.AsyncClient) -> None:
    operation = OPERATIONS["hesaplar"]
    answer = await client.get(operation.path)
    assert answer.status_code == 200
    (account,) = answer.json()["data"]
    (printed,) = operation.answer["data"]
    assert shape(account)[: len(printed)] == shape(printed)
    assert account["durum"] == printed["durum"]
    assert list(answer.json()) == list(operation.answer)


async def test_a_status_begins_as_printed(client: httpx2.AsyncClient) -> None:
    send, status = OPERATIONS["gonder"], OPERATIONS["durum/{logId}"]
    log_id = (await client.post(send.path, json=send.body)).json()["log_id"]
    answer = await client.get(status.path.replace("{logId}", str(log_id)))
    assert answer.status_code == 200
    printed = status.answer["data"]
    assert shape(answer.json()["data"])[: len(printed)] == shape(printed)
    assert list(answer.json()) == list(status.answer)
    assert answer.json()["data"]["alici"] == printed["alici"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", answer.json()["data"]["gonderim_zamani"])


async def test_the_curl_line_sends(client: httpx2.AsyncClient) -> None:
    line = SEED.partition("\ncURL Örneği\n")[2]
    headers = dict(re.findall(r'-H "([^:]+): ([^"]+)"', line))
    del headers["Authorization"]
    body = re.search(r"-d '(.+)'", line)
    assert body is not None
    answer = await client.post(OPERATIONS["gonder"].path, content=body[1].encode(), headers=headers)
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(OPERATIONS["gonder"].answer)
