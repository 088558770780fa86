import pytest

from sightline.errors import OptionError
from sightline.simulation import Plan, simulate


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_people", -1),
        ("n_vehicles", 21),
        ("n_cameras", 0),
        ("n_cameras", 7),
        ("duration_s", 0.0),
        ("duration_s", float("nan")),
        ("fps", 0.0),
        ("fps", float("nan")),
        ("size", (641, 360)),
        ("size", (64, 36)),
        ("noise", -1.0),
        ("seed", -1),
    ],
)
def test_a_number_out_of_range_is_named_with_what_it_may_be(field, value):
    with pytest.raises(OptionError, match=rf"{field} = .* should be"):
        Plan(**{field: value})


def test_there_is_at_least_one_picture():
    assert Plan(duration_s=0.01).n_frames == 1
    assert Plan(duration_s=20.0, fps=12.5).n_frames == 250


def test_an_unknown_camera_is_answered_with_those_there_are():
    with pytest.raises(OptionError, match="cam1, cam2"):
        simulate(n_people=0, n_vehicles=0, n_cameras=2, duration_s=0.1).camera("cam9")
