"""The registry's tables, as the code reads them. Migrations make them; a test holds the two together."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

# One row. Whoever writes locks it first: numbers from it are without gaps and commit in their own order.
registry = sa.Table(
    "registry",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("registry", sa.String(36), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("head", sa.String(71), nullable=False),
)

log = sa.Table(
    "log",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("at", sa.String(27), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("previous", sa.String(71), nullable=False),
    sa.Column("hash", sa.String(71), nullable=False),
)

units = sa.Table(
    "units",
    metadata,
    sa.Column("digest", sa.String(71), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(71), sa.ForeignKey("units.digest"), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("at", sa.String(27), nullable=False),
    sa.Column("parent", sa.Integer),
    sa.Column("restores", sa.Integer),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Index("versions_by_digest", "digest"),
    sa.Index("versions_by_seq", "seq"),
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("label", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(71), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Index("labels_by_seq", "seq"),
)

# Which labels an entry of the log moved, `latest` by a publication too: what the log says, in a form to search.
moves = sa.Table(
    "moves",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("label", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(71), nullable=False),
    sa.Index("moves_by_label", "name", "label", "seq"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("principal", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("names", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires_at", sa.String(27)),
    sa.Column("revoked_at", sa.String(27)),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(27), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("verb", sa.String(16), nullable=False),
    sa.Column("code", sa.String(32), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)

# First answers by Idempotency-Key, so that a lost reply can be asked for again.
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("request", sa.String(71), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("at", sa.String(27), nullable=False),
    sa.Index("answers_by_time", "at"),
)

# What evaluations found, newest last: canonical JSON under gzip, named by the digest of what is within.
evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(71), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("label", sa.String(36), nullable=False),
    sa.Column("candidate", sa.String(71), nullable=False),
    sa.Column("baseline", sa.String(71)),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("added_at", sa.String(27), nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Index("evidence_by_change", "name", "label", "candidate"),
)

# Parquet files, named by the digest of their bytes: that of the rows within can be checked only by who reads them.
datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("digest", sa.String(71), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

suites = sa.Table(
    "suites",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(71), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("dataset", sa.String(71), sa.ForeignKey("datasets.digest"), nullable=False),
    sa.Column("added_at", sa.String(27), nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
)

# What labels demand, as the change log last said it.
policies = sa.Table(
    "policies",
    metadata,
    sa.Column("label", sa.String(36), primary_key=True),
    sa.Column("names", sa.String(200), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
