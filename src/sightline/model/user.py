"""People and programs that may use the server, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; each may all that the one before may."""

    VIEWER = "viewer"
    """Look."""
    OPERATOR = "operator"
    """Start, stop and delete work."""
    ADMIN = "admin"
    """Everything."""

    def includes(self, other: "Role") -> bool:
        """Whether this role may all that ``other`` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody with a password."""

    name: str
    """How they log in."""
    password_hash: str
    """Argon2id, with its parameters."""
    role: Role
    """What they may do."""
    is_disabled: bool = False
    """Whether they are locked out."""
    created_utc_s: float = 0.0
    """When they were added."""
    changed_utc_s: float = 0.0
    """When password, role or lock last changed: tokens issued before are void."""
    is_vip: bool = False
    """Whether clients are told that this is somebody special; it opens no door."""
    expires_utc_s: float | None = None
    """When that ends; None: it does not."""

    def is_vip_at(self, utc_s: float) -> bool:
        """Whether clients are told so at that moment."""
        return self.is_vip and (self.expires_utc_s is None or utc_s < self.expires_utc_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key for programs."""

    id: str
    """Its public part, 12 hexadecimal digits."""
    secret_hash: str
    """SHA-256 of its secret part, which has 256 random bits."""
    label: str
    """What it is for."""
    role: Role
    """What it may do."""
    created_utc_s: float = 0.0
    """When it was made."""
    last_used_utc_s: float | None = None
    """When it was last used, to within a minute."""
    revoked_utc_s: float | None = None
    """When it was taken back; None: it is good."""
