"""What a kind of job is: what it takes, and its steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sightline.errors import OptionError
from sightline.executors.local import Stopped, Tell
from sightline.settings import Settings

Queue = Literal["heavy", "light"]
"""Which jobs wait for each other: heavy ones never hold up light ones."""


class Params(BaseModel):
    """What a job is told. Kinds add fields, whose docstrings are their documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A kept file that a job works on."""

    key: str
    """Where its bytes are."""
    name: str
    """What to call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one step of one job has to do; it travels to another process."""

    job_id: str
    """The job."""
    params: Mapping[str, Any]
    """What was asked for."""
    folder: Path
    """The step's own folder: empty when it begins, and gone when the job has ended."""
    settings: Settings
    """What the installation is set to."""
    source_key: str | None = None
    """Where the bytes of the source are, where the source is a kept file."""
    source_name: str = "source"
    """What to call the source."""
    files: Mapping[str, KeptFile] = field(default_factory=dict)
    """Kept files that other parameters name, by what those say: each text in ``sources``, and ``scene``."""
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the steps before came to, by their names."""


Work = Callable[[Task, Tell, Stopped], Mapping[str, Any]]
"""A function of a module; what it returns is small JSON.

``artifacts`` in it, a list as ``files.kept`` makes, are noted as files that came of the job.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: done once, and not again after it was done."""

    name: str
    """Unique within the kind; never changed, since jobs under way are known by it."""
    shown: str
    """What is being done, for people."""
    share: float
    """How much of the whole it is."""
    work: Work
    """Does it, in a process of its own."""
    passes: tuple[Mapping[str, float], ...] = ()
    """Where its work tells of several passes, each to its end: for each way to do it, their names in their order, and
    about how long each takes beside the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A sort of job. What its last step comes to is the job's result."""

    name: str
    """How it is asked for."""
    about: str
    """What it does, in a sentence."""
    queue: Queue
    """What it waits with."""
    params: type[Params]
    """What it takes."""
    steps: tuple[Step, ...] | Callable[[Mapping[str, Any]], tuple[Step, ...]]
    """In their order; or what tells them from what was asked for. The same parameters must give the same steps."""

    def steps_for(self, params: Mapping[str, Any]) -> tuple[Step, ...]:
        """The steps of a job with these parameters."""
        return self.steps if isinstance(self.steps, tuple) else self.steps(params)

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """``given`` with all that was left out, as JSON.

        Raises:
            OptionError: something is missing, unknown or makes no sense; names the field, not what was in it.
        """
        try:
            return self.params.model_validate(dict(given)).model_dump(mode="json")
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"]) or "params"
            why = first["msg"].removeprefix("Value error, ")
            raise OptionError(f"{self.name}: {name}: {why[:1].lower()}{why[1:]}") from None

    def schema(self) -> dict[str, Any]:
        """What it takes, as a JSON schema."""
        return self.params.model_json_schema()
