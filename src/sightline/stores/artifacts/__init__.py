"""Bytes that the system keeps: results, recordings and uploads, each under the SHA-256 of what is in it.

Whoever keeps a file gets a key; what the file is called, whose it is and when it may go are rows elsewhere.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from sightline.errors import OptionError
from sightline.stores.artifacts.artifact import Artifacts as Artifacts
from sightline.stores.artifacts.artifact import Stored as Stored
from sightline.stores.artifacts.disk import DiskArtifacts as DiskArtifacts
from sightline.stores.artifacts.s3 import S3Artifacts as S3Artifacts


def artifacts_at(url: str) -> Artifacts:
    """The store at ``url``: a path or ``file:///FOLDER`` on disk, ``s3://BUCKET/PREFIX`` in S3.

    Raises:
        OptionError: it is neither.
    """
    scheme, separator, _ = url.partition("://")
    if separator and scheme.lower() == "s3":
        return S3Artifacts(url)
    if separator and scheme.lower() == "file":
        parts = urlsplit(url)
        if parts.netloc not in {"", "localhost"} or len(parts.path) < 2:
            raise OptionError("artifacts: a file address has three slashes and a folder, as in file:///srv/artifacts")
        return DiskArtifacts(Path(unquote(parts.path)))
    if separator or not url.strip():
        raise OptionError("artifacts: give a folder, file:///FOLDER or s3://BUCKET/PREFIX")
    return DiskArtifacts(Path(url).expanduser())
