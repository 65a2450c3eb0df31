"""From refusals and consents to their answers."""

from datetime import tzinfo

from guvercin.api.answers.people import ConsentRecord, OptOutRecord
from guvercin.api.render.ground import clock_time, iso_time
from guvercin.core.consent import Consent
from guvercin.core.optout import OptOut


def opt_out_record(kept: OptOut, zone: tzinfo) -> OptOutRecord:
    """Answer what is told of a refusal."""
    return OptOutRecord(
        id=kept.id,
        phone=kept.phone,
        scope=kept.scope,
        source=kept.source,
        account_id=kept.account_id,
        said=kept.said,
        created_at=clock_time(kept.created_at, zone),
        created_at_iso=iso_time(kept.created_at, zone),
        ended_at=kept.ended_at and clock_time(kept.ended_at, zone),
        ended_by=kept.ended_by,
        ended_why=kept.ended_why,
    )


def consent_record(kept: Consent, zone: tzinfo) -> ConsentRecord:
    """Answer what is told of a consent."""
    return ConsentRecord(
        id=kept.id,
        phone=kept.phone,
        recipient_kind=kept.recipient_kind,
        consent_source=kept.source,
        given_at=clock_time(kept.given_at, zone),
        given_at_iso=iso_time(kept.given_at, zone),
        text_version=kept.text_version,
        proof_name=kept.proof and kept.proof.name,
        created_at=clock_time(kept.created_at, zone),
        created_at_iso=iso_time(kept.created_at, zone),
    )
