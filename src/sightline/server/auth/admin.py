"""Users and keys, for admins."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from sightline.errors import ConflictError
from sightline.model.user import ApiKey, Role, User
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import answers
from sightline.server.views import moment

Answer = TypeVar("Answer")
Name = Annotated[str, Path(max_length=64, description="Name of the user.")]


class UserView(BaseModel):
    """A user."""

    name: str = Field(description="How they log in.")
    role: Role = Field(description="What they may do.")
    disabled: bool = Field(description="Whether they are locked out.")
    created_at: str | None = Field(description="When they were added.")
    changed_at: str | None = Field(description="When password, role or lock last changed.")
    vip: bool = Field(description="Whether clients of the TCP service are told that this is a VIP; it opens no door.")
    vip_until: str | None = Field(description="When that ends; null: it does not.")

    @classmethod
    def of(cls, user: User) -> "UserView":
        """The view of a user."""
        return cls(
            name=user.name,
            role=user.role,
            disabled=user.is_disabled,
            created_at=moment(user.created_utc_s),
            changed_at=moment(user.changed_utc_s),
            vip=user.is_vip,
            vip_until=moment(user.expires_utc_s),
        )


class _Vip(BaseModel):
    """Whether somebody is a VIP, and until when."""

    vip: bool | None = Field(None, description="Whether they are a VIP, which clients of the TCP service are told.")
    vip_until: AwareDatetime | None = Field(None, description="When that ends; null: it does not. Goes with `vip`.")

    @model_validator(mode="after")
    def _together(self) -> "_Vip":
        if self.vip_until is not None and not self.vip:
            raise ValueError("vip_until goes with vip = true")
        return self


class UserAsked(_Vip):
    """A user to add."""

    name: str = Field(pattern=r"^[A-Za-z0-9._@-]{1,64}$", description="How they will log in.")
    password: str = Field(min_length=10, max_length=1024, description="Their password.")
    role: Role = Field(Role.VIEWER, description="What they may do.")


class UserChange(_Vip):
    """What to change of a user."""

    password: str | None = Field(None, min_length=10, max_length=1024, description="A new password.")
    role: Role | None = Field(None, description="What they may do from now on.")
    disabled: bool | None = Field(None, description="Whether to lock them out.")


class KeyView(BaseModel):
    """A key, without its secret."""

    id: str = Field(description="Its number.")
    label: str = Field(description="What it is for.")
    role: Role = Field(description="What it may do.")
    created_at: str | None = Field(description="When it was made.")
    last_used_at: str | None = Field(description="When it was last used, to within a minute.")
    revoked_at: str | None = Field(description="When it was taken back.")

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        """The view of a key."""
        return cls(
            id=key.id,
            label=key.label,
            role=key.role,
            created_at=moment(key.created_utc_s),
            last_used_at=moment(key.last_used_utc_s),
            revoked_at=moment(key.revoked_utc_s),
        )


class NewKey(KeyView):
    """A key that was just made."""

    key: str = Field(description="Its text, which is shown this once.")


class KeyAsked(BaseModel):
    """A key to make."""

    label: str = Field(min_length=1, max_length=255, description="What it will be for.")
    role: Role = Field(Role.VIEWER, description="What it may do.")


def router(guard: Guard) -> APIRouter:
    """Routes for admins."""
    routes = APIRouter(tags=["access"])
    routes.include_router(_users_router(guard))
    routes.include_router(_keys_router(guard))
    return routes


def _users_router(guard: Guard) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/users", responses=answers(404, 409))
    users = guard.accounts.users
    admin = Annotated[Principal, Depends(guard.allow(Role.ADMIN))]

    @routes.get("", summary="All users")
    def listed(_who: admin) -> list[UserView]:
        return [UserView.of(user) for user in users.all()]

    @routes.post("", status_code=201, summary="Add a user")
    async def add(_who: admin, asked: UserAsked) -> UserView:
        hashed = await guard.passwords.hashed(asked.password)

        def added() -> User:
            is_vip, until_utc_s = bool(asked.vip), _utc_s(asked.vip_until)
            return users.add(asked.name, hashed, asked.role, is_vip=is_vip, expires_utc_s=until_utc_s)

        return UserView.of(await _changed(guard, added))

    @routes.patch("/{name}", summary="Change a user; tokens issued before are void")
    async def change(who: admin, name: Name, asked: UserChange) -> UserView:
        _spare(who, name, asked)
        hashed = None if asked.password is None else await guard.passwords.hashed(asked.password)
        return await _changed(guard, lambda: UserView.of(_apply(guard, name, asked, hashed)))

    @routes.delete("/{name}", summary="Lock a user out; the name stays taken")
    async def disable(who: admin, name: Name) -> UserView:
        _spare(who, name, UserChange(disabled=True))
        return await _changed(guard, lambda: UserView.of(users.set_disabled(name, True)))

    return routes


def _keys_router(guard: Guard) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/keys", responses=answers(404))
    keys = guard.accounts.keys
    admin = Annotated[Principal, Depends(guard.allow(Role.ADMIN))]

    @routes.get("", summary="All keys, without their secrets")
    def listed(_who: admin) -> list[KeyView]:
        return [KeyView.of(key) for key in keys.all()]

    @routes.post("", status_code=201, summary="Make a key; its text is shown this once")
    async def create(_who: admin, asked: KeyAsked) -> NewKey:
        key, text = await _changed(guard, lambda: keys.create(asked.label, asked.role))
        return NewKey(**KeyView.of(key).model_dump(), key=text)

    @routes.delete("/{key_id}", summary="Take a key back, for good")
    async def revoke(_who: admin, key_id: Annotated[str, Path(max_length=64)]) -> KeyView:
        return await _changed(guard, lambda: KeyView.of(keys.revoke(key_id)))

    return routes


async def _changed(guard: Guard, change: Callable[[], Answer]) -> Answer:
    """What came of a change, which counts from now on."""
    answer = await to_thread.run_sync(change)
    guard.accounts.forget()
    return answer


def _apply(guard: Guard, name: str, asked: UserChange, password_hash: str | None) -> User:
    users = guard.accounts.users
    user = users.get(name)
    if password_hash is not None:
        user = users.set_password(name, password_hash)
    if asked.role is not None:
        user = users.set_role(name, asked.role)
    if asked.disabled is not None:
        user = users.set_disabled(name, asked.disabled)
    if asked.vip is not None:
        user = users.set_vip(name, asked.vip, _utc_s(asked.vip_until))
    return user


def _utc_s(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _spare(who: Principal, name: str, asked: UserChange) -> None:
    """Nobody saws off the branch they sit on.

    Raises:
        ConflictError: they would.
    """
    if who.name == name and (asked.disabled or asked.role not in {None, Role.ADMIN}):
        raise ConflictError("you would lock yourself out; have another admin do it")
