"""What the server tells Prometheus: requests as they end, and the queue as it stands when it is asked.

Of several gateways each tells of the whole queue, because that lies in the database: whoever watches takes the largest
for an account. What each has done, its accounts and its changes that wait are its own, and are added up.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from guvercin import __version__
from guvercin.core.account import Account
from guvercin.core.message import FINISHED, Status
from guvercin.core.pacing import DAY, HOUR, MONTH
from guvercin.gateway.requests import Figures
from guvercin.store.verbs.messages import Depth
from guvercin.store.writer import Committed

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_WINDOWS = {HOUR: "hour", DAY: "day", MONTH: "month"}
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
        self._sends = self._counter("guvercin_sends", "Messages that were handed to a line.", "account_id")
        self._failures = self._counter("guvercin_failures", "Messages that failed, by code.", "code")
        self._hooks = self._gauge("guvercin_webhook", "1 for the state that a webhook is in.", "webhook", "state")
        self._hook_waiting = self._gauge("guvercin_webhook_waiting", "Deliveries that wait for another try.", "webhook")
        self._hook_lag = self._gauge(
            "guvercin_webhook_lag_seconds", "Age of the oldest event that a webhook has not heard.", "webhook"
        )
        self._deliveries = self._gauge(
            "guvercin_webhook_tries", "Tries of this process to deliver, by what came of them.", "webhook", "result"
        )
        self._alerts = self._gauge("guvercin_alerts", "Troubles that the owner was told of and that last.", "kind")
        which = ("account_id", "limit", "group", "window")
        self._pace_used = self._gauge("guvercin_pace_used", "Messages that count for a limit now.", *which)
        self._pace_limit = self._gauge("guvercin_pace_limit", "The most messages of a limit.", *which)
        self._unwritten = Gauge(
            "guvercin_unwritten", "Changes that wait to be written to the disk.", registry=self._registry
        )
        self._running = Gauge("guvercin_accounts", "Accounts that this gateway runs.", registry=self._registry)
        info = self._gauge("guvercin_info", "1, with the version that runs.", "version")
        info.labels(__version__).set(1)
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
        if not committed.is_ours:  # the gateway that did it counts it
            return
        for standing in committed.standings:
            outcome = self._outcomes.get(standing.status)
            if outcome is not None:
                outcome.inc()
            if standing.status is Status.SENDING:
                self._sends.labels(standing.account_id).inc()
            elif standing.status is Status.FAILED and standing.reason is not None:
                self._failures.labels(standing.reason.value).inc()
        if committed.unclear:
            self._unclear.inc(committed.unclear)

    def text(self, *, accounts: Iterable[Account], depths: Iterable[Depth], figures: Figures, now: datetime) -> bytes:
        """Write everything in Prometheus' text format."""
        self._show_hooks(figures, now)
        self._show_paces(figures)
        self._alerts.clear()
        for alert in figures.alerts:
            self._alerts.labels(alert.trouble.kind.value).inc()
        self._unwritten.set(figures.unwritten)
        self._running.set(figures.running)
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

    def _show_hooks(self, figures: Figures, now: datetime) -> None:
        for gauge in (self._hooks, self._hook_waiting, self._hook_lag, self._deliveries):
            gauge.clear()
        for lag in figures.lags:
            age = now - lag.oldest_at if lag.oldest_at is not None else timedelta(0)
            self._hooks.labels(lag.hook.id, lag.hook.state.value).set(1)
            self._hook_waiting.labels(lag.hook.id).set(lag.waiting)
            self._hook_lag.labels(lag.hook.id).set(max(0.0, age.total_seconds()))
            self._deliveries.labels(lag.hook.id, "taken").set(figures.tally.taken.get(lag.hook.id, 0))
            self._deliveries.labels(lag.hook.id, "failed").set(figures.tally.failed.get(lag.hook.id, 0))

    def _show_paces(self, figures: Figures) -> None:
        """Show how much of each limit an account has used: of everything, of bulk to those known, of new people."""
        self._pace_used.clear()
        self._pace_limit.clear()
        for account_id, uses in figures.limits.items():
            for use in uses:
                limit = use.limit
                window = _WINDOWS.get(timedelta(milliseconds=limit.window), str(limit.window))
                which = (account_id, limit.word.value, limit.group, window)
                self._pace_used.labels(*which).set(use.used)
                self._pace_limit.labels(*which).set(limit.most)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(name, documentation, labels, registry=self._registry)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(name, documentation, labels, registry=self._registry)
