"""Scores of many images: per image, averaged, against the teacher's, as JSON-ready data and as tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textdifuse_ros.evaluation import region_metrics
from textdifuse_ros.evaluation.metrics import NAMES

# How far below the teacher's a student's metric may lie, in per cent, by its number of steps.
DISTILLATION_BAR = {1: 5.0, 2: 2.0}
_DECIMALS = 4


@dataclass
class MethodScores:
    """Scores of one method, image by image; `region` has those inside the prompted region.

    made_by: its weights or folder. student_steps: of a student, 0 for all else.
    """

    method: str
    images: dict[str, dict[str, float]] = field(default_factory=dict)
    made_by: str = ""
    student_steps: int = 0
    is_teacher: bool = False
    region: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, name: str, scores: dict[str, float]) -> None:
        self.images[name] = scores

    def add_region(self, name: str, scores: dict[str, float]) -> None:
        """Scores inside the prompted region of an image."""
        self.region[name] = scores

    def region_mean(self) -> dict[str, float]:
        """Mean over the images that have a prompted region; empty where none has."""
        if not self.region:
            return {}
        return {
            name: float(np.mean([s[name] for s in self.region.values()])) for name in region_metrics.NAMES
        }

    def mean(self) -> dict[str, float]:
        """Mean over the images of every metric."""
        return {metric: float(np.mean([s[metric] for s in self.images.values()])) for metric in NAMES}

    def as_dict(self) -> dict[str, Any]:
        """{"method", "mean": {metric: value}, "images": [{"name", metric: value, ...}]}, rounded.

        Besides, where there are any, "prompted_region" with "mean" and "images" of its own metrics.
        """
        rows = [{"name": name, **_rounded(scores)} for name, scores in self.images.items()]
        row: dict[str, Any] = {"method": self.method, "mean": _rounded(self.mean()), "images": rows}
        if self.region:
            region = [{"name": name, **_rounded(scores)} for name, scores in self.region.items()]
            row["prompted_region"] = {"mean": _rounded(self.region_mean()), "images": region}
        return row


def table(methods: list[MethodScores]) -> str:
    """The means, a row a method, in columns."""
    width = max(len("method"), *(len(scores.method) for scores in methods))
    lines = ["  ".join([f"{'method':<{width}}", *(f"{metric:>6}" for metric in NAMES)])]
    for scores in methods:
        mean = scores.mean()
        lines.append("  ".join([f"{scores.method:<{width}}", *(f"{mean[metric]:6.2f}" for metric in NAMES)]))
    return "\n".join(lines)


def region_table(methods: list[MethodScores]) -> str:
    """The means inside the prompted region, a row a method; "" where no image has one."""
    if not any(scores.region for scores in methods):
        return ""
    title = "prompted region"
    width = max(len(title), *(len(scores.method) for scores in methods))
    lines = ["  ".join([f"{title:<{width}}", *(f"{metric:>8}" for metric in region_metrics.NAMES)])]
    for scores in methods:
        mean = scores.region_mean()
        cells = (f"{mean[metric]:8.3f}" for metric in region_metrics.NAMES)
        lines.append("  ".join([f"{scores.method:<{width}}", *cells]))
    return "\n".join(lines)


@dataclass(frozen=True)
class Distilled:
    """A student's mean metrics against its teacher's, in per cent of the teacher's; above 0 is better.

    bar: how far below 0 each may lie, None where the number of steps has no bar.
    """

    percent: dict[str, float]
    bar: float | None

    @property
    def worst(self) -> str:
        """The metric that lost most."""
        return min(self.percent, key=lambda metric: self.percent[metric])

    @property
    def kept(self) -> bool | None:
        """Whether no metric is below the bar; None without one."""
        return None if self.bar is None else self.percent[self.worst] >= -self.bar

    def as_dict(self) -> dict[str, Any]:
        """{"percent": {metric: value}, "worst", "bar_percent", "kept"}."""
        percent = {metric: round(value, 2) for metric, value in self.percent.items()}
        return {"percent": percent, "worst": self.worst, "bar_percent": self.bar, "kept": self.kept}


def distillation(methods: list[MethodScores]) -> dict[str, Distilled]:
    """Every student against the teacher, by the student's name; nothing where there is no teacher."""
    teacher = next((scores.mean() for scores in methods if scores.is_teacher), None)
    if teacher is None:
        return {}
    compared = {}
    for scores in methods:
        if not scores.student_steps:
            continue
        mean = scores.mean()
        percent = {
            metric: 100 * (mean[metric] - teacher[metric]) / max(abs(teacher[metric]), 1e-9)
            for metric in NAMES
        }
        compared[scores.method] = Distilled(percent, DISTILLATION_BAR.get(scores.student_steps))
    return compared


def distillation_table(compared: dict[str, Distilled]) -> str:
    """The differences in per cent, a row a student, and whether its bar is kept."""
    title = "to the teacher, %"
    width = max(len(title), *map(len, compared))
    lines = ["  ".join([f"{title:<{width}}", *(f"{metric:>6}" for metric in NAMES)])]
    for name, each in compared.items():
        cells = [f"{name:<{width}}", *(f"{each.percent[metric]:+6.1f}" for metric in NAMES)]
        if each.bar is not None:
            cells.append(f"-{each.bar:g} % or better: {'kept' if each.kept else f'missed ({each.worst})'}")
        lines.append("  ".join(cells))
    return "\n".join(lines)


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {metric: round(value, _DECIMALS) for metric, value in scores.items()}
