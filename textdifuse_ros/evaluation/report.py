"""Scores of many images: per image, averaged, as JSON-ready data and as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textdifuse_ros.evaluation.metrics import NAMES

_DECIMALS = 4


@dataclass
class MethodScores:
    """Scores of one method, image by image."""

    method: str
    images: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, name: str, scores: dict[str, float]) -> None:
        self.images[name] = scores

    def mean(self) -> dict[str, float]:
        """Mean over the images of every metric."""
        return {metric: float(np.mean([s[metric] for s in self.images.values()])) for metric in NAMES}

    def as_dict(self) -> dict[str, Any]:
        """{"method", "mean": {metric: value}, "images": [{"name", metric: value, ...}]}, rounded."""
        rows = [{"name": name, **_rounded(scores)} for name, scores in self.images.items()]
        return {"method": self.method, "mean": _rounded(self.mean()), "images": rows}


def table(methods: list[MethodScores]) -> str:
    """The means, a row a method, in columns."""
    width = max(len("method"), *(len(scores.method) for scores in methods))
    lines = ["  ".join([f"{'method':<{width}}", *(f"{metric:>6}" for metric in NAMES)])]
    for scores in methods:
        mean = scores.mean()
        lines.append("  ".join([f"{scores.method:<{width}}", *(f"{mean[metric]:6.2f}" for metric in NAMES)]))
    return "\n".join(lines)


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {metric: round(value, _DECIMALS) for metric, value in scores.items()}
