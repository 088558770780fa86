"""Kept bytes that nobody refers to any more."""

from itertools import islice

from sightline.stores.artifacts import Artifacts
from sightline.stores.sql.artifacts import ArtifactRecords

_GRACE_S = 3600.0
"""Bytes are kept before anybody refers to them; those put later than this are left alone."""
_AT_ONCE = 500


def sweep(artifacts: Artifacts, files: ArtifactRecords, now_utc_s: float, grace_s: float = _GRACE_S) -> int:
    """Removes what was put some time ago and no kept file has; how many that were.

    Raises:
        StoreError: the store cannot be read or written.
    """
    n_removed = 0
    old = artifacts.keys_before(now_utc_s - grace_s)
    while keys := list(islice(old, _AT_ONCE)):
        for key in files.unused(keys):
            artifacts.delete(key)
            n_removed += 1
    return n_removed
