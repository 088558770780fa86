"""Who is a VIP, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds it; nobody is one yet."""
    op.add_column("users", sa.Column("is_vip", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("expires_utc_s", sa.Double()))


def downgrade() -> None:
    """Forgets it."""
    op.drop_column("users", "expires_utc_s")
    op.drop_column("users", "is_vip")
