"""Everything a training run depends on, declared once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainConfig:
    """Everything a training run depends on; read from JSON, written beside the checkpoints."""

    iterations: int = 6000
    batch: int = 6
    crop: int = 224
    learning_rate: float = 6e-4
    warm_up: int = 100
    average: float = 0.998  # of the exponential moving average that ships
    seed: int = 7
    device: str = "auto"
    restore_share: float = 0.85
    relevance_share: float = 0.4
    later_step_share: float = 0.35
    intensity: float = 8.0
    gradient: float = 12.0
    chroma: float = 8.0
    prompt_care: float = 8.0  # extra weight of the pixel terms where a prompt points
    smoke_care: float = 1.5  # and where the visible camera sees nothing
    object_care: float = 3.0  # and where one camera shows an object better than the other
    detector_weight: float = 1.2
    detector: str = "yolov8n_coco.safetensors"
    checkpoint_every: int = 200
    minutes: float = 0.0  # stop after this long, 0 = never; the schedule follows the clock then
