"""What an installation is set to, read once from the environment and a file.

``SIGHTLINE_PORT=9000`` sets ``port``; ``SIGHTLINE_JOBS__HEAVY=2`` sets ``jobs.heavy``. The file is TOML with the
same names; the environment wins over the file, and what is given on a command line wins over both.
"""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy import make_url

from sightline.errors import OptionError


def _listed(value: Any) -> Any:
    """A text split at its commas: an environment has no lists."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


_ELSEWHERE = {"SIGHTLINE_DEBUG", "SIGHTLINE_MODELS", "SIGHTLINE_SHARED"}
"""Variables of ours that are no settings."""
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""Several texts; in the environment separated by commas."""
Folders = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_listed)]
"""Several folders; in the environment separated by commas."""
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]
"""Several networks, such as 10.0.0.0/8; in the environment separated by commas."""


class _Part(BaseModel):
    """Some settings that belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Auth(_Part):
    """Who may come in."""

    mode: Literal["auto", "on", "off"] = "auto"
    """``auto``: on as soon as there is a user or a key, or the server listens beyond this machine."""
    secret: SecretStr | None = None
    """Signs tokens; unsaid, one is made and kept in the data folder."""
    token_minutes: float = Field(60.0, gt=0, le=24 * 60)
    """How long a login is good."""
    logins_per_minute: int = Field(5, ge=1)
    """Attempts from one address for one name."""


class Limits(_Part):
    """What one client may take."""

    requests_per_minute: int = Field(1200, ge=0)
    """Per user, key or address; 0: no limit."""
    body_bytes: ByteSize = ByteSize(1 << 20)
    """Size of a request that uploads nothing."""
    upload_bytes: ByteSize = ByteSize(8 << 30)
    """Size of an upload."""
    chunk_timeout_s: float = Field(30.0, gt=0)
    """Silence within a request after which it is given up."""


class Fetching(_Part):
    """Which addresses may be opened on behalf of a client."""

    schemes: Texts = ("http", "https", "rtsp", "rtsps", "s3", "file")
    """Kinds of address."""
    private_networks: Networks = ()
    """Networks that may be reached although they are private, such as the cameras'."""
    hosts: Texts = ()
    """Names or globs of hosts; none: all that are public, and those in ``private_networks``."""
    media_folders: Folders = ()
    """Folders of this machine that paths and ``file:`` addresses may read from."""
    buckets: Texts = ()
    """Names or globs of S3 buckets that may be read with this installation's keys."""
    max_bytes: ByteSize = ByteSize(20 << 30)
    """Most to download for one file."""
    timeout_s: float = Field(3600.0, gt=0)
    """Most time for one file."""
    max_redirects: int = Field(5, ge=0)
    """Most redirects to follow."""


class JobLimits(_Part):
    """How much is done at once by one worker."""

    heavy: int = Field(2, ge=1)
    """Jobs such as tracking."""
    light: int = Field(4, ge=1)
    """Jobs such as a snapshot."""
    keep_days: float = Field(30.0, gt=0)
    """How long ended jobs are remembered."""
    keep_files_days: float | None = Field(None, gt=0)
    """How long files that came of a job are kept once the job is forgotten; None: until somebody removes them."""


class Keeping(_Part):
    """How long is kept who was seen where."""

    days: float | None = Field(None, gt=0)
    """How long after a site was watched its history and files are kept; None: until somebody removes them."""
    export_hours: float = Field(24.0, gt=0)
    """How long exported files can be downloaded."""


class VideoPipeline(_Part):
    """Files and streams to pictures on a shared volume."""

    frames_folder: Path | None = None
    """The shared volume; unsaid, ``frames`` in the data folder. ``OUTPUT_FOLDER`` is understood too."""
    quality: int = Field(90, ge=1, le=100)
    """JPEG quality."""
    max_cameras: int = Field(64, ge=1)
    """Most cameras at once."""
    keep_count: int = Field(20_000, ge=1)
    """Most pictures to keep per camera."""
    keep_hours: float | None = Field(None, gt=0)
    """How long to keep a picture; None: no limit."""
    keep_bytes: ByteSize = ByteSize(10 << 30)
    """Most bytes of pictures to keep per camera."""
    connect_timeout_s: float = Field(5.0, gt=0)
    """How long to wait for a stream to answer."""
    read_timeout_s: float = Field(5.0, gt=0)
    """Silence after which a stream is begun again."""
    stale_s: float = Field(300.0, gt=0)
    """Age from which the newest picture of a stream is not given out as live any more."""
    keep_frames_on_stop: bool = False
    """Whether pictures stay when a camera is stopped; the service that this replaces removes them."""
    record_seconds: float = Field(3600.0, gt=0)
    """Longest recording."""


class Tcp(_Part):
    """Reconstruction over plain TCP."""

    port: int = Field(4567, ge=0, le=65535)
    """Port to listen on; 0: any free one. The address is ``host``."""
    certificate: Path | None = None
    """PEM file of the certificate, with its chain: TLS is spoken. Unsaid, it is not."""
    key: Path | None = None
    """PEM file of the certificate's key; unsaid, it is in the same file."""
    inherit_login_by_address: bool = False
    """Whether a connection begins as whoever logged in last from its address, as old Android clients need.

    Unsafe where several people share an address.
    """
    downloads_need_login: bool = False
    """Whether a result is only given to who logged in; else its hash, which nobody can guess, is enough."""
    payload_bytes: ByteSize = Field(ByteSize(2 << 30), gt=0, lt=1 << 32)
    """Size of one request."""
    images: int = Field(1000, ge=1)
    """Images in one request."""
    engine: str = "sfm"
    """Name of the reconstructor."""
    video_fps: float | None = Field(None, gt=0, le=60)
    """Pictures per second taken from a video; None: as many as suit its length. The older service took 0.4."""
    local_points: int = Field(3500, ge=0)
    """Most points of a scene for clients on this machine, of which old ones read an answer only once; 0: all."""
    connections: int = Field(256, ge=1)
    """Most connections at once."""
    connections_per_address: int = Field(64, ge=1)
    """Most connections at once from one address."""
    login_s: float = Field(30.0, gt=0)
    """How long a connection may do nothing before somebody has logged in."""
    idle_s: float = Field(600.0, gt=0)
    """How long it may do nothing between requests after that."""
    result_s: float = Field(4 * 3600.0, gt=0)
    """Longest that a client waits for a reconstruction."""
    unfinished_per_user: int = Field(64, ge=1)
    """Reconstructions of one user that may be waiting or at work."""


class Drone(_Part):
    """Places from videos of drones."""

    wait_s: float = Field(3600.0, gt=0)
    """How long a client of ``/process`` is kept waiting for its answer; the job goes on behind that."""
    focal_35mm: float | None = Field(None, ge=5, le=1000)
    """Equivalent focal length of cameras whose requests and logs tell none; None: 24, with a tenth of doubt."""


class Settings(BaseSettings):
    """Everything, frozen."""

    model_config = SettingsConfigDict(
        env_prefix="SIGHTLINE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        nested_model_default_partial_update=True,
    )

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0: any free one."""
    only: Texts = ()
    """Surfaces to serve; none: all."""
    insecure: bool = False
    """Whether to listen beyond this machine although nobody needs to log in."""
    data_folder: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("sightline")))
    """Where everything is kept that has no other place."""
    sites_folder: Path | None = None
    """Where site files are; unsaid, ``sites`` in the data folder."""
    database: SecretStr | None = None
    """``postgresql://...`` or ``sqlite:///FILE``; unsaid, a file in the data folder. May hold a password."""
    artifacts: str | None = None
    """Folder or ``s3://BUCKET/PREFIX`` for files to keep; unsaid, a folder in the data folder.

    S3 keys come from ``AWS_ACCESS_KEY_ID`` and so on; ``AWS_ENDPOINT_URL``, or ``S3_ENDPOINT_URL``, names a service
    that is not Amazon's.
    """
    redis: SecretStr | None = None
    """``redis://...``: live messages and rate limits go through it; unsaid, they stay in the process."""
    workers: int = Field(1, ge=0, le=64)
    """Worker processes that ``serve`` starts; 0: they run elsewhere (``sightline worker``)."""
    cors_origins: Texts = ()
    """Web origins whose pages may use the server, such as https://console.example.com."""
    allowed_hosts: Texts = ()
    """Names under which an open server on this machine may be addressed, besides localhost."""
    trusted_proxies: Texts = ()
    """Addresses of proxies whose word on a client's address is believed."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """The least that is covered of everybody in pictures and videos that are given out; requests may ask for more."""
    privacy_weights: str | None = None
    """Network that finds people in pictures in which nobody is followed: a name on the shelf, or an ONNX file.

    Unsaid, such pictures are not given out where people are to be covered.
    """
    log_format: Literal["text", "json"] = "text"
    """How log lines look."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least that is logged."""
    shutdown_s: float = Field(10.0, gt=0)
    """How long requests may take to end once the server is told to stop."""
    auth: Auth = Auth()
    """Who may come in."""
    limits: Limits = Limits()
    """What one client may take."""
    fetching: Fetching = Fetching()
    """Which addresses may be opened on behalf of a client."""
    jobs: JobLimits = JobLimits()
    """How much is done at once."""
    history: Keeping = Keeping()
    """How long is kept who was seen where."""
    video_pipeline: VideoPipeline = VideoPipeline()
    """Files and streams to pictures."""
    drone: Drone = Drone()
    """Places from videos of drones."""
    tcp: Tcp = Tcp()
    """Reconstruction over plain TCP."""
    output_folder: Path | None = Field(None, validation_alias=AliasChoices("OUTPUT_FOLDER"), repr=False)
    """The older name of ``video_pipeline.frames_folder``, read from the environment without prefix."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (as pydantic calls it)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def database_url(self) -> str:
        """Where rows are; with its password."""
        return self.database.get_secret_value() if self.database else f"sqlite:///{self.data_folder / 'sightline.db'}"

    def workflows_url(self) -> str:
        """Where the steps of jobs are checkpointed: the same PostgreSQL, or a second file beside the first."""
        url = self.database_url()
        return url if url.startswith("postgres") else f"sqlite:///{self.data_folder / 'workflows.db'}"

    def artifacts_url(self) -> str:
        """Where kept files are."""
        return self.artifacts or str(self.data_folder / "artifacts")

    def redis_url(self) -> str | None:
        """Where live messages go through; with its password."""
        return self.redis.get_secret_value() if self.redis else None

    def sites(self) -> Path:
        """Where site files are."""
        return self.sites_folder or self.data_folder / "sites"

    def frames_folder(self) -> Path:
        """The shared volume of pictures."""
        return self.video_pipeline.frames_folder or self.output_folder or self.data_folder / "frames"

    def summary(self) -> dict[str, Any]:
        """All settings that may be shown: no password, no secret."""
        shown = self.model_dump(mode="json", exclude={"output_folder"})
        shown["database"] = make_url(self.database_url()).render_as_string(hide_password=True)
        redis = self.redis_url()
        shown["redis"] = redis and make_url(redis).render_as_string(hide_password=True)
        shown["artifacts"] = self.artifacts_url()
        shown["sites_folder"] = str(self.sites())
        shown["video_pipeline"]["frames_folder"] = str(self.frames_folder())
        return shown


def load(file: Path | None = None, **given: Any) -> Settings:
    """The settings: ``given`` (None counts as not given), the environment, and the TOML ``file``.

    Raises:
        OptionError: one of them is unknown or makes no sense; names it.
        OSError: the file cannot be read.
    """
    _check_environment()
    if file is not None:
        file.open("rb").close()  # pydantic takes a missing file for an empty one
    config = SettingsConfigDict(**{**Settings.model_config, "toml_file": file})
    from_file = type("Settings", (Settings,), {"model_config": config, "__doc__": Settings.__doc__})
    try:
        return from_file(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise OptionError(f"setting {name}: {first['msg'].lower()}, not {_unsecret(name, first['input'])}") from None
    except ValueError as error:  # TOML that is none
        raise OptionError(f"{file or 'settings'}: {error}") from None


def _check_environment() -> None:
    """A setting that is misspelt in the environment would else be as good as not there.

    Raises:
        OptionError: there is none of that name.
    """
    known = {*_ELSEWHERE, *(f"SIGHTLINE_{name}" for name in _variables(Settings))}
    for name in sorted(os.environ):
        if name.startswith("SIGHTLINE_") and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            raise OptionError(f"setting {name} in the environment: there is none{f'; {near[0]}?' if near else ''}")


def _variables(part: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Names in the environment, without what all begin with."""
    for name, field in part.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from _variables(type(field.default), f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def _unsecret(name: str, value: Any) -> str:
    return "what was given" if any(word in name for word in ("secret", "database", "redis")) else repr(value)
