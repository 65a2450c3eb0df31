"""What is answered to people who refuse our messages, and to those who let them come again."""

from dataclasses import replace
from datetime import datetime, timedelta

from guvercin.core.category import GENERAL
from guvercin.core.message import Content, Draft, Lane, Level, priority
from guvercin.core.optout import Replies
from guvercin.locale import Language, sentence, translator

_STOPPED = sentence("We have noted it: this number sends you no more messages. To get them again, write BAŞLA.")
_STOPPED_BUT_NOTICES = sentence(
    "We have noted it: this number sends you no more advertising or bulk messages. Notices about your own orders, "
    "payments and appointments may still come. To get everything again, write BAŞLA."
)
_STARTED = sentence("We have noted it: you get messages from this number again. To stop them, write DUR.")

_LIFETIME = timedelta(hours=24)


def replies(now: datetime) -> Replies:
    """Answer the drafts of the answers. They go to customers in Turkey, so they are in Turkish."""
    say = translator(Language.TR)
    stopped = Draft(
        account_id=0,  # the store knows whom it is for
        recipient="",
        content=Content(text=say(_STOPPED)),
        category=GENERAL.id,
        lane=Lane.SINGLE,
        priority=priority(Level.HIGH, Lane.SINGLE),
        expires_at=now + _LIFETIME,
    )
    return Replies(
        stopped=stopped,
        stopped_but_notices=replace(stopped, content=Content(text=say(_STOPPED_BUT_NOTICES))),
        started=replace(stopped, content=Content(text=say(_STARTED))),
    )
