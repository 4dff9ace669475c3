"""The tables, as they are now. A change here needs a migration; a test compares the two.

::

    sweeps ──< parts (boards) ──< tags
       │
       └──< records >── cases         names: of baselines

A record is one row. What is asked for stands in columns; the rest stands in `body` (the JSON
of `formats/result.py` without layers and trials), and layers and trials, which nobody sorts by,
in `detail`. Both are zlib over UTF-8.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

_DIGEST = 64

_ORDERED = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared byte by byte, as SQLite does it: a server's language has other ideas."""

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sweep_id", _ORDERED, nullable=False, unique=True),
    Column("started_utc", _ORDERED),
    Column("finished_utc", Text),
    Column("jetbench", Text),
    Column("simulated", Boolean, nullable=False),
    Column("interrupted", Boolean, nullable=False),
    Column("second_look_of", Text),
    # Of the document: says whether exactly this is in already.
    Column("sha256", String(_DIGEST), nullable=False),
    # The document without its records.
    Column("head", LargeBinary, nullable=False),
    Index(None, "second_look_of", "started_utc", "sweep_id"),
)

parts = Table(
    "parts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sweep", ForeignKey("sweeps.id", ondelete="CASCADE"), nullable=False),
    Column("board", Text, nullable=False),
    UniqueConstraint("sweep", "board"),
)

tags = Table(
    "tags",
    metadata,
    Column("part", ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Text, primary_key=True),
)

names = Table(
    "names",
    metadata,
    Column("name", Text, primary_key=True),
    # Not a reference: a baseline may be named before its sweep is brought in.
    Column("sweep_id", Text, nullable=False),
    Index(None, "sweep_id"),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True),
    # Of all that follows.
    Column("digest", String(_DIGEST), nullable=False, unique=True),
    Column("board", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_sha256", Text),
    Column("engine", Text, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("phase", Text, nullable=False),
    Column("stages", Text, nullable=False),
    Column("device", Integer),
    Column("power_mode_id", Integer),
    Column("power_mode_name", Text),
    Column("clocks_locked", Boolean),
    Column("iterations", Integer, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Index(None, "model", "board"),
)

records = Table(
    "records",
    metadata,
    Column("sweep", ForeignKey("sweeps.id", ondelete="CASCADE"), primary_key=True),
    # Its place in the document, from 0.
    Column("place", Integer, primary_key=True),
    Column("part", ForeignKey("parts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("case", ForeignKey("cases.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("processes", Integer, nullable=False),
    Column("forward_ms_mean", Float),
    Column("forward_ms_median", Float),
    Column("forward_ms_stdev", Float),
    Column("body", LargeBinary, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Index(None, "case", "sweep"),
    # Holds all that a list of sweeps asks for.
    Index(None, "sweep", "case", "status"),
)
