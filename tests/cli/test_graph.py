"""The road of a newcomer: start the fake, add a cloud account against it, send, and see it delivered and read."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.running import Guvercin, free_port

from guvercin.cli import graph
from guvercin.cli.accounts import _SECRETS
from guvercin.gateway.clock import SystemClock

CLOCK = SystemClock()
GIVEN = dict(zip(_SECRETS, (graph.TOKEN, graph.APP_SECRET, graph.VERIFY_TOKEN), strict=True))
SECRETS = {variable: GIVEN[name] for name, (variable, _) in _SECRETS.items()}


@contextmanager
def started(*line: str, env: dict[str, str], until: str) -> Iterator[list[str]]:
    """Run a command in a process of its own; answers what it said until it was ready."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "guvercin", *line],
        env={**os.environ, "GUVERCIN_LANG": "en", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said: list[str] = []
        while not said or until not in said[-1]:
            line_said = process.stdout.readline()
            assert line_said, f"it ended before it said «{until}»: {said}"
            said.append(line_said)
        yield said
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


@pytest.mark.e2e
def test_a_newcomer_sees_a_message_delivered_and_read(tmp_path: Path) -> None:
    port, graph_port = free_port(), free_port()
    env = {"GUVERCIN_DATA_DIR": str(tmp_path), "GUVERCIN_GRAPH_URL": f"http://127.0.0.1:{graph_port}"}
    guvercin = Guvercin(tmp_path, env={**env, **SECRETS})
    webhook = f"http://127.0.0.1:{port}/meta/webhook/2"
    fake = ("deneme-graph", "--port", str(graph_port), "--webhook", webhook, "--yazan", "+905321234567")
    with (
        started("baslat", "--port", str(port), env=env, until="http"),
        started(*fake, env=env, until="Ctrl-C") as said,
    ):
        assert f"GUVERCIN_GRAPH_URL=http://127.0.0.1:{graph_port}" in "".join(said)
        ids = ("--numara-id", graph.NUMBER_ID, "--isletme-id", graph.BUSINESS_ID)
        form = ("--sablon", "1=fatura_hazir:tr:isim,mesaj")
        added = guvercin("hesap", "ekle", "Bulut", "--tur", "cloud", *ids, *form)
        assert "/meta/webhook/2" in added.out
        assert not any(secret in added.out + added.err for secret in SECRETS.values())
        send = ("gonder", "+905321234567", "Faturanız hazır.", "--hesap", "2", "--tur", "1", "--json")
        sent = guvercin(*send).json
        assert sent["message_id"].startswith("wamid.")
        end = CLOCK.monotonic() + 20
        while (status := guvercin("durum", str(sent["log_id"]), "--json").json["data"]["durum"]) != "read":
            assert CLOCK.monotonic() < end, status
        story = ("gonder", "+905000000102", "Kimse yok.", "--hesap", "2", "--tur", "1", "--json")
        assert guvercin(*story, code=1).json["kod"] == "numara_whatsappta_degil", "the numbers of docs/CLOUD.md act"


@pytest.mark.parametrize("written", ["fatura", "x=fatura:tr", "1=:tr", "1=fatura"])
def test_a_template_that_can_not_be_read_is_said(guvercin: Guvercin, written: str) -> None:
    done = guvercin("hesap", "degistir", "1", "--sablon", written, code=2)
    assert done.err == (
        f"Error: --sablon can't be «{written}».\nRemedy: Write it like this: 1=fatura_hazir:tr:isim,mesaj\n"
    )
