"""History: who was seen where when sites were watched, and what people put right of it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WEEK_MS = 7 * 24 * 3600 * 1000
_TABLES = ("watched_tasks", "sightings", "places", "identities", "online_identities", "corrections")


def upgrade() -> None:
    """Makes the tables; the two large ones by weeks, where the database can."""
    op.create_table(
        "watched_tasks",
        sa.Column("task_id", sa.String(32), primary_key=True),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("footage", sa.String(64), nullable=False),
        sa.Column("begins_utc_s", sa.Double()),
        sa.Column("asked_utc_s", sa.Double(), nullable=False),
        sa.Column("fps", sa.Double()),
        sa.Column("firsts", sa.JSON(), nullable=False),
        sa.Column("ends_s", sa.Double(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("noted_utc_s", sa.Double(), nullable=False),
    )
    op.create_index("watched_tasks_by_site", "watched_tasks", ["site"])
    _sightings()
    _places()
    _identities()
    _corrections()


def _sightings() -> None:
    _large(
        "sightings",
        sa.Column("task_id", sa.String(32), nullable=False),
        sa.Column("utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("moment", sa.BigInteger(), nullable=False),
        sa.Column("t_s", sa.Double(), nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("track", sa.BigInteger(), nullable=False),
        sa.Column("online", sa.Integer(), nullable=False),
        sa.Column("identity", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double()) for name in ("x1_px", "y1_px", "x2_px", "y2_px", "score")),
        *(sa.Column(name, sa.Double()) for name in ("x_m", "y_m", "xx_m2", "xy_m2", "yy_m2")),
    )
    op.create_index("sightings_by_task", "sightings", ["task_id", "utc_ms"])


def _places() -> None:
    _large(
        "places",
        sa.Column("task_id", sa.String(32), nullable=False),
        sa.Column("utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.Integer(), nullable=False),
        sa.Column("t_s", sa.Double(), nullable=False),
        sa.Column("x_m", sa.Double(), nullable=False),
        sa.Column("y_m", sa.Double(), nullable=False),
        sa.Column("n_cameras", sa.Integer(), nullable=False),
    )
    op.create_index("places_by_task", "places", ["task_id", "utc_ms"])


def _large(name: str, *columns: "sa.Column[object]") -> None:
    """A table by weeks: Timescale's where its extension is, else one of partitions, in SQLite a plain one."""
    connection = op.get_bind()
    is_postgres = connection.dialect.name == "postgresql"
    with_timescale = (
        is_postgres and connection.execute(sa.text("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")).first()
    )
    if not is_postgres:
        op.create_table(name, *columns)
    elif not with_timescale:
        op.create_table(name, *columns, postgresql_partition_by="RANGE (utc_ms)")
    else:
        op.create_table(name, *columns)
        how = f"chunk_time_interval => BIGINT '{_WEEK_MS}', create_default_indexes => false"
        connection.execute(sa.text(f"SELECT create_hypertable('{name}', 'utc_ms', {how})"))


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("task_id", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("first_s", sa.Double(), nullable=False),
        sa.Column("last_s", sa.Double(), nullable=False),
        sa.Column("n_sightings", sa.Integer(), nullable=False),
    )
    op.create_index("identities_by_id", "identities", ["id"])
    op.create_table(
        "online_identities",
        sa.Column("task_id", sa.String(32), primary_key=True),
        sa.Column("online", sa.Integer(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("n_sightings", sa.Integer(), nullable=False),
    )


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("identity", sa.String(36), nullable=False),
        sa.Column("becomes", sa.String(36)),
        sa.Column("task_id", sa.String(32)),
        sa.Column("at_s", sa.Double()),
        sa.Column("name", sa.String(128)),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("created_utc_s", sa.Double(), nullable=False),
        sa.Column("undone_utc_s", sa.Double()),
        sa.Column("is_done", sa.Boolean(), nullable=False),
    )
    op.create_index("corrections_by_site", "corrections", ["site", "created_utc_s"])


def downgrade() -> None:
    """Forgets them."""
    for name in reversed(_TABLES):
        op.drop_table(name)
