"""Jobs, cameras, kept files, users and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    _jobs()
    _cameras()
    _artifacts()
    _users()
    _api_keys()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("progress", sa.Double()),
        sa.Column("error", sa.Text()),
        sa.Column("result", sa.JSON()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("is_cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("created_utc_s", sa.Double(), nullable=False),
        sa.Column("started_utc_s", sa.Double()),
        sa.Column("finished_utc_s", sa.Double()),
        sa.Column("updated_utc_s", sa.Double(), nullable=False),
    )
    op.create_index("jobs_by_age", "jobs", ["created_utc_s", "id"])
    op.create_index("jobs_by_change", "jobs", ["updated_utc_s"])
    op.create_index("jobs_by_state", "jobs", ["state"])


def _cameras() -> None:
    op.create_table(
        "cameras",
        sa.Column("camera_id", sa.String(128), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("fps", sa.Double(), nullable=False),
        sa.Column("force_format", sa.String(16)),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("n_written", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("last_written_utc_s", sa.Double()),
        sa.Column("restart_count", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("holder", sa.String(128)),
        sa.Column("lease_until_utc_s", sa.Double(), nullable=False),
        sa.Column("started_utc_s", sa.Double(), nullable=False),
        sa.Column("updated_utc_s", sa.Double(), nullable=False),
    )


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("media_type", sa.String(255), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("job_id", sa.String(32)),
        sa.Column("created_utc_s", sa.Double(), nullable=False),
    )
    op.create_index("artifacts_by_key", "artifacts", ["key"])
    op.create_index("artifacts_by_job", "artifacts", ["job_id"])


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("created_utc_s", sa.Double(), nullable=False),
        sa.Column("changed_utc_s", sa.Double(), nullable=False),
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_utc_s", sa.Double(), nullable=False),
        sa.Column("last_used_utc_s", sa.Double()),
        sa.Column("revoked_utc_s", sa.Double()),
    )


def downgrade() -> None:
    """Drops them."""
    for name in ("api_keys", "users", "artifacts", "cameras", "jobs"):
        op.drop_table(name)
