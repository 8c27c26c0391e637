"""Everything a training run depends on, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from textdifuse_ros.model.config import ModelConfig

TEACHER_STEPS = 25


@dataclass(frozen=True)
class TrainConfig:
    """Fields of `textdifuse train` and `distill`; read from JSON, written beside the checkpoints."""

    iterations: int = 8000
    batch: int = 6
    crop: int = 224
    learning_rate: float = 6e-4
    warm_up: int = 100
    average: float = 0.998  # of the exponential moving average that ships
    seed: int = 7
    device: str = "auto"
    stage_one: int = 600  # first updates on single cameras only: restoration diffusion
    single_share: float = 0.08  # and how often such examples come back later
    relevance_share: float = 0.4
    intensity: float = 8.0
    gradient: float = 12.0
    chroma: float = 8.0
    prompt_care: float = 8.0  # extra weight of the pixel terms where a prompt points
    smoke_care: float = 1.5  # and where the visible camera sees nothing
    object_care: float = 3.0  # and where one camera shows an object better than the other
    detector_weight: float = 1.2
    detector: str = "yolov8n_coco.safetensors"
    distill_weight: float = 8.0  # of the teacher's result, in `distill`
    bank: int = 720  # examples that the teacher answers before `distill` starts
    bank_share: float = 0.5  # of the updates that use them
    checkpoint_every: int = 200
    minutes: float = 0.0  # stop after this long, 0 = never; the schedule follows the clock then
    model: ModelConfig = field(default_factory=lambda: teacher_model())


def teacher_model(**changes: object) -> ModelConfig:
    """The teacher: 25 steps from the anchor with noise on it. changes: other fields of ModelConfig."""
    fields: dict[str, Any] = {"start_noise": 0.1, "steps": (TEACHER_STEPS,), **changes}
    return ModelConfig(**fields)
