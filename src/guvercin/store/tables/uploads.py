"""What is kept for a request to come: uploaded files, and bulk requests that are not made yet."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from guvercin.store.tables.ground import Id, metadata

upload = Table(
    "upload",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_upload_created_at", "created_at"),
)

batch_draft = Table(
    "batch_draft",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_id", Id, ForeignKey("token.id"), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_batch_draft_token", "token_id", "created_at"),
    Index("ix_batch_draft_created_at", "created_at"),
)
"""Bulk requests that are not made yet: read from a file, looked through, and waiting for a yes."""
