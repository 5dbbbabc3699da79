"""Evidence, suites with their datasets, and the policies of labels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_FROZEN = ("evidence", "datasets", "suites")


def upgrade() -> None:
    """Add what the gate decides by."""
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(71), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("label", sa.String(36), nullable=False),
        sa.Column("candidate", sa.String(71), nullable=False),
        sa.Column("baseline", sa.String(71)),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.String(27), nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
    )
    op.create_index("evidence_by_change", "evidence", ["name", "label", "candidate"])
    op.create_table(
        "datasets",
        sa.Column("digest", sa.String(71), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "suites",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("dataset", sa.String(71), sa.ForeignKey("datasets.digest"), nullable=False),
        sa.Column("added_at", sa.String(27), nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
    )
    op.create_table(
        "policies",
        sa.Column("label", sa.String(36), primary_key=True),
        sa.Column("names", sa.String(200), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    _freeze(op.get_bind().dialect.name)


def _freeze(dialect: str) -> None:
    # What a move stood on must stay what it was, whoever asks afterwards.
    for table in _FROZEN:
        if dialect == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, 'rows of {table} never change'); END"
                )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION pressmark_refuse()"
            )
