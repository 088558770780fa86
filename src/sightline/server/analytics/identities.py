"""Who is who, put right by people: merged, split, named, forgotten; and what of that is taken back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from sightline.jobs.history.correcting import Corrector
from sightline.jobs.history.forgetting import Forgetting
from sightline.jobs.sites.messages import moment
from sightline.model.history import Correction, CorrectionKind
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import answers
from sightline.server.installation import Installation

Person = Annotated[str, Path(max_length=64, description="Id of a person.")]
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Number of a correction.")]


class Merge(BaseModel):
    """Two who are one."""

    person_id: str = Field(max_length=64, description="Who is not somebody else after all.")
    into: str = Field(max_length=64, description="Who that is.")


class Split(BaseModel):
    """One who is two."""

    person_id: str = Field(max_length=64, description="Who is somebody else from some time on.")
    at_s: float = Field(allow_inf_nan=False, description="From when on, in seconds on the site's clock.")
    task_id: UUID | None = Field(None, description="In which task; needed where they were seen in several.")


class Rename(BaseModel):
    """A name."""

    name: str = Field(max_length=128, description="What they are called; empty: no name.")


class CorrectionView(BaseModel):
    """A correction."""

    correction_id: str = Field(description="Its number.")
    environment_id: str = Field(description="The site.")
    kind: CorrectionKind = Field(description="What was put right; erase: everything is removed.")
    person_id: str = Field(description="Who it is about.")
    becomes: str | None = Field(description="Of a merge, who they are; of a split, who they are from then on.")
    task_id: str | None = Field(description="Of a split, the task.")
    at_s: float | None = Field(description="Of a split, when.")
    name: str | None = Field(description="Of a renaming, the name.")
    owner: str = Field(description="Who said so.")
    created_at: str = Field(description="When.")
    undone_at: str | None = Field(description="When it was taken back.")

    @classmethod
    def of(cls, one: Correction) -> "CorrectionView":
        """The view of a correction."""
        return cls(
            correction_id=one.id,
            environment_id=one.site,
            kind=one.kind,
            person_id=one.identity,
            becomes=one.becomes,
            task_id=None if one.task_id is None else str(UUID(one.task_id)),
            at_s=one.at_s,
            name=one.name,
            owner=one.owner,
            created_at=moment(one.created_utc_s),
            undone_at=None if one.undone_utc_s is None else moment(one.undone_utc_s),
        )


class CorrectionPage(BaseModel):
    """Corrections of a site."""

    corrections: list[CorrectionView] = Field(description="Oldest first, those taken back among them.")


def router(services: Installation, guard: Guard) -> APIRouter:
    """``/api/v1/identities``."""
    routes = APIRouter(prefix="/api/v1/identities", tags=["identities"], responses=answers(404))
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]
    corrector = Corrector(services.engine)
    forgetting = Forgetting(services.engine, services.artifacts)

    @routes.post("/merge", status_code=201, summary="Two people are one")
    def merge(who: operator, asked: Merge) -> CorrectionView:
        return CorrectionView.of(corrector.merge(asked.person_id, asked.into, who.name))

    @routes.post("/split", status_code=201, summary="From some time on, a person is somebody else")
    def split(who: operator, asked: Split) -> CorrectionView:
        task_id = None if asked.task_id is None else asked.task_id.hex
        return CorrectionView.of(corrector.split(asked.person_id, asked.at_s, who.name, task_id))

    @routes.post("/{person_id}/name", status_code=201, summary="A person has a name")
    def rename(who: operator, person_id: Person, asked: Rename) -> CorrectionView:
        return CorrectionView.of(corrector.rename(person_id, asked.name, who.name))

    @routes.delete(
        "/{person_id}",
        summary="Forget a person: rows, places, names, their part of files, exports",
        responses=answers(409),
    )
    def erase(who: operator, person_id: Person) -> CorrectionView:
        erasure = corrector.erase(person_id, who.name)
        forgetting.erase(erasure)
        return CorrectionView.of(erasure)

    @routes.get("/corrections", summary="What was put right")
    def corrections(_who: viewer, environment_id: Annotated[str, Query(max_length=64)]) -> CorrectionPage:
        kept = corrector.kept.of(environment_id, undone=True)
        return CorrectionPage(corrections=[CorrectionView.of(one) for one in kept])

    @routes.delete("/corrections/{correction_id}", summary="Take a correction back", responses=answers(409))
    def undo(_who: operator, correction_id: Id) -> CorrectionView:
        return CorrectionView.of(corrector.undo(correction_id))

    return routes
