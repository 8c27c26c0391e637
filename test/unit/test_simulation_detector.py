"""A detector trained on photographs recognises the rendered people and cars (needs ../shared, or skips)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from textdifuse_ros.simulation import RgbSensor, StreetSequence

torch = pytest.importorskip("torch")
WEIGHTS = Path(__file__).resolve().parents[3] / "shared" / "models" / "yolov8n_coco.safetensors"
CLASSES = {1: [0], 2: [2, 4, 5]}  # person; car, bus and truck among the detector's road classes
MOMENTS = (2.0, 9.0, 24.0, 36.0, 45.0)


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="the detector's weights are not in ../shared/models")
def test_a_detector_finds_most_people_and_cars_in_clear_air() -> None:
    from textdifuse_ros.train.detector import FrozenDetector

    detector = FrozenDetector(WEIGHTS).eval()
    street, camera = StreetSequence(smoke=0.0), RgbSensor(640, 480)
    found: dict[int, list[bool]] = {1: [], 2: []}
    for index, moment in enumerate(MOMENTS):
        frame = street.render(moment)
        image = torch.from_numpy(camera.expose(frame.rgb, index)).permute(2, 0, 1)[None].float() / 255.0
        with torch.no_grad():
            scores = detector(image)[0].sigmoid().numpy()
        for item in frame.objects:
            height = item.box[3] - item.box[1]
            if item.visible > 0.6 and height > (60 if item.class_id == 1 else 30):
                found[item.class_id].append(best_score(scores, item.box, CLASSES[item.class_id]) > 0.25)
    assert len(found[1]) >= 10 and np.mean(found[1]) >= 0.8
    assert len(found[2]) >= 10 and np.mean(found[2]) >= 0.8


def best_score(scores: np.ndarray, box: tuple[int, int, int, int], classes: list[int]) -> float:
    """Highest score of the classes (cells, 6) in any cell of any level that lies within the box."""
    best, begin = 0.0, 0
    for stride in (8, 16, 32):
        rows, cols = 480 // stride, 640 // stride
        level = scores[begin : begin + rows * cols].reshape(rows, cols, -1)[..., classes].max(axis=2)
        begin += rows * cols
        x0, y0, x1, y1 = (value // stride for value in box)
        best = max(best, float(level[y0 : y1 + 1, x0 : x1 + 1].max()))
    return best
