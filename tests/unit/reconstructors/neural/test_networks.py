"""The networks themselves: the numbers that the published ones give, and what may not change them."""

from pathlib import Path

import pytest
import torch

from sightline.errors import EngineError
from sightline.reconstructors.networks.camera import intrinsics, poses, turned_back
from sightline.reconstructors.networks.checkpoint import fitted
from sightline.reconstructors.networks.da3 import Da3Net, Da3Size, middling
from sightline.reconstructors.networks.vggt import VggtNet, VggtSize


def go_on():
    pass


def shapes(weights):
    return {key: tuple(tensor.shape) for key, tensor in weights.items()}


@pytest.mark.shared
def test_vggt_gives_the_numbers_of_the_reference(golden, alike):
    given = golden("vggt/tiny")
    with torch.device("meta"):
        net = VggtNet(VggtSize.of(shapes(given.weights)), points=True)
    fitted(net, given.weights, ["track_head."], Path("golden"))
    answer = net(given.pictures(3), 2, go_on)
    pairs = {
        "pose_enc": answer.cameras,
        "depth": answer.depth,
        "depth_conf": answer.depth_confidence,
        "world_points": answer.points,
        "world_points_conf": answer.points_confidence,
        "extrinsic": poses(answer.cameras),
        "intrinsic": intrinsics(answer.cameras, (112, 154)),
    }
    off = {name: alike(found, given.answers[name]) for name, found in pairs.items()}
    assert max(off.values()) < 3e-5, off


@pytest.mark.shared
@pytest.mark.parametrize("n", [2, 5], ids=["first picture leads", "a picture is chosen to lead"])
def test_depth_anything_gives_the_numbers_of_the_reference(golden, alike, n):
    given = golden("da3/small")
    with torch.device("meta"):
        net = Da3Net(Da3Size.of(shapes(given.weights)))
    fitted(net, given.weights, ["cam_enc.", "head."], Path("golden"))
    answer = net(given.pictures(n), 2, go_on)
    pairs = {
        "depth": answer.depth,
        "depth_conf": answer.depth_confidence,
        "extrinsics": poses(answer.cameras),
        "intrinsics": intrinsics(answer.cameras, (112, 154)),
    }
    off = {name: alike(found, given.answers[f"{name}_{n}"]) for name, found in pairs.items()}
    assert max(off.values()) < 3e-5, off


@pytest.mark.parametrize("which", ["small_vggt", "small_da3"])
def test_how_many_pictures_are_worked_on_at_once_changes_nothing(which, request, pictures_of):
    net = request.getfixturevalue(which)
    together, alone = net(pictures_of(4), 4, go_on), net(pictures_of(4), 1, go_on)
    for name in ("cameras", "depth", "depth_confidence"):
        torch.testing.assert_close(getattr(together, name), getattr(alone, name), rtol=1e-4, atol=1e-5)


def test_pictures_after_the_first_may_come_in_any_order(small_vggt, pictures_of):
    order = torch.tensor([0, 3, 1, 2])
    straight, mixed = small_vggt(pictures_of(4), 4, go_on), small_vggt(pictures_of(4)[order], 4, go_on)
    for name in ("cameras", "depth", "points"):
        torch.testing.assert_close(getattr(mixed, name), getattr(straight, name)[order], rtol=1e-4, atol=1e-5)


def test_depth_anything_takes_three_pictures_and_more_in_any_order(small_da3, pictures_of):
    order = torch.tensor([2, 0, 3, 1])
    straight, mixed = small_da3(pictures_of(4), 4, go_on), small_da3(pictures_of(4)[order], 4, go_on)
    torch.testing.assert_close(mixed.depth, straight.depth[order], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("which", ["small_vggt", "small_da3"])
def test_one_picture_is_enough(which, request, pictures_of):
    answer = request.getfixturevalue(which)(pictures_of(1), 4, go_on)
    assert answer.cameras.shape == (1, 9)
    assert (answer.depth > 0).all()
    assert (answer.depth_confidence >= 1).all()


@pytest.mark.parametrize("which", ["small_vggt", "small_da3"])
def test_work_ends_between_steps(which, request, pictures_of):
    glances = []

    def glance():
        glances.append(None)
        if len(glances) == 3:
            raise EngineError("enough")

    with pytest.raises(EngineError, match="enough"):
        request.getfixturevalue(which)(pictures_of(2), 1, glance)
    assert len(glances) == 3


@pytest.mark.parametrize("which", ["small_vggt", "small_da3"])
def test_pictures_given_are_not_written_on(which, request, pictures_of):
    given = pictures_of(2)
    request.getfixturevalue(which)(given, 2, go_on)
    assert torch.equal(given, pictures_of(2))


def test_cameras_turned_back_twice_are_the_same():
    torch.manual_seed(3)
    cameras = torch.randn(5, 9)
    there = poses(turned_back(cameras))
    back = poses(turned_back(turned_back(cameras)))
    torch.testing.assert_close(back, poses(cameras))
    square = torch.cat([there, torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(5, 1, 4)], dim=1)
    torch.testing.assert_close(square.inverse()[:, :3], poses(cameras))


def test_a_quarter_of_a_circle_sees_half_its_picture_from_half_its_width():
    encoded = torch.tensor([[0.0, 0, 0, 0, 0, 0, 1, torch.pi / 2, torch.pi / 2]])
    wanted = torch.tensor([[[50.0, 0, 50], [0, 30, 30], [0, 0, 1]]])
    torch.testing.assert_close(intrinsics(encoded, (60, 100)), wanted)


def test_the_least_extreme_picture_leads():
    torch.manual_seed(5)
    middle = torch.randn(16)
    odd = torch.stack([middle + 3 * torch.randn(16) for _ in range(2)])
    summaries = torch.stack([middle * 0.2, middle, odd[0], middle * 3, odd[1]])
    chosen = middling(summaries)
    order = torch.tensor([4, 2, 0, 1, 3])
    assert order[middling(summaries[order])] == chosen
