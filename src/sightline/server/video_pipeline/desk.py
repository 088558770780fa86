"""Cameras: taking them in, telling how far they are, letting them go."""

import hashlib
import time

from fastapi import HTTPException, Response, UploadFile

from sightline.formats.privacy import Privacy
from sightline.model.artifact import Artifact
from sightline.model.decoding import CameraRecord, DecodingState
from sightline.server.artifacts import label, spooled
from sightline.server.deadlines import within
from sightline.server.installation import Installation
from sightline.server.looks import Looks
from sightline.server.video_pipeline import shapes
from sightline.server.video_pipeline.veils import Veils
from sightline.stores.frames import count, newest, remove_all

_STOP_S = 6.0
"""Longest that a worker may take to let go of a camera."""
_LIVE = frozenset({"rtsp", "rtsps"})
_UNKNOWN = "No decode task found for this camera."
_NO_FOLDER = "Output folder does not exist for this camera."
_NO_FRAMES = "No frames available. Camera may not be streaming."
_GONE = "Stream appears to be disconnected. Please restart the camera."
"""The texts that clients know."""


class CameraDesk:
    """What clients ask of cameras; workers do it."""

    def __init__(self, services: Installation, looks: Looks) -> None:
        self._services = services
        self._looks = looks
        self._cameras = services.cameras
        self._settings = services.settings.video_pipeline
        self._folder = services.settings.frames_folder()
        self._veils = Veils(services.settings)

    def start_upload(
        self, camera_id: str, file: UploadFile, fps: float, force_format: str | None, owner: str
    ) -> shapes.Started:
        """Has an uploaded file decoded.

        Raises:
            SightlineError: it is no video, or cannot be kept.
        """
        if (running := self._running(camera_id)) is not None:
            return running
        with spooled(self._services, file) as path:
            name = label(file.filename or "")
            self._looks.file(path, name)
            stored = self._services.artifacts.put(path)
        started = self._start(camera_id, f"artifact:{stored.key}", name, False, fps, force_format)
        if started.status == "started":  # one upload per camera is kept; the one before goes
            number = hashlib.sha256(f"camera {camera_id}".encode()).hexdigest()[:32]
            kind = "application/octet-stream"
            upload = Artifact(
                id=number, key=stored.key, name=name, media_type=kind, n_bytes=stored.n_bytes, owner=owner
            )
            self._services.files.replace(upload)
        return started

    def start_url(self, camera_id: str, url: str, fps: float, force_format: str | None) -> shapes.Started:
        """Has a file's or a stream's address decoded.

        Raises:
            SightlineError: the address makes no sense, or is not allowed.
        """
        address = self._services.policy.check(url)
        is_live = address.scheme in _LIVE
        if address.path is not None:
            self._looks.file(address.path, address.shown)
        return self._start(camera_id, url, address.shown, is_live, fps, force_format)

    def status(self, camera_id: str) -> shapes.Status:
        """How far a camera is; one that was never started is ``not_started``, as clients of old expect."""
        record = self._cameras.get(camera_id)
        if record is None:
            return shapes.Status(camera_id=camera_id, status="not_started", frame_count=0)
        return self._status(record)

    def statuses(self) -> list[shapes.Status]:
        """How far all are."""
        return [self._status(record) for record in self._cameras.all()]

    def stop(self, camera_id: str) -> shapes.CameraMessage:
        """Stops a camera, and removes its pictures unless the settings keep them.

        Raises:
            UnknownError: it was never started.
        """
        self._cameras.stop(camera_id)
        self._wait_until_free(camera_id)
        if not self._settings.keep_frames_on_stop:
            remove_all(self._folder / camera_id)
        return shapes.CameraMessage(message="Decoding stopped", camera_id=camera_id)

    def latest(self, camera_id: str, known: str | None, privacy: Privacy) -> Response:
        """The newest picture, unless it is the one that the client knows; people in it covered where that is asked for.

        Raises:
            OptionError: people cannot be covered, since nothing is set that finds them.
        """
        veil = self._veils.of(privacy)
        record = self._cameras.get(camera_id)
        if record is None:
            raise HTTPException(404, _UNKNOWN)
        folder = self._folder / camera_id
        if not folder.is_dir():
            raise HTTPException(404, _NO_FOLDER)
        for _ in range(3):  # retention may remove it between finding and reading
            found = newest(folder)
            if found is None:
                break
            path, written_utc_s = found
            age_s = max(time.time() - written_utc_s, 0.0)
            if record.is_live and age_s > self._settings.stale_s:
                raise HTTPException(404, _GONE)
            tag = f'"{record.generation}-{path.stem}-{int(written_utc_s * 1000):x}{veil.mark}"'
            headers = {"etag": tag, "age": str(int(age_s)), "cache-control": "no-cache", "x-frame": path.name}
            if known == tag:
                return Response(status_code=304, headers=headers)
            try:
                data = veil.over(camera_id, tag, path)
                return Response(data, media_type="image/jpeg", headers=headers)
            except FileNotFoundError:
                continue
        raise HTTPException(404, _NO_FRAMES)

    def clean_up(self, camera_id: str | None) -> shapes.Message:
        """Removes the pictures of a camera; without one, of all that are unknown or stopped."""
        if camera_id is not None:
            n = remove_all(self._folder / camera_id)
            return shapes.Message(message=f"Removed {n} frames of camera {camera_id}")
        kept = {record.camera_id for record in self._cameras.all() if record.state is not DecodingState.STOPPED}
        folders = [f for f in sorted(self._folder.glob("*")) if f.is_dir() and f.name not in kept]
        n = sum(remove_all(folder) for folder in folders)
        return shapes.Message(message=f"Removed {n} frames of {len(folders)} cameras")

    def _running(self, camera_id: str) -> shapes.Started | None:
        """The answer where it runs already: nothing is taken in then."""
        record = self._cameras.get(camera_id)
        if record is None or not record.is_wanted or record.state is not DecodingState.RUNNING:
            return None
        return self._started(camera_id, is_new=False)

    def _start(
        self, camera_id: str, source: str, shown: str, is_live: bool, fps: float, force_format: str | None
    ) -> shapes.Started:
        if self._cameras.n_running() >= self._settings.max_cameras:
            raise HTTPException(429, f"{self._settings.max_cameras} cameras are running; stop one first")
        self._wait_until_free(camera_id)
        remove_all(self._folder / camera_id)  # what was decoded before would be taken for this
        record = CameraRecord(
            camera_id=camera_id,
            source=source,
            shown=shown,
            is_live=is_live,
            fps=fps,
            force_format=force_format,
            is_wanted=True,
            generation=0,
            state=DecodingState.RUNNING,
        )
        return self._started(camera_id, is_new=self._cameras.start(record) is not None)

    def _started(self, camera_id: str, *, is_new: bool) -> shapes.Started:
        return shapes.Started(
            message="Decoding started" if is_new else "Decoding already running",
            camera_id=camera_id,
            output_folder=str(self._folder / camera_id),
            status="started" if is_new else "already_running",
        )

    def _status(self, record: CameraRecord) -> shapes.Status:
        return shapes.Status(
            camera_id=record.camera_id,
            status=record.state.value,
            frame_count=count(self._folder / record.camera_id),
            last_error=record.last_error,
            restart_count=record.restart_count,
        )

    def _wait_until_free(self, camera_id: str) -> None:
        """Until nobody writes to its folder any more, or a worker that should have let go must be dead."""
        is_over = within(_STOP_S)
        while not is_over():
            record = self._cameras.get(camera_id)
            if record is None or record.holder is None or record.lease_until_utc_s < time.time():
                return
            time.sleep(0.05)
