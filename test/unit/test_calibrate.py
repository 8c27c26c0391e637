"""`textdifuse calibrate`, run as people run it: through the command's entry point, on files."""

import re

import cv2
import numpy as np
import pytest

from textdifuse_ros.cli.main import main
from textdifuse_ros.imaging.registration import Registration

THERMAL, RGB = (160, 128), (320, 240)  # width, height
TRUTH = np.array([[1.9, 0.06, 6.0], [-0.05, 1.8, 4.0], [1e-4, -5e-5, 1.0]])


def scene(size: tuple[int, int], matrix: np.ndarray | None = None) -> np.ndarray:
    """Bright blocks on dark ground, drawn in thermal pixels and mapped by `matrix`."""
    image = np.full((THERMAL[1], THERMAL[0]), 40, np.uint8)
    for x, y in ((20, 20), (70, 30), (120, 25), (30, 80), (90, 75), (125, 95)):
        image[y : y + 18, x : x + 14] = 200
    return image if matrix is None else cv2.warpPerspective(image, matrix, size)


def point_pairs(count: int, noise: float = 0.0, wrong: int = 0) -> np.ndarray:
    rng = np.random.default_rng(7)
    thermal = rng.uniform([10, 10], [150, 118], (count, 2))
    rgb = cv2.perspectiveTransform(thermal[:, None], TRUTH)[:, 0] + rng.normal(0, noise, (count, 2))
    rgb[:wrong] += [40.0, -25.0]
    return np.hstack([thermal, np.clip(rgb, 0, np.array(RGB) - 1)])


@pytest.fixture
def files(tmp_path):
    cv2.imwrite(str(tmp_path / "rgb.png"), cv2.cvtColor(scene(RGB, TRUTH), cv2.COLOR_GRAY2BGR))
    cv2.imwrite(str(tmp_path / "thermal.png"), scene(THERMAL).astype(np.uint16) * 16 + 28000)
    write_points(tmp_path, point_pairs(12))
    return tmp_path


def write_points(folder, points: np.ndarray, header: str = "u_thermal,v_thermal,u_rgb,v_rgb\n"):
    path = folder / "points.csv"
    path.write_text(header + "\n".join(",".join(f"{v:.4f}" for v in row) for row in points) + "\n")
    return path


def run(folder, *extra: str, **paths) -> int:
    names = {
        "points": "points.csv",
        "rgb": "rgb.png",
        "thermal": "thermal.png",
        "output": "rig.yaml",
        **paths,
    }
    words = ["calibrate"]
    for option, name in names.items():
        words += [f"--{option}", str(folder / name)]
    return main([*words, *extra])


def mapping_error(path) -> float:
    """Largest distance in RGB pixels between the file's mapping and the truth, over the thermal image."""
    registration = Registration.load(path)
    assert registration.homography is not None
    corners = np.array([[[0, 0]], [[159, 0]], [[0, 127]], [[159, 127]], [[80, 64]]], float)
    found, truth = (cv2.perspectiveTransform(corners, m) for m in (registration.homography.matrix, TRUTH))
    return float(np.linalg.norm(found - truth, axis=-1).max())


def test_exact_points_give_the_exact_mapping(files, capsys):
    assert run(files) == 0
    assert mapping_error(files / "rig.yaml") < 0.01
    out = capsys.readouterr().out
    assert "12 of 12 pairs used" in out and str(files / "rig.yaml") in out
    assert len(re.findall(r"^ +\d+ ", out, re.M)) == 12


def test_the_file_says_what_it_was_made_for(files):
    run(files)
    registration = Registration.load(files / "rig.yaml")
    assert registration.homography is not None
    assert (registration.homography.thermal_size, registration.homography.rgb_size) == (THERMAL, RGB)


def test_wrong_pairs_are_left_out_and_named(files, capsys):
    write_points(files, point_pairs(14, noise=0.3, wrong=3))
    assert run(files) == 0
    out = capsys.readouterr().out
    assert "11 of 14 pairs used" in out
    assert [int(n) for n in re.findall(r"^ +(\d+) .*left out", out, re.M)] == [1, 2, 3]
    assert mapping_error(files / "rig.yaml") < 2.0


def test_the_same_input_writes_the_same_file(files):
    write_points(files, point_pairs(14, noise=0.5, wrong=3))
    run(files)
    first = (files / "rig.yaml").read_bytes(), (files / "rig.overlay.png").read_bytes()
    run(files)
    assert first == ((files / "rig.yaml").read_bytes(), (files / "rig.overlay.png").read_bytes())


def test_the_overlay_lies_where_the_contours_are(files):
    run(files, overlay="judge.png")
    picture = cv2.imread(str(files / "judge.png"))
    assert picture.shape == (RGB[1], 2 * RGB[0], 3)
    marked = (picture[:, : RGB[0]] == (0, 255, 255)).all(axis=-1)
    contours = cv2.dilate(cv2.Canny(scene(RGB, TRUTH), 50, 100), np.ones((5, 5))) > 0
    assert marked.sum() > 200 and contours[marked].mean() > 0.9


def test_a_wrong_mapping_shows_in_the_overlay(files):
    shifted = point_pairs(12)
    shifted[:, 2] = np.clip(shifted[:, 2] + 15, 0, 319)
    write_points(files, shifted)
    run(files, overlay="judge.png")
    marked = (cv2.imread(str(files / "judge.png"))[:, : RGB[0]] == (0, 255, 255)).all(axis=-1)
    contours = cv2.dilate(cv2.Canny(scene(RGB, TRUTH), 50, 100), np.ones((5, 5))) > 0
    assert contours[marked].mean() < 0.7


def test_four_pairs_are_enough_and_the_report_says_what_their_error_is_worth(files, capsys):
    points = np.array([[20.0, 20], [140, 22], [25, 110], [138, 105]])
    mapped = cv2.perspectiveTransform(points[:, None], TRUTH)[:, 0]
    write_points(files, np.hstack([points, mapped]))
    assert run(files) == 0
    assert "says nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "{rows}",
        "points:\n{rows}",
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_points_may_be_yaml(files, text, named):
    keys = ("u_thermal", "v_thermal", "u_rgb", "v_rgb")
    lines = []
    for row in point_pairs(8).tolist():
        values = ", ".join(f"{k}: {v}" for k, v in zip(keys, row, strict=True)) if named else str(row)[1:-1]
        lines.append(f"- {{{values}}}" if named else f"- [{values}]")
    (files / "points.yaml").write_text(text.replace("{rows}", "\n".join(lines)))
    assert run(files, points="points.yaml") == 0
    assert mapping_error(files / "rig.yaml") < 0.01


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", ", "])
def test_csv_may_use_other_separators_comments_and_column_order(files, separator):
    lines = ["# marked by hand", separator.join(["v_rgb", "u_rgb", "u_thermal", "v_thermal"]), ""]
    for a, b, c, d in point_pairs(8):
        lines.append(separator.join(f"{v:.5f}" for v in (d, c, a, b)) + "  # corner")
    (files / "points.csv").write_text("\n".join(lines))
    assert run(files) == 0
    assert mapping_error(files / "rig.yaml") < 0.01


def line(points: np.ndarray) -> np.ndarray:
    along = np.linspace(10, 120, len(points))
    return np.column_stack([along, along, along * 1.5, along * 1.5])


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (point_pairs(3), "at least 4"),
        (np.repeat(point_pairs(1), 6, axis=0), "4 different"),
        (line(point_pairs(8)), "one line"),
        (point_pairs(6)[:, [2, 3, 0, 1]], "outside"),
        (np.hstack([point_pairs(9)[:, :2], point_pairs(9)[::-1, 2:]]), "points.csv"),
    ],
)
def test_points_that_give_no_mapping_are_refused(files, capsys, points, words):
    write_points(files, points)
    check_refusal(files, capsys, run(files), "points.csv", words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no point pairs"),
        ("1,2,3\n", "line 1"),
        ("1,2,3,4\n1,2,x,4\n", "line 2"),
        ("1,2,3,nan\n", "not a number"),
    ],
)
def test_a_bad_points_file_is_refused_by_line(files, capsys, text, words):
    (files / "points.csv").write_text(text)
    check_refusal(files, capsys, run(files), "points.csv", words)


@pytest.mark.parametrize("content", ["a: [", "3", "points: 5", "- [1, 2]", "- {u_rgb: 1}", "- [1, 2, 3, x]"])
def test_a_bad_yaml_points_file_is_refused(files, capsys, content):
    (files / "points.yaml").write_text(content)
    check_refusal(files, capsys, run(files, points="points.yaml"), "points.yaml", "")


@pytest.mark.parametrize("role", ["rgb", "thermal", "points"])
def test_missing_inputs_are_refused(files, capsys, role):
    check_refusal(files, capsys, run(files, **{role: "absent.png"}), "absent.png", "cannot be read")


@pytest.mark.parametrize("role", ["rgb", "thermal"])
@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_unreadable_images_are_refused(files, capsys, role, content):
    (files / "broken.png").write_bytes(content)
    check_refusal(files, capsys, run(files, **{role: "broken.png"}), "broken.png", "not an image")


def test_binary_points_are_refused(files, capsys):
    (files / "points.csv").write_bytes(b"\xff\xfe\x00\x01")
    check_refusal(files, capsys, run(files), "points.csv", "not a text file")


@pytest.mark.parametrize(
    "paths",
    [
        {"output": "nowhere/rig.yaml"},
        {"overlay": "nowhere/judge.png"},
        {"output": "."},
        {"output": "rgb.png"},
        {"overlay": "rig.yaml"},
    ],
)
def test_outputs_that_cannot_be_written_are_refused_before_any_work(files, capsys, paths):
    before = {p.name: p.read_bytes() for p in files.iterdir()}
    assert run(files, **paths) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert before == {p.name: p.read_bytes() for p in files.iterdir()}


def test_a_failed_run_leaves_older_results_alone(files, capsys):
    run(files)
    before = {p.name: p.read_bytes() for p in files.iterdir()}
    write_points(files, point_pairs(3))
    before["points.csv"] = (files / "points.csv").read_bytes()
    assert run(files) == 2
    assert before == {p.name: p.read_bytes() for p in files.iterdir()}


def test_a_threshold_that_is_not_positive_is_refused(files, capsys):
    for value in ("0", "-1", "nan"):
        check_refusal(files, capsys, run(files, "--threshold", value), "--threshold", "positive")


def check_refusal(folder, capsys, status: int, file: str, words: str) -> None:
    captured = capsys.readouterr()
    assert status == 2
    assert len(captured.err.strip().splitlines()) == 1
    assert file in captured.err and words in captured.err
    assert not (folder / "rig.yaml").exists() and not (folder / "rig.overlay.png").exists()
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]
