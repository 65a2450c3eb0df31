"""Meta's webhooks, delivered for real: signed over their bytes, and with every bad habit that a test asks for."""

import asyncio
import hmac
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import Any

import aiohttp

from guvercin.transports.base import Clock

_POSTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How Meta calls back. Seconds; `batch` is the most items in one call, `linger` how long one waits for company.

    `duplicates`: how often each item comes again, after a while, which also reorders. `contacts`: whether statuses
    bring them. `numbers`: whether people have telephone numbers, or only Meta's ids. `pauses` lie between the tries of
    one call, and the last is repeated: Meta's own are longer, and go on for seven days.
    """

    after: tuple[float, float] = (0.0, 0.0)
    step: float = 0.01
    batch: int = 1
    linger: float = 0.02
    duplicates: int = 0
    again_after: tuple[float, float] = (0.2, 5.0)
    shuffle: bool = False
    contacts: bool = True
    numbers: bool = True
    answer_limit: float = 10.0
    pauses: tuple[float, ...] = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to tell: `key` is where it stands in `value` («statuses», «messages»), `contact` who it is about."""

    key: str
    what: Mapping[str, Any]
    contact: str | None = None
    field: str = "messages"


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One call and how it was answered: 0 is no answer."""

    url: str
    body: bytes
    tries: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Owed:
    number_id: str
    items: list[Item]


class Callbacks:
    """Everything that is owed to one app's callback addresses, one for each number."""

    def __init__(self, *, secret: str, clock: Clock, rng: Random, keeps_log: bool = True) -> None:
        self.secret = secret
        self.habits = Habits()
        self.urls: dict[str, str] = {}
        """Where each number's news goes: without an address nobody is told."""
        self.deliveries: deque[Delivery] = deque(maxlen=100_000)
        self._keeps_log = keeps_log
        self._phones: dict[str, str] = {}
        self._clock = clock
        self._rng = rng
        self._waiting: dict[str, list[Item]] = {}
        self._under_way: dict[int, Delivery] = {}
        self._planned = 0
        self._is_closed = False
        self._gate = asyncio.Semaphore(_POSTS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Begin, in the loop that runs."""
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        """End: what is still owed is forgotten."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def knows(self, number_id: str, phone: str) -> None:
        """Remember how a number is shown."""
        self._phones[number_id] = phone

    async def greet(self, number_id: str, url: str, verify_token: str) -> bool:
        """Make Meta's first call to an address, and take it if it answers the challenge."""
        assert self._session is not None  # noqa: S101 -- opened first
        challenge = str(self._rng.randrange(10**9))
        query = {"hub.mode": "subscribe", "hub.verify_token": verify_token, "hub.challenge": challenge}
        async with self._session.get(url, params=query) as answer:
            is_taken = answer.status == 200 and await answer.text() == challenge
        if is_taken:
            self.urls[number_id] = url
        return is_taken

    def tell(self, number_id: str, item: Item, *, after: float = 0.0) -> None:
        """Owe an item to a number's address, to be told after a while, and again as the habits have it."""
        habits = self.habits
        delay = after + self._rng.uniform(*habits.after)
        self._plan(delay, number_id, item)
        for _ in range(habits.duplicates):
            self._plan(delay + self._rng.uniform(*habits.again_after), number_id, item)

    @property
    def owed(self) -> int:
        """Answer how many calls and items were not taken yet, and have not been refused so far either."""
        fresh = sum(not delivery.tries for delivery in self._under_way.values())
        return self._planned + sum(map(len, self._waiting.values())) + fresh

    @property
    def untaken(self) -> int:
        """Answer how many calls and items were not taken yet."""
        return self._planned + sum(map(len, self._waiting.values())) + len(self._under_way)

    def _plan(self, delay: float, number_id: str, item: Item) -> None:
        self._planned += 1
        loop = asyncio.get_running_loop()
        if delay > 0:
            loop.call_later(delay, self._arrive, number_id, item)
        else:
            self._arrive(number_id, item)

    def _arrive(self, number_id: str, item: Item) -> None:
        self._planned -= 1
        if number_id not in self.urls or self._is_closed:
            return
        waiting = self._waiting.setdefault(number_id, [])
        waiting.append(item)
        if len(waiting) >= self.habits.batch:
            self._flush(number_id)
        elif len(waiting) == 1:
            asyncio.get_running_loop().call_later(self.habits.linger, self._flush, number_id)

    def _flush(self, number_id: str) -> None:
        items = self._waiting.pop(number_id, [])
        if not items or self._is_closed:
            return
        if self.habits.shuffle:
            self._rng.shuffle(items)
        delivery = Delivery(url=self.urls[number_id], body=self.body(number_id, items))
        if self._keeps_log:
            self.deliveries.append(delivery)
        self._under_way[id(delivery)] = delivery
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def body(self, number_id: str, items: list[Item]) -> bytes:
        """Write a call's body: beyond ASCII everything is escaped, as Meta does before it signs."""
        values: dict[str, dict[str, Any]] = {}
        for item in items:
            value = values.setdefault(
                item.field, {"messaging_product": "whatsapp", "metadata": self._metadata(number_id)}
            )
            if item.contact is not None and (self.habits.contacts or item.key == "messages"):
                value.setdefault("contacts", []).append(self._contact(item.contact))
            if item.key:
                value.setdefault(item.key, []).append(item.what)
            else:
                value.update(item.what)
        changes = [{"value": value, "field": name} for name, value in values.items()]
        told = {"object": "whatsapp_business_account", "entry": [{"id": "900000000000001", "changes": changes}]}
        return json.dumps(told, separators=(",", ":")).encode("ascii")

    def sign(self, body: bytes) -> str:
        """Answer the value of X-Hub-Signature-256."""
        return "sha256=" + hmac.new(self.secret.encode(), body, sha256).hexdigest()

    def _metadata(self, number_id: str) -> dict[str, str]:
        return {"display_phone_number": self._phones.get(number_id, ""), "phone_number_id": number_id}

    def _contact(self, phone: str) -> dict[str, Any]:
        contact: dict[str, Any] = {"profile": {"name": "Müşteri"}, "user_id": f"TR.{phone}"}
        return contact | ({"wa_id": phone} if self.habits.numbers else {})

    async def _deliver(self, delivery: Delivery) -> None:
        while True:
            async with self._gate:
                delivery.tries.append(await self._post(delivery))
            if delivery.tries[-1] == 200:
                self._under_way.pop(id(delivery), None)
                return
            pauses = self.habits.pauses
            pause = pauses[min(len(delivery.tries), len(pauses)) - 1]
            await self._clock.sleep_until(self._clock.monotonic() + pause)

    async def _post(self, delivery: Delivery) -> int:
        assert self._session is not None  # noqa: S101 -- opened first
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": self.sign(delivery.body)}
        try:
            limit = aiohttp.ClientTimeout(total=self.habits.answer_limit)
            async with self._session.post(delivery.url, data=delivery.body, headers=headers, timeout=limit) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0


def bare(item: Item) -> Item:
    """Answer an item as it comes for somebody who shows no number: without `recipient_id` and `from`."""
    what = {key: value for key, value in item.what.items() if key not in {"recipient_id", "from"}}
    phone = item.what.get("recipient_id") or item.what.get("from")
    name = "recipient_user_id" if item.key == "statuses" else "from_user_id"
    return replace(item, what=what | {name: f"TR.{phone}"})
