"""Registration: files that are refused with a reason, and pixels that end up where geometry says."""

import re
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from textdifuse_ros.imaging.camera_model import CameraModel
from textdifuse_ros.imaging.registration import (
    Extrinsics,
    Homography,
    Registration,
    RegistrationError,
    pixel_scaling,
)

THERMAL, RGB = (160, 128), (320, 240)  # width, height
SHIFT = np.array([[2.0, 0.05, 4.0], [-0.03, 1.9, -6.0], [1e-5, 2e-5, 1.0]])
WIDE = np.array([-0.3, 0.1, 0.001, -0.001, 0.0])

HOMOGRAPHY_FILE = """
mode: homography
thermal_size: [160, 128]
rgb_size: [320, 240]
homography: [[2, 0.05, 4], [-0.03, 1.9, -6], [1e-5, 2e-5, 1]]
"""
EXTRINSICS_FILE = """
mode: extrinsics
rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1]
translation: [0.1, 0.0, 0.0]
plane_depth: 5.0
rgb:
  image_width: 320
  image_height: 240
  camera_matrix: {rows: 3, cols: 3, data: [300, 0, 160, 0, 300, 120, 0, 0, 1]}
  distortion_model: plumb_bob
  distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, -0.001, 0]}
thermal:
  image_width: 160
  image_height: 128
  K: [[150, 0, 80], [0, 150, 64], [0, 0, 1]]
"""


def picture(size: tuple[int, int], channels: int = 1) -> np.ndarray:
    """A smooth picture whose value at (x, y) is known: red runs along x, green along y."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    planes = [40 + 150 * x / size[0], 40 + 150 * y / size[1], 128 + 50 * np.sin(x / 9) * np.cos(y / 11)]
    image = np.stack(planes, axis=-1).round().astype(np.uint8)
    return image if channels == 3 else image[..., 2]


def write(tmp_path, text: str):
    path = tmp_path / "rig.yaml"
    path.write_text(textwrap.dedent(text))
    return path


def cameras() -> Extrinsics:
    rotation, _ = cv2.Rodrigues(np.array([0.01, -0.02, 0.03]))
    rgb = CameraModel(RGB, np.array([[300.0, 0, 158], [0, 302.0, 121], [0, 0, 1]]), WIDE)
    thermal = CameraModel(THERMAL, np.array([[150.0, 0, 81], [0, 149.0, 63], [0, 0, 1]]), WIDE * 0.5)
    return Extrinsics(rgb, thermal, rotation, np.array([0.1, -0.02, 0.01]))


def sample(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values at real-valued pixels, by plain bilinear interpolation."""
    x0, y0 = np.floor(points).astype(int).T
    fx, fy = (points - np.floor(points)).T
    if image.ndim == 3:
        fx, fy = fx[:, None], fy[:, None]
    at = image.astype(float)
    return (at[y0, x0] * (1 - fx) + at[y0, x0 + 1] * fx) * (1 - fy) + (
        at[y0 + 1, x0] * (1 - fx) + at[y0 + 1, x0 + 1] * fx
    ) * fy


def test_equal_sizes_without_registration_pass_through_untouched():
    remap = Registration().prepare(RGB, RGB)
    rgb, thermal = picture(RGB, 3), picture(RGB)
    out = remap.apply(rgb, thermal)
    assert remap.passes_through and out[0] is rgb and out[1] is thermal
    assert remap.valid.shape == (240, 320) and remap.all_valid


def test_without_registration_the_other_camera_is_scaled_to_the_reference():
    rgb, thermal = picture(RGB, 3), picture(THERMAL)
    for reference, size in (("rgb", RGB), ("thermal", THERMAL)):
        out = Registration().prepare(RGB, THERMAL, reference).apply(rgb, thermal)
        assert [image.shape[:2] for image in out] == [size[::-1]] * 2
        assert out[0] is rgb if reference == "rgb" else out[1] is thermal


@pytest.mark.parametrize("reference", ["rgb", "thermal"])
def test_a_homography_takes_every_pixel_where_it_belongs(reference):
    registration = Registration(Homography(SHIFT, THERMAL, RGB))
    remap = registration.prepare(RGB, THERMAL, reference)
    rgb, thermal = picture(RGB, 3), picture(THERMAL)
    out_rgb, out_thermal = remap.apply(rgb, thermal)
    rng = np.random.default_rng(1)
    points = rng.integers([10, 10], [140, 110], (200, 2)).astype(float)  # thermal pixels
    mapped = cv2.perspectiveTransform(points[:, None], SHIFT)[:, 0]
    if reference == "thermal":
        got = out_rgb[points[:, 1].astype(int), points[:, 0].astype(int)]
        assert np.abs(got - sample(rgb, mapped)).max() < 1.5
        assert out_thermal is thermal and remap.size == THERMAL
    else:
        inside = (mapped > 2).all(axis=1) & (mapped < np.array(RGB) - 3).all(axis=1)
        back = cv2.perspectiveTransform(np.rint(mapped)[:, None], np.linalg.inv(SHIFT))[:, 0]
        got = out_thermal[np.rint(mapped[inside, 1]).astype(int), np.rint(mapped[inside, 0]).astype(int)]
        assert np.abs(got - sample(thermal, back[inside])).max() < 1.5
        assert out_rgb is rgb and remap.size == RGB


def test_the_valid_mask_is_where_the_other_camera_sees():
    remap = Registration(Homography(SHIFT, THERMAL, RGB)).prepare(RGB, THERMAL)
    y, x = np.mgrid[0:240, 0:320].astype(float)
    back = cv2.perspectiveTransform(np.stack([x, y], -1).reshape(-1, 1, 2), np.linalg.inv(SHIFT))[:, 0]
    expected = ((back >= -0.5) & (back <= np.array(THERMAL) - 0.5)).all(axis=1).reshape(240, 320)
    assert np.array_equal(remap.valid, expected)
    _, thermal = remap.apply(picture(RGB, 3), picture(THERMAL) | 1)
    assert (thermal[~remap.valid] == 0).all() and (thermal[remap.valid] > 0).all()


def test_outside_the_view_the_reference_image_is_restored():
    remap = Registration(Homography(SHIFT, THERMAL, RGB)).prepare(RGB, THERMAL)
    rgb, fused = picture(RGB, 3), np.zeros((240, 320, 3), np.uint8)
    out = remap.restore_outside(fused, rgb)
    assert np.array_equal(out[~remap.valid], rgb[~remap.valid]) and (out[remap.valid] == 0).all()
    grey = remap.restore_outside(np.zeros_like(fused), picture(RGB))
    assert (grey[~remap.valid] > 0).any()
    whole = Registration().prepare(RGB, THERMAL)
    assert whole.restore_outside(fused, rgb) is fused


@pytest.mark.parametrize("reference", ["rgb", "thermal"])
def test_a_calibration_serves_other_resolutions(reference):
    registration = Registration(Homography(SHIFT, THERMAL, RGB))
    double_rgb, double_thermal = (640, 480), (320, 256)
    remap = registration.prepare(double_rgb, double_thermal, reference)
    rgb, thermal = picture(RGB, 3), picture(THERMAL)
    small = registration.prepare(RGB, THERMAL, reference).apply(rgb, thermal)
    big = remap.apply(cv2.resize(rgb, double_rgb), cv2.resize(thermal, double_thermal))
    which = 1 if reference == "rgb" else 0
    shrunk = cv2.resize(big[which], small[which].shape[1::-1], interpolation=cv2.INTER_AREA)
    inner = (
        cv2.erode(registration.prepare(RGB, THERMAL, reference).valid.astype(np.uint8), np.ones((9, 9))) > 0
    )
    assert np.abs(shrunk.astype(int) - small[which])[inner].max() <= 4


def test_scaling_of_pixels_keeps_corners_on_corners():
    matrix = pixel_scaling((100, 50), (200, 150))
    assert np.allclose(matrix @ [-0.5, -0.5, 1], [-0.5, -0.5, 1])
    assert np.allclose(matrix @ [99.5, 49.5, 1], [199.5, 149.5, 1])


@pytest.mark.parametrize("reference", ["rgb", "thermal"])
@pytest.mark.parametrize("depth", [2.0, 30.0])
def test_extrinsics_agree_with_opencv_projection(reference, depth):
    e = cameras()
    remap = Registration(extrinsics=e, plane_depth=depth).prepare(RGB, THERMAL, reference)
    rgb, thermal = picture(RGB, 3), picture(THERMAL)
    warped = remap.apply(rgb, thermal)[1 if reference == "rgb" else 0]
    source = thermal if reference == "rgb" else rgb
    # Points of the plane before the reference camera, seen by both cameras through OpenCV's own model.
    rng = np.random.default_rng(2)
    plane = np.column_stack([rng.uniform(-0.3, 0.3, (300, 2)) * depth, np.full(300, depth)])
    if reference == "rgb":
        in_rgb, in_thermal = plane, (plane - e.translation) @ e.rotation
    else:
        in_rgb, in_thermal = plane @ e.rotation.T + e.translation, plane
    zero = np.zeros(3)
    pix_rgb = cv2.projectPoints(in_rgb, zero, zero, e.rgb.matrix, e.rgb.distortion)[0][:, 0]
    pix_thermal = cv2.projectPoints(in_thermal, zero, zero, e.thermal.matrix, e.thermal.distortion)[0][:, 0]
    target, origin = (pix_rgb, pix_thermal) if reference == "rgb" else (pix_thermal, pix_rgb)
    limits = [np.array(image.shape[1::-1]) - 4 for image in (warped, source)]
    inside = ((target > 3) & (target < limits[0])).all(axis=1) & ((origin > 3) & (origin < limits[1])).all(
        axis=1
    )
    assert inside.sum() > 100
    difference = np.abs(sample(warped, target[inside]) - sample(source, origin[inside]))
    assert np.median(difference) < 1.5 and difference.max() < 12.0


def test_the_plane_depth_moves_the_picture_by_the_parallax():
    e = cameras()
    near, far = (Registration(extrinsics=e, plane_depth=d).prepare(RGB, THERMAL) for d in (1.0, 100.0))
    thermal = picture(THERMAL)
    a, b = (r.apply(picture(RGB, 3), thermal)[1] for r in (near, far))
    both = near.valid & far.valid
    assert np.abs(a.astype(int) - b)[both].mean() > 5


def test_fine_detail_is_averaged_when_a_large_image_shrinks():
    big = (1280, 1024)
    matrix = np.array([[8.0, 0, 3.5], [0, 8.0, 3.5], [0, 0, 1]])
    remap = Registration(Homography(matrix, THERMAL, big)).prepare(big, THERMAL, "thermal")
    checkers = np.zeros((1024, 1280, 3), np.uint8)
    checkers[::2, ::2] = checkers[1::2, 1::2] = 255
    rgb, _ = remap.apply(checkers, picture(THERMAL))
    assert np.abs(rgb.astype(int) - 128).max() <= 4


def test_thermal_of_any_type_is_registered():
    remap = Registration(Homography(SHIFT, THERMAL, RGB)).prepare(RGB, THERMAL)
    for dtype in (np.uint8, np.uint16, np.float32):
        assert remap.apply(picture(RGB, 3), picture(THERMAL).astype(dtype))[1].dtype == dtype


def test_the_remap_is_made_once_and_the_cache_is_bounded():
    registration = Registration(Homography(SHIFT, THERMAL, RGB))
    assert registration.prepare(RGB, THERMAL) is registration.prepare(RGB, THERMAL)
    for width in range(200, 230):
        registration.prepare((width, 100), THERMAL)
    assert len(registration._cache) <= 4


def test_images_of_another_size_than_prepared_are_refused():
    with pytest.raises(ValueError, match="320, 240"):
        Registration().prepare(RGB, THERMAL).apply(picture(THERMAL, 3), picture(THERMAL))
    with pytest.raises(ValueError, match="reference"):
        Registration().prepare(RGB, THERMAL, "depth")


def test_a_homography_file_loads(tmp_path):
    registration = Registration.load(write(tmp_path, HOMOGRAPHY_FILE))
    assert registration.mode == "homography"
    assert registration.homography is not None
    assert np.allclose(registration.homography.matrix, SHIFT)  # 1e-5 is text to YAML
    assert registration.homography.thermal_size == THERMAL


def test_an_extrinsics_file_in_the_form_of_ros_calibrations_loads(tmp_path):
    registration = Registration.load(write(tmp_path, EXTRINSICS_FILE))
    assert registration.mode == "extrinsics" and registration.plane_depth == 5.0
    assert registration.extrinsics is not None
    assert np.allclose(registration.extrinsics.rgb.distortion, WIDE)
    assert registration.prepare(RGB, THERMAL).valid.any()
    assert Registration.load(write(tmp_path, EXTRINSICS_FILE), plane_depth=2.0).plane_depth == 2.0


def test_mode_none_needs_no_file():
    assert Registration.load("/nowhere", mode="none").mode == "none"


def test_the_mode_asked_for_picks_the_section(tmp_path):
    both = HOMOGRAPHY_FILE.strip() + "\n" + EXTRINSICS_FILE.replace("mode: extrinsics\n", "").lstrip()
    path = write(tmp_path, both)
    assert Registration.load(path).mode == "homography"
    assert Registration.load(path, mode="extrinsics").mode == "extrinsics"


def change(text: str, **changes) -> str:
    content = yaml.safe_load(text)
    for key, value in changes.items():
        *parents, last = key.split("__")
        section = content
        for parent in parents:
            section = section[parent]
        if value is None:
            section.pop(last)
        else:
            section[last] = value
    return yaml.safe_dump(content)


@pytest.mark.parametrize(
    ("base", "changes", "words"),
    [
        (HOMOGRAPHY_FILE, {"homography": None}, ["homography", "is missing"]),
        (HOMOGRAPHY_FILE, {"homography": [1, 2, 3]}, ["homography", "3 numbers, 9"]),
        (HOMOGRAPHY_FILE, {"homography": [0] * 9}, ["homography", "singular"]),
        (HOMOGRAPHY_FILE, {"homography": [1, 2, 3, 2, 4, 6, 0, 0, 1]}, ["homography", "singular"]),
        (HOMOGRAPHY_FILE, {"homography": [float("nan")] + [1] * 8}, ["homography", "finite"]),
        (HOMOGRAPHY_FILE, {"homography": ["a"] + [1] * 8}, ["homography", "'a'"]),
        (HOMOGRAPHY_FILE, {"homography": "eye"}, ["homography", "list"]),
        (HOMOGRAPHY_FILE, {"rgb_size": None}, ["rgb_size", "is missing"]),
        (HOMOGRAPHY_FILE, {"thermal_size": [0, 5]}, ["thermal_size", "width, height"]),
        (HOMOGRAPHY_FILE, {"mode": "affine"}, ["mode", "affine", "extrinsics"]),
        (HOMOGRAPHY_FILE, {"mode": "extrinsics"}, ["rotation", "is missing"]),
        (EXTRINSICS_FILE, {"rotation": [1, 0, 0, 0, 2, 0, 0, 0, 1]}, ["rotation", "orthogonal"]),
        (EXTRINSICS_FILE, {"rotation": [1, 0, 0, 0, 1, 0, 0, 0, -1]}, ["rotation", "determinant"]),
        (EXTRINSICS_FILE, {"translation": [1, 2]}, ["translation", "2 numbers, 3"]),
        (EXTRINSICS_FILE, {"plane_depth": 0}, ["plane_depth", "positive"]),
        (EXTRINSICS_FILE, {"plane_depth": "deep"}, ["plane_depth", "deep"]),
        (EXTRINSICS_FILE, {"rgb": None}, ["rgb", "is missing"]),
        (EXTRINSICS_FILE, {"rgb__camera_matrix": None}, ["rgb.K", "is missing"]),
        (EXTRINSICS_FILE, {"thermal__K": [-150, 0, 80, 0, 150, 64, 0, 0, 1]}, ["thermal.K", "positive fx"]),
        (EXTRINSICS_FILE, {"thermal__image_width": 10.5}, ["thermal.image_width", "whole number"]),
        (EXTRINSICS_FILE, {"rgb__distortion_model": "equidistant"}, ["rgb.distortion_model", "plumb_bob"]),
        (
            EXTRINSICS_FILE,
            {"rgb__distortion_coefficients": [1, 2, 3]},
            ["rgb.distortion_coefficients", "3 numbers", "4 or 5"],
        ),
    ],
)
def test_a_bad_file_is_refused_naming_file_key_and_mend(tmp_path, base, changes, words):
    path = write(tmp_path, change(base, **changes))
    with pytest.raises(RegistrationError) as caught:
        Registration.load(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text
    for word in words:
        assert word in text


@pytest.mark.parametrize("content", ["", "- 1\n- 2\n", "a: [1\n", "just text", "\x00"])
def test_what_is_no_registration_file_is_refused(tmp_path, content):
    path = tmp_path / "rig.yaml"
    path.write_text(content)
    with pytest.raises(RegistrationError, match=r"rig\.yaml"):
        Registration.load(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("homography: 2024-99-99", r"rig\.yaml: homography: must be a list of numbers, not '2024-99-99'"),
        ("homography: [2024-99-99, 0, 0, 0, 1, 0, 0, 0, 1]", r"rig\.yaml: homography: '2024-99-99' is not a"),
        ("homography: !!int 1e5", r"rig\.yaml: holds a value that YAML cannot read"),
        ("homography: " + 3000 * "[" + 3000 * "]", r"rig\.yaml: is nested too deeply"),
    ],
)
def test_what_yaml_itself_stumbles_over_is_refused_naming_the_file(tmp_path, content, words):
    with pytest.raises(RegistrationError, match=words):
        Registration.load(write(tmp_path, content), mode="homography")


def test_missing_files_and_impossible_modes_are_refused(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path, ""):
        with pytest.raises(RegistrationError):
            Registration.load(path)
    with pytest.raises(RegistrationError, match="mode 'x'"):
        Registration.load(tmp_path, mode="x")
    with pytest.raises(RegistrationError, match="plane_depth"):
        Registration(extrinsics=cameras(), plane_depth=-1.0)


def test_undistorting_and_distorting_are_inverse():
    camera = cameras().rgb
    pixels = np.random.default_rng(3).uniform([0, 0], [319, 239], (500, 2))
    assert np.abs(camera.project(camera.rays(pixels)) - pixels).max() < 1e-4


def test_directions_beyond_the_lens_are_not_seen():
    camera = cameras().rgb
    assert np.isnan(camera.project(np.array([[3.0, 0.0], [0.0, -2.0]]))).all()


def test_the_examples_of_the_documentation_load(tmp_path):
    page = Path(__file__).resolve().parents[2] / "docs" / "registration.md"
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    assert [Registration.load(write(tmp_path, block)).mode for block in blocks] == [
        "homography",
        "extrinsics",
    ]
