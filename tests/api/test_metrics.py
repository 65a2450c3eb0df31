"""What Prometheus is told, and that the dashboard asks for nothing that isn't."""

import json
import re
from dataclasses import replace
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from tests.api.conftest import BASE, Server

from guvercin.core.call import Called, CallTrouble
from guvercin.core.pacing import SANDBOX_PACE, Caps, Rules

DASHBOARD = Path(__file__).resolve().parents[2] / "deploy" / "grafana.json"


async def told(client: httpx2.AsyncClient) -> dict[tuple[str, tuple[str, ...]], float]:
    """Answer each sample by its name and the values of its labels."""
    text = (await client.get("/metrics")).text
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_sends_and_failures_are_counted(client: httpx2.AsyncClient) -> None:
    for ends in ("01", "01", "02"):
        await client.post(f"{BASE}/gonder", json={"telefon": f"+9050000000{ends}", "mesaj": f"{ends}"})
    found = await told(client)
    assert found["guvercin_sends_total", ("1",)] == 2, "the second was a repeat"
    assert found["guvercin_failures_total", ("numara_whatsappta_degil",)] == 1
    assert found["guvercin_outcomes_total", ("failed",)] == 1
    assert found["guvercin_unwritten", ()] >= 0


async def test_a_webhook_that_is_behind_is_seen(server: Server, client: httpx2.AsyncClient) -> None:
    server.receiver.answers = lambda _: Called(trouble=CallTrouble.REFUSED, status=500)
    await client.post("/api/v1/webhooks", json={"url": "https://magaza.example/", "olaylar": ["mesaj.gonderildi"]})
    await client.post(f"{BASE}/gonder", json={"telefon": "+905000000003", "mesaj": "a"})
    found = await told(client)
    for _ in range(500):
        if found.get(("guvercin_webhook_waiting", ("1",))):
            break
        found = await told(client)
    assert found["guvercin_webhook_waiting", ("1",)] == 1
    assert found["guvercin_webhook_lag_seconds", ("1",)] > 0
    assert found["guvercin_webhook_tries", ("failed", "1")] >= 1


async def test_how_much_of_each_limit_an_account_has_used_is_told(server: Server, client: httpx2.AsyncClient) -> None:
    assert not [name for name, _ in await told(client) if name.startswith("guvercin_pace")], "no rules, no limits"
    rules = Rules(hourly=Caps(all=10, existing=5, new=2), daily=None, monthly_new=7, warms_up=False, keeps_quiet=False)
    await server.store.change_account(1, now=server.clock.now(), pace=replace(SANDBOX_PACE, rules=rules))
    await server.house.sessions.step(server.clock.now())
    await client.post(f"{BASE}/gonder", json={"telefon": "+905000000001", "mesaj": "a"})
    found = await told(client)
    used = {labels: value for (name, labels), value in found.items() if name == "guvercin_pace_used"}
    limits = {labels: value for (name, labels), value in found.items() if name == "guvercin_pace_limit"}
    # Labels come sorted by their names: account_id, group, limit, window.
    assert limits == {
        ("1", "all", "saatlik_sinir", "hour"): 10,
        ("1", "existing", "saatlik_sinir", "hour"): 5,
        ("1", "new", "saatlik_sinir", "hour"): 2,
        ("1", "new", "aylik_sinir", "month"): 7,
    }
    assert used.keys() == limits.keys()
    assert used["1", "all", "saatlik_sinir", "hour"] == 1


async def test_the_dashboard_asks_for_what_there_is(client: httpx2.AsyncClient) -> None:
    text = (await client.get("/metrics")).text
    families = {family.name for family in text_string_to_metric_families(text)}
    asked = {
        re.sub(r"_(total|bucket)$", "", name)
        for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]
        for target in panel["targets"]
        for name in re.findall(r"guvercin_\w+", target["expr"])
    }
    assert asked
    assert asked <= families


async def test_the_dashboard_counts_nothing_once_for_each_gateway(client: httpx2.AsyncClient) -> None:
    """Each gateway tells of the whole queue: of those figures the largest is the figure."""
    shared = {"alerts", "line", "in_line", "oldest_seconds", "unfinished", "webhook", "webhook_waiting"}
    shared |= {"webhook_lag_seconds", "pace_used", "pace_limit"}
    text = (await client.get("/metrics")).text
    told_of = {family.name for family in text_string_to_metric_families(text)}
    assert {f"guvercin_{name}" for name in shared} <= told_of
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            for before, name in re.findall(r"([^()]*\([^()]*\) \(|\w+\(|^)guvercin_(\w+)", target["expr"]):
                if name in shared:
                    assert before.endswith("max(") or "max by" in before, target["expr"]


async def test_a_gateway_tells_how_many_accounts_it_runs(client: httpx2.AsyncClient) -> None:
    assert (await told(client))["guvercin_accounts", ()] == 1
