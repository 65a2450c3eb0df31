"""The contract to the letter: its five requests and its curl line as printed, and every command that we print.

Only the host and the token are replaced, and the number of the record that is asked for.
"""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.server import API, Server

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]

SEED = (ROOT / "tests" / "api" / "seed.txt").read_text("utf-8")
CURL = SEED[SEED.index("\ncurl ") + 1 :]
OPERATION = re.compile(r"^(POST|GET)\n/api/v1/whatsapp(/\S+)\n(.*?)(?=^(?:POST|GET)\n|^cURL)", re.MULTILINE | re.DOTALL)

COMMAND = re.compile(r"^curl (?:.*\\\n)*.*", re.MULTILINE)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as `make run` starts it, in a folder whose name a careless shell would take apart."""
    folder = tmp_path_factory.mktemp("e2e") / "Güvercin'in verisi"
    with Server(folder, GUVERCIN_LANG="tr") as server:
        server.start("--ornek")
        yield server


def bash(server: Server, command: str, **environment: str) -> dict[str, Any]:
    """Run a command as it is pasted, in another folder, and answer its JSON."""
    clean = {name: value for name, value in server.environment.items() if not name.startswith("GUVERCIN_")}
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        env={**clean, **environment},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def shape(value: Any) -> Any:
    """Answer keys in their order and types, without the values."""
    match value:
        case dict():
            return [(key, shape(inner)) for key, inner in value.items()]
        case list():
            return [shape(inner) for inner in value]
        case _:
            return type(value).__name__


def first_keys(answer: Mapping[str, Any], printed: Mapping[str, Any]) -> dict[str, Any]:
    """Cut an answer to as many keys as the contract prints: what we add stands behind them, inside `data` alone."""
    assert len(answer) == len(printed), answer
    if "data" not in printed:
        return dict(answer)
    data = printed["data"]
    rows = zip(answer["data"], data, strict=True) if isinstance(data, list) else [(answer["data"], data)]
    cut = [dict(list(row.items())[: len(known)]) for row, known in rows]
    return {**answer, "data": cut if isinstance(data, list) else cut[0]}


def test_the_five_requests_are_answered_as_printed(shop: Server) -> None:
    log_id = 0
    asked = []
    for method, path, text in OPERATION.findall(SEED):
        request, _, response = text.partition("\nResponse\n200\n")
        body = request.partition("\nRequest Body\n")[2]
        asked.append(path)
        command = ["/usr/bin/env", "curl", "-sS", "-X", method, shop.url + API + path.replace("{logId}", str(log_id))]
        command += ["-H", f"Authorization: Bearer {shop.first_token()}", "-H", "Content-Type: application/json"]
        command += ["-d", body] if body else []
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True)
        answer, printed = json.loads(done.stdout), json.loads(response)
        assert shape(first_keys(answer, printed)) == shape(printed), path
        assert answer["ok"] is True
        log_id = answer.get("log_id", log_id)
        if path == "/toplu-gonder":
            assert answer == printed
        if path == "/durum/{logId}":
            data = answer["data"]
            assert (data["id"], data["alici"]) == (log_id, printed["data"]["alici"])
            assert data["durum"] in {"sent", "delivered", "read"}
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", data["gonderim_zamani"])
    assert asked == ["/gonder", "/toplu-gonder", "/dosya-gonder", "/hesaplar", "/durum/{logId}"]


def test_the_curl_line_works_as_printed(shop: Server) -> None:
    command = re.sub(r"https://[^/]+", shop.url, CURL).replace("YOUR_TOKEN", shop.first_token())
    assert shape(bash(shop, command)) == [("ok", "bool"), ("log_id", "int"), ("message_id", "str")]


@pytest.mark.parametrize("page", ["README.md", "README.tr.md"])
def test_the_readme_is_answered_as_it_says(shop: Server, page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    (command,) = COMMAND.findall(text.partition("```json")[0].replace("```", ""))
    (printed,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    command = command.replace("http://127.0.0.1:8080", shop.url).replace("YOUR_TOKEN", shop.first_token())
    assert shape(bash(shop, command)) == shape(json.loads(printed))


def test_what_the_start_prints_works_when_it_is_pasted(shop: Server) -> None:
    commands = COMMAND.findall(shop.printed())
    assert [bash(shop, command)["ok"] for command in commands] == [True, True], shop.printed()


def test_the_way_to_a_token_that_a_later_start_prints_works(tmp_path: Path) -> None:
    """The first token was shown in a terminal and nowhere else: a later start says how to make another one."""
    program = tmp_path / "bin" / "guvercin"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m guvercin "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    folder = tmp_path / "başka yer"
    with Server(tmp_path / "unused") as server:
        server.folder = folder
        assert server.cli("anahtar", "uret", "--veri", str(folder)).returncode == 0
        server.start("--veri", str(folder))
        (export,) = re.findall(r"export GUVERCIN_TOKEN=.*", server.printed())
        (command,) = COMMAND.findall(server.printed())
        answer = bash(server, f"{export}\n{command}", PATH=f"{program.parent}:{os.environ['PATH']}")
        assert list(answer) == ["ok", "log_id", "message_id"]
