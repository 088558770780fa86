"""Looks from CLIP-ReID, against PyTorch's own layers with the same numbers in them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sightline.embedders.clip import Clip
from sightline.errors import WeightsError
from sightline.model.frame import Frame, Moment

BOX = np.array([[0.0, 0, 128, 256]])


def picture():
    return np.random.default_rng(3).integers(0, 256, (256, 128, 3), np.uint8)


def written_otherwise(path, rgb):
    """The same network of PyTorch's transformer layers."""
    held = {key.removeprefix("image_encoder."): x for key, x in torch.load(path, weights_only=True).items()}
    width = len(held["class_embedding"])
    x = torch.from_numpy(rgb / 127.5 - 1).float().permute(2, 0, 1)[None]
    x = nn.functional.conv2d(x, held["conv1.weight"], stride=16).reshape(1, width, -1).permute(0, 2, 1)
    x = torch.cat([held["class_embedding"][None, None], x], dim=1) + held["positional_embedding"]
    x = nn.functional.layer_norm(x, (width,), held["ln_pre.weight"], held["ln_pre.bias"])
    for i in range(2):
        layer = nn.TransformerEncoderLayer(
            width, 1, 4 * width, 0.0, lambda y: y * torch.sigmoid(1.702 * y), batch_first=True, norm_first=True
        )
        theirs = {"attn.": "self_attn.", "mlp.c_fc": "linear1", "mlp.c_proj": "linear2", "ln_": "norm"}
        state = {}
        for key, tensor in held.items():
            if key.startswith(start := f"transformer.resblocks.{i}."):
                name = key.removeprefix(start)
                for ours, other in theirs.items():
                    name = name.replace(ours, other)
                state[name] = tensor
        layer.load_state_dict(state)
        x = layer.eval()(x)
    x = nn.functional.layer_norm(x[:, 0], (width,), held["ln_post.weight"], held["ln_post.bias"])
    look = torch.cat([x, x @ held["proj"]], dim=1)[0].detach().numpy()
    return look / np.linalg.norm(look)


def test_it_is_the_network_that_the_tensors_say(clip_checkpoint):
    path = clip_checkpoint()
    (look,) = Clip(weights=path).embed(Frame(Moment("a", 0, 0.0), picture()), BOX)
    assert look.shape == (64 + 32,)
    np.testing.assert_allclose(look, written_otherwise(path, picture()), atol=1e-5)


def test_half_precision_and_a_wrapping_of_several_gpus_change_nothing_much(clip_checkpoint, tmp_path):
    plain = clip_checkpoint()
    held = {f"module.{key}": x.half() for key, x in torch.load(plain, weights_only=True).items()}
    torch.save(held, tmp_path / "wrapped.pt")
    frame = Frame(Moment("a", 0, 0.0), picture())
    one, two = (Clip(weights=str(path)).embed(frame, BOX)[0] for path in (plain, tmp_path / "wrapped.pt"))
    assert one @ two > 0.9999


def test_patches_that_overlap_are_known_by_the_number_of_positions(clip_checkpoint):
    wide = clip_checkpoint(**{"image_encoder.positional_embedding": torch.randn(21 * 10 + 1, 64)})
    assert np.isfinite(Clip(weights=wide).embed(Frame(Moment("a", 0, 0.0), picture()), BOX)).all()


@pytest.mark.parametrize(
    ("key", "tensor", "said"),
    [
        ("proj", None, "image_encoder.proj first"),
        ("positional_embedding", torch.zeros(50, 64), "50 positions"),
        ("ln_post.bias", torch.zeros(63), r"ln_post.bias is \(63,\)"),
        ("conv1.weight", torch.full((64, 3, 16, 16), torch.nan), "conv1.weight holds NaN"),
    ],
)
def test_what_does_not_fit_is_named(clip_checkpoint, key, tensor, said):
    path = clip_checkpoint(**{f"image_encoder.{key}": tensor})
    with pytest.raises(WeightsError, match=said):
        Clip(weights=path).embed(Frame(Moment("a", 0, 0.0), picture()), BOX)


def test_what_is_no_checkpoint_is_refused(tmp_path, clip_checkpoint):
    (tmp_path / "text.pt").write_text("not a checkpoint")
    (tmp_path / "cut.pt").write_bytes(Path(clip_checkpoint()).read_bytes()[:5000])
    torch.save({"run": print}, tmp_path / "code.pt")
    for name in ("text.pt", "cut.pt", "code.pt"):
        with pytest.raises(WeightsError, match=name):
            Clip(weights=str(tmp_path / name)).embed(Frame(Moment("a", 0, 0.0), picture()), BOX)
