"""What the server tells Prometheus: requests as they end, and the queue as it stands when it is asked."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from guvercin.core.account import Account
from guvercin.core.message import FINISHED, Status
from guvercin.store.store import Depth
from guvercin.store.writer import Committed

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class Metrics:
    """The figures of one app, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "guvercin_http_requests",
            "Answered requests by route pattern, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "guvercin_http_seconds",
            "Time to the start of an answer; on sends it holds the wait for WhatsApp.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        outcomes = Counter(
            "guvercin_outcomes",
            "Messages that have come to a status.",
            ("status",),
            registry=self._registry,
        )
        self._outcomes = {status: outcomes.labels(status.value) for status in Status if status in FINISHED}
        self._unclear = Counter(
            "guvercin_not_understood",
            "Things that networks told and nobody understood.",
            registry=self._registry,
        )
        self._waiting = self._gauge("guvercin_in_line", "Messages in line to be sent.", "account_id")
        self._oldest = self._gauge("guvercin_oldest_seconds", "How long the oldest one has waited.", "account_id")
        self._unfinished = self._gauge(
            "guvercin_unfinished", "Messages that are not finished, by status.", "account_id", "status"
        )
        self._lines = self._gauge(
            "guvercin_line", "1 for the state that an account's line is in.", "account_id", "state"
        )
        # Looking a labelled child up costs more than counting with it.
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (route, method, status)
        children = self._children.get(key)
        if children is None:
            children = (self._requests.labels(route, method, str(status)), self._seconds.labels(route))
            self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)

    def heard(self, committed: Committed) -> None:
        """Count what became of messages: the store tells it after each commit (`Store.listen`)."""
        for standing in committed.standings:
            outcome = self._outcomes.get(standing.status)
            if outcome is not None:
                outcome.inc()
        if committed.unclear:
            self._unclear.inc(committed.unclear)

    def text(self, *, accounts: Iterable[Account], depths: Iterable[Depth], now: datetime) -> bytes:
        """Write everything in Prometheus' text format."""
        for gauge in (self._waiting, self._oldest, self._unfinished, self._lines):
            gauge.clear()
        for account in accounts:
            self._lines.labels(account.id, account.line.state.value).set(1)
            self._waiting.labels(account.id).set(0)
            self._oldest.labels(account.id).set(0)
        for depth in depths:
            age = now - depth.oldest_due_at if depth.oldest_due_at is not None else timedelta(0)
            self._waiting.labels(depth.account_id).set(sum(depth.in_line.values()))
            self._oldest.labels(depth.account_id).set(max(0.0, age.total_seconds()))
            for status, count in depth.by_status.items():
                self._unfinished.labels(depth.account_id, status.value).set(count)
        return generate_latest(self._registry)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(name, documentation, labels, registry=self._registry)
