"""What is known of kept files."""

import pytest

from sightline.errors import UnknownError
from sightline.model.artifact import Artifact
from sightline.stores.sql.artifacts import ArtifactRecords


@pytest.fixture
def records(engine):
    return ArtifactRecords(engine)


def artifact(number, **more):
    given = {"key": "k" * 64, "name": "yard.mp4", "media_type": "video/mp4", "n_bytes": 5, "owner": "ann"}
    return Artifact(id=f"{number:032x}", **(given | more))


def test_what_is_noted_is_found_as_it_was(records):
    added = records.add(artifact(1, job_id="a" * 32, n_bytes=1 << 40, name="äöü 😀 'quoted\".mp4"))
    assert added.created_utc_s > 1.6e9
    assert records.get(added.id) == added


def test_noting_it_again_changes_nothing(records):
    first = records.add(artifact(1))
    assert records.add(artifact(1, name="other.mp4")) == first
    assert records.get(first.id) == first


def test_what_is_not_there_is_unknown(records):
    for call in (records.get, records.delete):
        with pytest.raises(UnknownError, match="no artifact"):
            call("0" * 32)


def test_pages_go_from_new_to_old_without_a_gap_or_a_repeat(records):
    moments = [5.0, 5.0, 5.0, 1.0, 9.0, 7.0, 5.0]
    added = [records.add(artifact(number, created_utc_s=moment)) for number, moment in enumerate(moments, 1)]
    wanted = sorted(added, key=lambda one: (one.created_utc_s, one.id), reverse=True)
    seen, before = [], None
    while page := records.page(limit=2, before=before):
        seen += page
        before = page[-1]
    assert seen == wanted


def test_pages_may_be_of_one_job_or_one_owner(records):
    ours = records.add(artifact(1, job_id="a" * 32))
    theirs = records.add(artifact(2, owner="bob"))
    assert records.page(job_id="a" * 32) == [ours]
    assert records.page(owner="bob") == [theirs]
    assert records.page(owner="eve") == []


def test_content_is_used_until_the_last_record_of_it_is_deleted(records):
    one, other = records.add(artifact(1)), records.add(artifact(2))
    records.delete(one.id)
    assert records.unused(["k" * 64, "z" * 64]) == {"z" * 64}
    records.delete(other.id)
    assert records.unused(["k" * 64]) == {"k" * 64}
