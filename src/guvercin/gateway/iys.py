"""Consents in the columns that İYS (the national register of consents) takes: one line each, in the order of taking."""

import csv
import io
from collections.abc import Sequence
from datetime import tzinfo

from guvercin.core.consent import Consent

_COLUMNS = ("recipient", "type", "source", "status", "recipientType", "consentDate")


def consents_csv(consents: Sequence[Consent], zone: tzinfo) -> str:
    """Answer consents as CSV. Times are the wall clock of `zone`, as İYS writes them: `2026-02-23 14:30:00`."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(_COLUMNS)
    for each in consents:
        given_at = each.given_at.astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds")
        rows.writerow((each.phone, "MESAJ", each.source.value, "ONAY", each.recipient_kind.value, given_at))
    return written.getvalue()
