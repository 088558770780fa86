"""Whether a model is borne out by its matches, on models that are made up."""

import numpy as np
import pycolmap
import pytest

from sightline.reconstructors.structure.agreement import Agreement, verified_matches


@pytest.fixture
def made_up(tmp_path):
    """A model of eight pictures that all see the same points, and the matches it was made of."""
    pycolmap.set_random_seed(0)
    options = pycolmap.SyntheticDatasetOptions(num_rigs=1, num_cameras_per_rig=1, num_frames_per_rig=8, num_points3D=60)
    database = pycolmap.Database.open(tmp_path / "database")
    model = pycolmap.synthesize_dataset(options, database)
    database.close()
    return model, verified_matches(tmp_path / "database")


def torn(model, group):
    """Leaves each point to one of two groups of pictures."""
    for number in list(model.point3D_ids()):
        track = [(e.image_id, e.point2D_idx) for e in model.point3D(number).track.elements]
        for image, spot in track:
            if (image in group) == bool(number % 2):
                model.delete_observation(image, spot)


def test_a_model_agrees_with_the_matches_it_was_made_of(made_up):
    agreement = Agreement(*made_up)
    assert agreement.share == 1.0
    assert [len(piece) for piece in agreement.pieces()] == [8]
    assert agreement.n_agreeing == sum(map(len, made_up[1].values()))


def test_groups_that_share_no_point_though_they_match_are_pieces(made_up):
    model, matches = made_up
    group = set(sorted(model.reg_image_ids())[:3])
    torn(model, group)
    agreement = Agreement(model, matches)
    assert [set(piece) for piece in agreement.pieces()] == [set(model.reg_image_ids()) - group, group]
    assert agreement.share == pytest.approx(1 - 15 / 28)


def test_an_empty_model_agrees_with_all(made_up):
    agreement = Agreement(pycolmap.Reconstruction(), made_up[1])
    assert (agreement.n_agreeing, agreement.share, agreement.pieces()) == (0, 1.0, [])


def test_pairs_with_few_matches_say_nothing(tmp_path):
    database = pycolmap.Database.open(tmp_path / "database")
    for number in (1, 2, 3):
        camera = database.write_camera(pycolmap.Camera.create_from_model_name(number, "PINHOLE", 100.0, 64, 48))
        database.write_image(pycolmap.Image(f"{number}.png", camera_id=camera, image_id=number), use_image_id=True)
    for other, n in ((2, 14), (3, 15)):
        geometry = pycolmap.TwoViewGeometry(inlier_matches=np.tile(np.arange(n, dtype=np.uint32)[:, None], (1, 2)))
        database.write_two_view_geometry(1, other, geometry)
    database.close()
    assert list(verified_matches(tmp_path / "database")) == [(1, 3)]
