"""What is promised, each by its name; a broken one says which it was."""

PROMISES = {
    "P1": "a 2xx means that the message survives kill -9",
    "P2": "every accepted message reaches a final durum, or unknown, before its lifetime + 1 h",
    "P3": "one WhatsApp message per log row; what is in doubt is never silently sent again",
    "P4": "for one recipient, rows of equal priority leave in log_id order; with rules, those of one category",
    "P5": "durum never goes back (queued, scheduled, sending and unknown are one rank)",
    "P6": "the events that webhooks will be told from are appended once, in order, and none is missing",
    "P7": "what was told withdrawn, or is covered by a refusal, never leaves, save the one confirmation",
    "P8": "gaps hold across restarts and clock jumps, and nothing leaves before its time or after its lifetime",
    "P9": "total = sent + failed + queued",
    "TRUE": "what a caller is told is so: sent has arrived, and arrived at whom it was meant for",
    "ONCE": "one wish is one row, however often its caller repeats it",
    "TWICE": "nobody gets a message of one batch twice",
    "STOP": "a batch that is paused or cancelled gives nothing more to the line",
    "OVERTAKE": "no bulk message is claimed while a single one stands in line",
    "FAIR": "lists of a level take turns: while one stands in line, as many messages go as there are others",
    "PACE": "the limits of an account's pace hold over every window, across restarts and clock jumps",
    "QUIET": "nothing that keeps quiet hours leaves in them",
    "WILL": "what people wrote last stands, they hear so once, and nothing advertises to who never agreed",
    "LIMIT": "no token gets more than its limits allow",
}


class Broken(AssertionError):  # noqa: N818 -- a word of this place
    """A promise that was not kept."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise} ({PROMISES[promise]}): {what}")
        self.promise = promise
