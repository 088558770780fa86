import pytest

from sightline.errors import StoreError
from sightline.live import hub_at


@pytest.mark.parametrize("wrong", ["http://x", "", "me:secret@host", "redis://h:secret", "redis://h?colour=secret"])
def test_a_wrong_address_is_refused_without_repeating_it(wrong):
    with pytest.raises(StoreError, match="redis://") as refused:
        hub_at(wrong)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_an_address_it_is_in_this_process():
    assert type(hub_at(None)) is type(hub_at("memory://"))
