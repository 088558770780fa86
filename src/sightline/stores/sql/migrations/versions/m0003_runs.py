"""Runs: reconstructions as clients of the run server know them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes room for them."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("is_video", sa.Boolean(), nullable=False),
        sa.Column("parent_id", sa.String(40)),
        sa.Column("job_id", sa.String(32)),
        sa.Column("outcome", sa.JSON()),
        sa.Column("created_utc_s", sa.Double(), nullable=False),
        sa.Column("updated_utc_s", sa.Double(), nullable=False),
    )
    op.create_index("runs_by_age", "runs", ["created_utc_s", "id"])


def downgrade() -> None:
    """Forgets them; their files stay."""
    op.drop_table("runs")
