"""The tables as they are now; ``migrations`` says how they came to be."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
)

METADATA = MetaData()

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("params", JSON(none_as_null=True), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("step", Text, nullable=False),
    Column("progress", Double),
    Column("error", Text),
    Column("result", JSON(none_as_null=True)),
    Column("attempt", Integer, nullable=False),
    Column("is_cancel_asked", Boolean, nullable=False),
    Column("created_utc_s", Double, nullable=False),
    Column("started_utc_s", Double),
    Column("finished_utc_s", Double),
    Column("updated_utc_s", Double, nullable=False),
    Index("jobs_by_age", "created_utc_s", "id"),
    Index("jobs_by_change", "updated_utc_s"),
    Index("jobs_by_state", "state"),
)

CAMERAS = Table(
    "cameras",
    METADATA,
    Column("camera_id", String(128), primary_key=True),
    Column("source", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("is_live", Boolean, nullable=False),
    Column("fps", Double, nullable=False),
    Column("force_format", String(16)),
    Column("is_wanted", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("n_written", BigInteger, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    Column("last_written_utc_s", Double),
    Column("restart_count", Integer, nullable=False),
    Column("last_error", Text),
    Column("holder", String(128)),
    Column("lease_until_utc_s", Double, nullable=False),
    Column("started_utc_s", Double, nullable=False),
    Column("updated_utc_s", Double, nullable=False),
)

ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("media_type", String(255), nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("job_id", String(32)),
    Column("created_utc_s", Double, nullable=False),
    Index("artifacts_by_key", "key"),
    Index("artifacts_by_job", "job_id"),
)

USERS = Table(
    "users",
    METADATA,
    Column("name", String(128), primary_key=True),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("created_utc_s", Double, nullable=False),
    Column("changed_utc_s", Double, nullable=False),
    Column("is_vip", Boolean, nullable=False, server_default=false()),
    Column("expires_utc_s", Double),
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(12), primary_key=True),
    Column("secret_hash", String(64), nullable=False),
    Column("label", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_utc_s", Double, nullable=False),
    Column("last_used_utc_s", Double),
    Column("revoked_utc_s", Double),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("settings", JSON(none_as_null=True), nullable=False),
    Column("files", JSON(none_as_null=True), nullable=False),
    Column("is_video", Boolean, nullable=False),
    Column("parent_id", String(40)),
    Column("job_id", String(32)),
    Column("outcome", JSON(none_as_null=True)),
    Column("created_utc_s", Double, nullable=False),
    Column("updated_utc_s", Double, nullable=False),
    Index("runs_by_age", "created_utc_s", "id"),
)

PLAYBACK = Table(
    "playback",
    METADATA,
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE", name="playback_of"), primary_key=True),
    Column("is_paused", Boolean, nullable=False),
    Column("goal", BigInteger),
    Column("n_asked", Integer, nullable=False),
    Column("n_done", Integer, nullable=False),
    Column("last", BigInteger),
    Column("edge", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("passed", JSON(none_as_null=True), nullable=False),
    Column("wanted", JSON(none_as_null=True), nullable=False),
    Column("changed_utc_s", Double, nullable=False),
)

WATCHED_TASKS = Table(
    "watched_tasks",
    METADATA,
    Column("task_id", String(32), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("footage", String(64), nullable=False),
    Column("begins_utc_s", Double),
    Column("asked_utc_s", Double, nullable=False),
    Column("fps", Double),
    Column("firsts", JSON(none_as_null=True), nullable=False),
    Column("ends_s", Double, nullable=False),
    Column("is_settled", Boolean, nullable=False),
    Column("noted_utc_s", Double, nullable=False),
    Index("watched_tasks_by_site", "site"),
)

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("task_id", String(32), nullable=False),
    Column("utc_ms", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("moment", BigInteger, nullable=False),
    Column("t_s", Double, nullable=False),
    Column("camera", String(64), nullable=False),
    Column("track", BigInteger, nullable=False),
    Column("online", Integer, nullable=False),
    Column("identity", Integer, nullable=False),
    *(Column(name, Double) for name in ("x1_px", "y1_px", "x2_px", "y2_px", "score")),
    *(Column(name, Double) for name in ("x_m", "y_m", "xx_m2", "xy_m2", "yy_m2")),
    Index("sightings_by_task", "task_id", "utc_ms"),
)

PLACES = Table(
    "places",
    METADATA,
    Column("task_id", String(32), nullable=False),
    Column("utc_ms", BigInteger, nullable=False),
    Column("identity", Integer, nullable=False),
    Column("t_s", Double, nullable=False),
    Column("x_m", Double, nullable=False),
    Column("y_m", Double, nullable=False),
    Column("n_cameras", Integer, nullable=False),
    Index("places_by_task", "task_id", "utc_ms"),
)

IDENTITIES = Table(
    "identities",
    METADATA,
    Column("task_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False),
    Column("first_s", Double, nullable=False),
    Column("last_s", Double, nullable=False),
    Column("n_sightings", Integer, nullable=False),
    Index("identities_by_id", "id"),
)

ONLINE_IDENTITIES = Table(
    "online_identities",
    METADATA,
    Column("task_id", String(32), primary_key=True),
    Column("online", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("n_sightings", Integer, nullable=False),
)

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("identity", String(36), nullable=False),
    Column("becomes", String(36)),
    Column("task_id", String(32)),
    Column("at_s", Double),
    Column("name", String(128)),
    Column("owner", String(128), nullable=False),
    Column("created_utc_s", Double, nullable=False),
    Column("undone_utc_s", Double),
    Column("is_done", Boolean, nullable=False),
    Index("corrections_by_site", "site", "created_utc_s"),
)
