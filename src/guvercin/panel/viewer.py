"""Who looks at a page, and how amounts, times and numbers are written for them.

Laws
1. Case is never changed: «isim» has no capitals that a program without Turkish could find.
2. Whoever only looks sees numbers masked, on pages, in live updates and in downloads alike.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from guvercin.core.person import Person, Role, Session
from guvercin.core.token import Token
from guvercin.locale import Language, Translator, sentence

THEMES = ("auto", "light", "dark")

_MONTHS = sentence("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
_DAYS = sentence("Mon Tue Wed Thu Fri Sat Sun")
_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_VISIBLE_END = 2
_VISIBLE_START = 6
"""Characters of a masked number: `+90532…67`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """One person before one page. `session` null: nobody has signed in. `csrf` stands in every form of theirs.

    In the live part of a page (live.py) a viewer stands for everybody of one language and role: `csrf` is empty.
    """

    say: Translator
    theme: str
    zone: tzinfo
    session: Session | None
    csrf: str
    is_secure: bool

    @property
    def person(self) -> Person | None:
        """Answer who has signed in."""
        return None if self.session is None else self.session.person

    @property
    def token(self) -> Token:
        """Answer in whose name verbs of the gateway are called. Only pages behind the sign-in ask."""
        assert self.session is not None  # noqa: S101 -- the porch lets nobody else in
        return self.session.person.token

    @property
    def may_change(self) -> bool:
        """Say whether this person may do more than look."""
        return self.session is not None and self.session.person.role is Role.ADMIN

    @property
    def language(self) -> Language:
        """Answer the language of the page."""
        return self.say.language

    # -- how things are written

    def phone(self, number: str | None) -> str:
        """Answer a number (E.164) in groups: `+90 532 123 45 67`. What is no number stays as it was typed."""
        if not number:
            return ""
        shown = self.number_of(number)
        if shown.startswith("+90") and len(shown) == 13:
            return f"{shown[:3]} {shown[3:6]} {shown[6:9]} {shown[9:11]} {shown[11:]}"
        return shown

    def number_of(self, number: str) -> str:
        """Answer a number (E.164) without spaces, as this person may see it."""
        return number if self.may_change else masked(number)

    def number(self, amount: int) -> str:
        """Answer an amount with its thousands marked."""
        return f"{amount:,}".replace(",", "." if self.language is Language.TR else ",")

    def size(self, amount: int) -> str:
        """Answer an amount of bytes: `47 KB`, `1,2 MB`."""
        if amount < 1024 * 1024:
            return f"{self.number(max(1, round(amount / 1024)))} KB"
        written = f"{amount / (1024 * 1024):.1f}"
        return f"{written.replace('.', ',') if self.language is Language.TR else written} MB"

    def percent(self, part: int, whole: int, *, digits: int = 0) -> str:
        """Answer a share: `%97,8` in Turkish, `97.8%` in English. A share that isn't all never reads as all."""
        share = 100 * part / whole if whole else 0.0
        step = 10**-digits
        if part < whole:
            share = min(share, 100 - step)
        if part > 0:
            share = max(share, step)
        written = f"{share:.{digits}f}"
        return f"%{written.replace('.', ',')}" if self.language is Language.TR else f"{written}%"

    def duration(self, span: timedelta) -> str:
        """Answer a span of time in at most two units: `1 saat 36 dk`."""
        seconds = max(0, round(span / _SECOND))
        if seconds < 60:
            return self.say("{n} s", n=str(seconds))
        minutes = round(span / _MINUTE)
        hours, minutes = divmod(minutes, 60)
        if not hours:
            return self.say("{n} min", n=str(minutes))
        days, hours = divmod(hours, 24)
        if days:
            return self.say("{days} d {hours} h", days=str(days), hours=str(hours))
        return self.say("{hours} h {minutes} min", hours=str(hours), minutes=str(minutes))

    def local(self, at: datetime) -> datetime:
        """Answer a moment on this business's clock."""
        return at.astimezone(self.zone)

    def clock(self, at: datetime) -> str:
        """Answer the time of day: `14.05` in Turkish, `14:05` in English."""
        return self.local(at).strftime("%H.%M" if self.language is Language.TR else "%H:%M")

    def seconds(self, at: datetime) -> str:
        """Answer the time of day with its seconds."""
        return self.local(at).strftime("%H:%M:%S")

    def day(self, at: datetime) -> str:
        """Answer a day: `23 Kas`."""
        local = self.local(at)
        return f"{local.day} {self.say(_MONTHS).split()[local.month - 1]}"

    def weekday(self, at: datetime) -> str:
        """Answer a day of the week: `Pzt`."""
        return self.say(_DAYS).split()[self.local(at).weekday()]

    def weekday_of(self, day: date) -> str:
        """Answer the day of the week of a date."""
        return self.say(_DAYS).split()[day.weekday()]

    def date_of(self, day: date) -> str:
        """Answer a date: `23 Kas`."""
        return f"{day.day} {self.say(_MONTHS).split()[day.month - 1]}"

    def duration_of(self, seconds: int) -> str:
        """Answer a span that is running out: `02:21`."""
        return f"{seconds // 60:02}:{seconds % 60:02}"

    def moment(self, at: datetime, now: datetime) -> str:
        """Answer a moment that is past or to come: the time alone today, with its day otherwise."""
        here, today = self.local(at), self.local(now)
        if here.date() == today.date():
            return self.clock(at)
        year = "" if here.year == today.year else f" {here.year}"
        return f"{self.day(at)}{year} {self.clock(at)}"

    def ago(self, at: datetime, now: datetime) -> str:
        """Answer how long ago something was, for an hour; then when it was."""
        gone = now - at
        if gone < _MINUTE:
            return self.say("just now")
        if gone < _HOUR:
            return self.say("{n} min ago", n=str(gone // _MINUTE))
        return self.moment(at, now)

    def iso(self, at: datetime) -> str:
        """Answer a moment for `<time datetime>`."""
        return self.local(at).isoformat(timespec="seconds")


def masked(number: str) -> str:
    """Answer a number of which the middle is hidden; a short one is hidden whole."""
    if len(number) <= _VISIBLE_START + _VISIBLE_END:
        return "*" * len(number)
    hidden = len(number) - _VISIBLE_START - _VISIBLE_END
    return number[:_VISIBLE_START] + "*" * hidden + number[-_VISIBLE_END:]
