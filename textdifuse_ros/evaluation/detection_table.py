"""What a fixed detector finds on each method's images: counts, and average precision by light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.evaluation.average_precision import Judged, average_precision, mean_over_thresholds
from textdifuse_ros.evaluation.detector_file import Detections

CLASSES = {"person": 0, "car": 2}  # as COCO numbers them
CAMERAS = ("rgb", "thermal")
NIGHT_LEVEL = 70.0  # a colour image with a lower mean, of 255, was taken at night
RATIO = "persons of the better camera"
LOOSE, STRICT = "mAP@.5", "mAP@[.5:.95]"

Row = dict[str, "int | float | None"]


@dataclass(frozen=True)
class Seen:
    """One frame: true boxes (M, 4), corners in pixels, by class, and detections by method.

    A class that nobody labelled in this frame is not in `truth`: it is counted, but not judged.
    """

    night: bool
    truth: Mapping[str, NDArray[np.float64]]
    found: Mapping[str, Detections]


def is_night(rgb: NDArray[np.uint8]) -> bool:
    """Whether the mean level of all three channels is below NIGHT_LEVEL."""
    return float(rgb.mean()) < NIGHT_LEVEL


def report(frames: Sequence[Seen], methods: Sequence[str], confidence: float) -> dict[str, Any]:
    """JSON-ready: {"frames", "methods": {name: row}}, and "light" where there are labels.

    A row has the detections counted at `confidence` by class, the persons over those of the better single
    camera, and average precision over all labelled frames. "light" holds {"labelled", "methods"} for all, day
    and night, with the average precision of that part alone (None where nothing of a class is there).
    """
    light = {
        "all": frames,
        "day": [f for f in frames if not f.night],
        "night": [f for f in frames if f.night],
    }
    labelled = any(frame.truth for frame in frames)
    rows = {name: _counts(frames, name, confidence) for name in methods}
    for row in rows.values():
        row[RATIO] = _ratio(row["person"], [rows[camera]["person"] for camera in CAMERAS if camera in rows])
    if not labelled:
        return {"frames": len(frames), "methods": rows}
    parts: dict[str, dict[str, Any]] = {
        name: {
            "labelled": sum(bool(frame.truth) for frame in part),
            "methods": {method: _precision(part, method) for method in methods},
        }
        for name, part in light.items()
    }
    for name, row in rows.items():
        row.update(parts["all"]["methods"][name])
    return {"frames": len(frames), "methods": rows, "light": parts}


def _counts(frames: Sequence[Seen], method: str, confidence: float) -> Row:
    row: Row = {}
    for name, index in CLASSES.items():
        found = (frame.found[method] for frame in frames)
        row[name] = sum(int(((d.classes == index) & (d.scores >= confidence)).sum()) for d in found)
    return row


def _ratio(persons: Any, by_cameras: list[Any]) -> float | None:
    """None without both cameras, or where neither shows anybody."""
    better = max(by_cameras) if len(by_cameras) == len(CAMERAS) else 0
    return round(persons / better, 4) if better else None


def _precision(frames: Sequence[Seen], method: str) -> Row:
    row: Row = {}
    loose, strict = [], []
    for name, index in CLASSES.items():
        images = [_judged(frame, method, name, index) for frame in frames if name in frame.truth]
        loose.append(average_precision(images, 0.5))
        strict.append(mean_over_thresholds(images))
        row[f"{name} AP@.5"], row[f"{name} AP@[.5:.95]"] = _number(loose[-1]), _number(strict[-1])
    row[LOOSE], row[STRICT] = _mean(loose), _mean(strict)
    return row


def _judged(frame: Seen, method: str, name: str, index: int) -> Judged:
    found = frame.found[method]
    chosen = found.classes == index
    return Judged(found.scores[chosen], found.boxes[chosen], frame.truth[name])


def _mean(values: list[float]) -> float | None:
    """Of the classes that are there."""
    real = [value for value in values if not np.isnan(value)]
    return _number(float(np.mean(real))) if real else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def table(made: Mapping[str, Any]) -> str:
    """A report in columns: a row a method; average precision as `mAP@.5 / mAP@[.5:.95]` by light."""
    rows, light = made["methods"], made.get("light")
    width = max(map(len, rows))
    head = [f"{'':<{width}}", "persons", "  cars", "of better"]
    if light:
        head += ["person AP@.5", "car AP@.5"]
        head += [f"{name} ({part['labelled']})".rjust(13) for name, part in light.items()]
    lines = ["  ".join(head)]
    for name, row in rows.items():
        ratio = "-" if row[RATIO] is None else f"{100 * row[RATIO]:.0f} %"
        cells = [f"{name:<{width}}", f"{row['person']:>7}", f"{row['car']:>6}", f"{ratio:>9}"]
        if light:
            cells += [f"{_short(row['person AP@.5']):>12}", f"{_short(row['car AP@.5']):>9}"]
            parts = (part["methods"][name] for part in light.values())
            cells += [f"{_short(part[LOOSE])} / {_short(part[STRICT])}".rjust(13) for part in parts]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def _short(value: float | None) -> str:
    """.602, or a dash."""
    return "-" if value is None else f"{value:.3f}".removeprefix("0")
