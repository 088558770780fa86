"""Playback: where tasks of the multi-camera service are, and where they are wanted to be."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes room for it."""
    op.create_table(
        "playback",
        sa.Column(
            "job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE", name="playback_of"), primary_key=True
        ),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("goal", sa.BigInteger()),
        sa.Column("n_asked", sa.Integer(), nullable=False),
        sa.Column("n_done", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger()),
        sa.Column("edge", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger()),
        sa.Column("passed", sa.JSON(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("changed_utc_s", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    """Forgets it: paused tasks go on."""
    op.drop_table("playback")
