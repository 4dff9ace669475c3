"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sweep_id", _ORDERED, nullable=False),
        sa.Column("started_utc", _ORDERED),
        sa.Column("finished_utc", sa.Text()),
        sa.Column("jetbench", sa.Text()),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("second_look_of", sa.Text()),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweeps"),
        sa.UniqueConstraint("sweep_id", name="uq_sweeps_sweep_id"),
    )
    op.create_index(
        "ix_sweeps_second_look_of_started_utc_sweep_id",
        "sweeps",
        ["second_look_of", "started_utc", "sweep_id"],
    )
    op.create_table(
        "parts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sweep", sa.Integer(), nullable=False),
        sa.Column("board", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_parts"),
        sa.ForeignKeyConstraint(
            ["sweep"], ["sweeps.id"], name="fk_parts_sweep", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("sweep", "board", name="uq_parts_sweep_board"),
    )
    op.create_table(
        "tags",
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("part", "tag", name="pk_tags"),
        sa.ForeignKeyConstraint(["part"], ["parts.id"], name="fk_tags_part", ondelete="CASCADE"),
    )
    op.create_table(
        "names",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sweep_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_names"),
    )
    op.create_index("ix_names_sweep_id", "names", ["sweep_id"])
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("board", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_sha256", sa.Text()),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("stages", sa.Text(), nullable=False),
        sa.Column("device", sa.Integer()),
        sa.Column("power_mode_id", sa.Integer()),
        sa.Column("power_mode_name", sa.Text()),
        sa.Column("clocks_locked", sa.Boolean()),
        sa.Column("iterations", sa.Integer(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("digest", name="uq_cases_digest"),
    )
    op.create_index("ix_cases_model_board", "cases", ["model", "board"])
    op.create_table(
        "records",
        sa.Column("sweep", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("processes", sa.Integer(), nullable=False),
        sa.Column("forward_ms_mean", sa.Float()),
        sa.Column("forward_ms_median", sa.Float()),
        sa.Column("forward_ms_stdev", sa.Float()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sweep", "place", name="pk_records"),
        sa.ForeignKeyConstraint(
            ["sweep"], ["sweeps.id"], name="fk_records_sweep", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["part"], ["parts.id"], name="fk_records_part", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_records_case"),
    )
    op.create_index("ix_records_case_sweep", "records", ["case", "sweep"])
    op.create_index("ix_records_part", "records", ["part"])
    op.create_index("ix_records_sweep_case_status", "records", ["sweep", "case", "status"])
