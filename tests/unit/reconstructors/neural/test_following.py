"""Points followed: the numbers of the reference, what may not change them, and what cannot be asked."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sightline import wiring
from sightline.errors import EngineError, OptionError, ReconstructionError, WeightsError
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.looks.followed import followed
from sightline.reconstructors.looks.wishes import Wishes
from sightline.reconstructors.networks.checkpoint import fitted
from sightline.reconstructors.networks.following import FollowSize, likeness, moves, place, sampled
from sightline.reconstructors.networks.vggt import VggtNet, VggtSize

SIZE = VggtSize(64, 4, 4, 64, 2, 4, 37, 1, 16, (8, 8, 8, 8))
HEAD = FollowSize(features=16, channels=(8, 8, 8, 8), levels=2, dim=16, depth=2, learnt=4)
XY = torch.tensor([[3.0, 4.0], [40.5, 30.0], [20.0, 11.5]])


def go_on():
    pass


def never():
    return False


def tell(step, done, total):
    pass


@pytest.fixture(scope="module")
def net(made_up):
    """Made-up weights that move points by a pixel or two: large moves hang on the last digit of everything."""
    made = made_up(VggtNet(SIZE, follows=HEAD))
    made.track_head.tracker.updateformer.flow_head.weight[:2] *= 0.02
    return made


@pytest.fixture
def file(net, tmp_path, shelf):
    torch.save(net.state_dict(), tmp_path / "follows.pt")
    return tmp_path / "follows.pt"


def engine(file, name="vggt"):
    return wiring.build("reconstructor", name, {"side_px": 56, "device": "cpu", "weights": str(file)})


def shots(n):
    def shot(number):
        rgb = np.random.default_rng(number).integers(0, 255, (60 + 20 * (number == 1), 80, 3), np.uint8)
        return Shot(f"{number}.png", lambda: rgb)

    return Shots(tuple(map(shot, range(n))))


@pytest.mark.shared
def test_points_come_as_near_to_those_of_the_reference_as_rounding_lets_them(golden):
    """With made-up weights a move hangs on the last digits of what is seen; so these are drawn by chance a few times.

    Every detail that was tried and is not so leaves the nearest draw ten times as far off, or farther.
    """
    given = golden("vggt/tiny")
    shapes = {key: tuple(tensor.shape) for key, tensor in given.weights.items()}
    with torch.device("meta"):
        net = VggtNet(VggtSize.of(shapes), follows=FollowSize.of(shapes))
    fitted(net, given.weights, ["point_head."], Path("golden"))
    answers = {name: torch.from_numpy(given.answers[name]) for name in ("query_points", "track", "vis", "conf")}
    draw = torch.Generator().manual_seed(0)
    off = []
    with torch.inference_mode():
        seen = net.aggregator(given.pictures(3), net.read, 3, go_on)
        features = net.track_head.feature_extractor(seen.layers, seen.size)
        for _ in range(8):
            some = features * (1 + 3e-7 * torch.randn(features.shape, generator=draw))
            said = net.track_head.tracker(some, answers["query_points"], go_on)
            pairs = ((said.xy, "track"), (said.visible, "vis"), (said.confidence, "conf"))
            off.append([float((found - answers[name][0]).abs().max()) for found, name in pairs])
    xy_px, visible, confidence = np.array(off).T
    assert min(xy_px) < 0.02
    assert min(visible) < 5e-4
    assert min(confidence) < 5e-4
    assert max(xy_px) < 1.0


def test_in_the_first_picture_points_are_where_they_were_asked_for(net, pictures_of):
    said = net.follow(pictures_of(3), XY, 2, go_on)
    assert torch.equal(said.xy[0], XY)
    assert 0.1 < (said.xy[1:] - XY).abs().max() < 20
    for share in (said.visible, said.confidence):
        assert share.shape == (3, 3)
        assert ((share > 0) & (share < 1)).all()


def test_points_and_later_pictures_may_come_in_any_order(net, pictures_of):
    pictures, points = torch.tensor([0, 3, 1, 2]), torch.tensor([2, 0, 1])
    straight = net.follow(pictures_of(4), XY, 4, go_on)
    mixed = net.follow(pictures_of(4)[pictures], XY[points], 4, go_on)
    torch.testing.assert_close(mixed.xy, straight.xy[pictures][:, points], rtol=0, atol=2e-3)
    torch.testing.assert_close(mixed.visible, straight.visible[pictures][:, points], rtol=0, atol=1e-3)


def test_how_many_pictures_are_worked_on_at_once_does_not_matter(net, pictures_of):
    together, alone = net.follow(pictures_of(3), XY, 3, go_on), net.follow(pictures_of(3), XY, 1, go_on)
    torch.testing.assert_close(together.xy, alone.xy, rtol=0, atol=2e-3)


def test_maps_are_read_between_cells_and_hold_nothing_outside():
    maps = torch.arange(12.0).view(1, 1, 3, 4)
    at = torch.tensor([[[0.0, 0], [3, 2], [1.5, 0.5], [-2, 0], [1, 9]]])
    torch.testing.assert_close(sampled(maps, at)[0, :, 0], torch.tensor([0.0, 11, 3.5, 0, 0]))


def test_what_looks_the_same_is_most_alike_where_it_is():
    torch.manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(1, 64, 20, 20), dim=1)
    at = torch.tensor([[[11.0, 7.0]]])
    looks = sampled(features, at).transpose(0, 1)
    alike = likeness([features], at - torch.tensor([1.0, -2.0]), looks)[0, 0].view(9, 9)
    assert np.unravel_index(int(alike.argmax()), (9, 9)) == (4 + 1, 4 - 2)


def test_no_move_is_told_as_none_and_every_move_by_its_waves():
    cells = torch.tensor([[[5.0, 6.0], [5.0, 6.0], [5.5, 4.0]]])
    told = moves(cells, 8)[0]
    assert torch.equal(told[0], told[1])
    assert told[0].tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]
    torch.testing.assert_close(told[2, :2], torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(told[2, 2], torch.tensor(0.5 * 500).sin())
    torch.testing.assert_close(told[2, 8:] * 518, torch.tensor([0.5, -2, 0.5, -2]))


def test_places_between_cells_are_told_by_what_lies_between():
    at = torch.tensor([[2.0, 1.0], [3.0, 1.0], [2.25, 1.0], [99.0, 1.0], [9.0, 1.0]])
    told = place(at, 16, (5, 10))
    torch.testing.assert_close(told[2], 0.75 * told[0] + 0.25 * told[1])
    torch.testing.assert_close(told[3], told[4])
    wave = 2.0 * 10.0 ** -torch.arange(4)
    torch.testing.assert_close(told[0, :8], torch.cat([wave.sin(), wave.cos()]))


def test_points_are_pixels_of_each_picture_s_own(file, net):
    xy_px = np.array([[10.0, 20.0], [80.0, 0.0]])
    tracks = engine(file).follow(shots(3), xy_px, tell, never)
    assert tracks.names == ("0.png", "1.png", "2.png")
    np.testing.assert_allclose(tracks.xy_px[0], xy_px, atol=1e-4)
    assert tracks.xy_px.shape == (3, 2, 2)
    assert tracks.visible.shape == tracks.confidence.shape == (3, 2)
    assert np.isfinite(tracks.xy_px).all()


def test_no_point_is_followed_nowhere(file):
    assert engine(file).follow(shots(2), np.zeros((0, 2)), tell, never).xy_px.shape == (2, 0, 2)


def test_points_outside_the_first_picture_are_told(file):
    with pytest.raises(OptionError, match=r"xy_px: point 1 at \(81, 3\) is not in the first picture \(80 x 60\)"):
        engine(file).follow(shots(2), np.array([[1.0, 1.0], [81.0, 3.0]]), tell, never)
    with pytest.raises(OptionError, match=r"point 0 at \(nan, 3\)"):
        engine(file).follow(shots(2), np.array([[np.nan, 3.0]]), tell, never)


def test_weights_that_follow_nothing_are_told(files):
    with pytest.raises(WeightsError, match=r"vggt\.pt: no head that follows points: .*; vggt-1b has one"):
        engine(files["vggt"]).follow(shots(2), np.ones((1, 2)), tell, never)
    wishes = Wishes(weights=str(files["da3"]), side_px=56, precision="float32", device="cpu", chunk=0, refine=False)
    with pytest.raises(WeightsError, match="Depth Anything 3 follows no points"):
        followed(shots(2), np.ones((1, 2)), wishes, tell, never)


def test_too_many_points_are_told(file):
    with pytest.raises(EngineError, match=r"2 pictures with 999999999 points do not fit into .* GB at once"):
        engine(file).follow(shots(2), np.broadcast_to(np.ones(2), (999_999_999, 2)), tell, never)


def test_following_ends_when_asked_and_needs_pictures(file):
    with pytest.raises(EngineError, match="stopped"):
        engine(file).follow(shots(2), np.ones((1, 2)), tell, lambda: True)
    with pytest.raises(ReconstructionError, match="no pictures"):
        engine(file).follow(Shots(()), np.ones((1, 2)), tell, never)
