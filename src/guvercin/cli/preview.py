"""What there is to know of a list before anybody says yes: the server's own look at it, in lines of a terminal."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from guvercin.cli.messages import why
from guvercin.cli.terminal import ExitCode, Trouble, clock_time
from guvercin.core.errors import Code
from guvercin.core.message import WaitsFor
from guvercin.locale import Translator

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.cli.reach import Gate

_SHOWN = 5
_WAITS_SHOWN = 3
_LEAST_WAIT = timedelta(minutes=1)
_SAYS_WHEN = timedelta(hours=1)
"""From here on people are told by the clock too when it ends."""

_HELD_BY_STRANGERS = frozenset({WaitsFor.DISTANCE, WaitsFor.HOURLY, WaitsFor.DAILY, WaitsFor.MONTHLY, WaitsFor.WARM_UP})


async def upload(gate: "Gate", raw: bytes, form: Mapping[str, str]) -> Mapping[str, Any]:
    """Let the server look through a list; answers its verdicts, and the draft by which it starts."""
    return await gate.ask("POST", "/toplu/dosya", upload=("liste", raw), form=form)


def check(say: Translator, found: Mapping[str, Any]) -> None:
    """Raise why a list can't be sent as it is, by its first line that stands in the way."""
    stops = next((row for row in found["satirlar"] if row["engel"]), None)
    if stops is not None:
        raise Trouble(
            say("Line {line}: {trouble}", line=str(stops["satir"]), trouble=stops["mesaj"]),
            stops["cozum"],
            code=ExitCode.USAGE,
        )


def lines(say: Translator, found: Mapping[str, Any], *, is_of_customers: bool) -> list[str]:
    """Answer how many there are, which are left out and why, and how long it takes."""
    left_out = [row for row in found["satirlar"] if row["sonuc"] == "hatali"]
    wrong = [row for row in left_out if row["kod"] == Code.INVALID_PHONE]
    others = found["hatali"] - len(wrong) if len(wrong) < len(left_out) else 0
    told = [
        say(
            "Rows: {count}. To send: {good}, wrong numbers: {bad}, repeated: {repeats}",
            count=found["total"],
            good=found["gonderilecek"],
            bad=found["hatali"] - others,
            repeats=found["mukerrer"],
        ),
    ]
    if others:
        told.append(say("Left out for another reason: {count}", count=others))
    for row in left_out[:_SHOWN]:
        where = say("line {line}: {phone}", line=str(row["satir"]), phone=row["alici"] or "–")
        told.append(f"  {where}  {row['mesaj']}")
    if found["hatali"] > _SHOWN:
        told.append("  " + say("and {count} more", count=found["hatali"] - _SHOWN))
    several = sum(row["kod"] == Code.SEVERAL_NUMBERS for row in found["satirlar"])
    if several:
        told.append(say("In {count} rows there are several numbers: the first mobile one is taken.", count=several))
    return [*told, *_forecast(say, found, is_of_customers=is_of_customers)] if found["gonderilecek"] else told


def _forecast(say: Translator, found: Mapping[str, Any], *, is_of_customers: bool) -> list[str]:
    length = timedelta(seconds=found["sure_sn"])
    if found["tahmini_bitis_iso"] is None:
        told = [
            say(
                "It takes about {duration} once the account's line is up; it is down now.",
                duration=duration(say, length),
            )
        ]
    elif length < _SAYS_WHEN:
        told = [say("It takes about {duration}.", duration=duration(say, length))]
    else:
        ends = clock_time(found["tahmini_bitis_iso"])
        told = [say("It takes about {duration} and ends about {time}.", duration=duration(say, length), time=ends)]
    if found["neden_bitis"] is not None:
        begins = clock_time(found["neden_bitis"])
        told.append(say("It begins at {time}: {reason}", time=begins, reason=why(say, found["neden"])))
    waits = [(timedelta(seconds=each["sure_sn"]), each["neden"]) for each in found["bekleyisler"]]
    told += [
        "  " + say("of that {duration}: {reason}", duration=duration(say, wait), reason=why(say, reason))
        for wait, reason in waits[:_WAITS_SHOWN]
        if wait >= _LEAST_WAIT
    ]
    if not is_of_customers and any(reason in _HELD_BY_STRANGERS for _, reason in waits[:1]):
        told.append(say("If all of them are customers of yours, say so with --mevcut: then it goes faster."))
    if found["suresi_yetmeyen"]:
        late = found["suresi_yetmeyen"]
        told.append(say("{count} of them would not leave before their time is over (--gecerlilik).", count=late))
    return told


def duration(say: Translator, length: timedelta) -> str:
    """Answer a length of time as people say it: «1 hour 36 min»."""
    seconds = max(1, round(length.total_seconds()))
    hours, minutes = divmod(round(seconds / 60), 60)
    if seconds < 90:
        return say("{seconds} s", seconds=seconds)
    if not hours:
        return say("{minutes} min", minutes=minutes)
    if hours < 48:
        return say("{hours} h {minutes} min", hours=hours, minutes=minutes)
    days, hours = divmod(round(seconds / 3600), 24)
    return say("{days} days {hours} h", days=days, hours=hours)
