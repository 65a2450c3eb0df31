"""Which of an account's templates Meta has stopped: their messages wait, and all others go on."""

from datetime import timedelta

from guvercin.core.outcome import TemplateNews
from guvercin.transports.base import Clock

TRY_AGAIN_AFTER = timedelta(hours=1)
"""Until a template that Meta refused is tried again, where Meta doesn't say by itself that it may be."""

LOOK_AGAIN_AFTER = timedelta(minutes=15)
"""How long a message of a stopped template waits until it asks again."""


class Templates:
    """The stopped ones, by name and language. Remembered as long as the process lives: one refusal teaches it again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stopped: dict[tuple[str, str], float] = {}
        """Until when, on the monotonic clock."""

    def stop(self, name: str, language: str) -> None:
        """Hear that Meta has refused a template."""
        until = self._clock.monotonic() + TRY_AGAIN_AFTER.total_seconds()
        self._stopped[name, language] = max(until, self._stopped.get((name, language), 0.0))

    def hear(self, news: TemplateNews) -> None:
        """Hear what Meta says of a template by itself: that stands until it says otherwise."""
        if news.is_usable:
            self._stopped.pop((news.name, news.language), None)
        else:
            self._stopped[news.name, news.language] = float("inf")

    def is_stopped(self, name: str, language: str) -> bool:
        """Say whether a template's messages have to wait."""
        until = self._stopped.get((name, language))
        if until is None:
            return False
        if self._clock.monotonic() < until:
            return True
        del self._stopped[name, language]
        return False

    @property
    def are_any_stopped(self) -> bool:
        """Say whether any template is stopped."""
        return any(self.is_stopped(*template) for template in list(self._stopped))

    def forget(self) -> None:
        """Try every template again: the owner has changed something."""
        self._stopped.clear()
