"""Everything a training run depends on, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from textdifuse_ros.model.config import COUPLINGS, STARTS, ModelConfig
from textdifuse_ros.train.data import DATA_SETS, DataSet
from textdifuse_ros.train.fields import FieldError, Rule, check_all, check_names, rules_of, setting

TEACHER_STEPS = 25
DETECTOR_STRIDE = 32  # coarsest cells of the detector in the loss

MODEL_RULES = {
    "widths": Rule("feature channels at 1/2, 1/4, 1/8 and 1/16 of the resolution", low=1),
    "encoder_blocks": Rule("residual blocks of the shared encoder at each level", low=0),
    "decoder_blocks": Rule("residual blocks of the decoder at each level", low=0),
    "embedding": Rule("channels of the embedding of time, step size, controls and camera", low=1),
    "start": Rule("what the sampler starts from; noise and none are ablations", choices=STARTS),
    "start_noise": Rule("standard deviation of the noise in the start, in luminance", low=0),
    "coupling": Rule("how the cameras' features meet; max and mean are ablations", choices=COUPLINGS),
    "steps": Rule("steps of the sampler that the network is for, the usual one first", low=1),
}


@dataclass(frozen=True)
class TrainConfig:
    """Fields of `textdifuse train` and `distill`; read from JSON, written beside the checkpoints.

    Raises FieldError (a ValueError, one line) for a value of the wrong type or outside its bounds.
    """

    iterations: int = setting(8000, "updates until the training is done", low=1)
    minutes: float = setting(
        0.0,
        "stop after this long even with updates left, 0 = never; the schedule follows the clock then",
        low=0,
    )
    batch: int = setting(6, "examples of an update, in each process", low=1)
    crop: int = setting(224, "side of the square examples in pixels; a multiple of 32", low=DETECTOR_STRIDE)
    learning_rate: float = setting(
        1e-3, "AdamW's at its peak, from where it falls along a cosine to 2 %", above=0
    )
    warm_up: int = setting(100, "updates over which the learning rate rises to its peak", low=1)
    average: float = setting(0.998, "decay of the averaged weights, which are what ships", low=0, high=1)
    seed: int = setting(
        7, "of every random number: first weights, examples, degradations, times, noise", low=0
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N; auto takes CUDA where there is one")
    precision: str = setting(
        "auto",
        "arithmetic of the network: auto is bf16 where the device has it in hardware, else fp32",
        choices=("auto", "bf16", "fp32"),
    )
    workers: int = setting(
        0, "processes that draw examples ahead, for each training process; 0 draws between updates", low=0
    )
    stage_one: int = setting(
        600, "first updates, on single cameras alone: restoration diffusion", low=0, only="train"
    )
    single_share: float = setting(0.08, "share of single-camera examples after that", low=0, high=1)
    relevance_share: float = setting(0.5, "share of the examples that carry a relevance map", low=0, high=1)
    intensity: float = setting(8.0, "weight of the luminance term", low=0)
    gradient: float = setting(12.0, "weight of the gradient term", low=0)
    chroma: float = setting(16.0, "weight of the colour term", low=0)
    prompt_care: float = setting(8.0, "extra weight of the pixel terms where a prompt points", low=0)
    smoke_care: float = setting(
        1.5, "extra weight of the pixel terms where the visible camera sees nothing", low=0
    )
    clear_care: float = setting(
        3.0,
        "how much more pictures count that are to stay as seen: flat ground is no smoke, a sky no glare",
        low=0,
    )
    object_care: float = setting(
        3.0, "extra weight of the pixel terms where one camera shows an object better than the other", low=0
    )
    steering: float = setting(
        30.0, "weight of what controls and prompts change: the difference between twins", low=0
    )
    detector_weight: float = setting(0.3, "weight of the detector's word; 0 needs no detector", low=0)
    moved_weight: float = setting(
        0.0,
        "weight of what a picture changes by where it lies over the network's cells; half as dear again",
        low=0,
        only="distill",
    )
    tail_weight: float = setting(
        0.0,
        "weight of values far from all others, which 8 bits would have to make room for",
        low=0,
        only="distill",
    )
    detector: str = setting("yolov8n_coco.safetensors", "its file in the folder of --models")
    distill_weight: float = setting(8.0, "weight of the teacher's result", low=0, only="distill")
    bank: int = setting(
        720, "examples that the teacher answers before the first update", low=1, only="distill"
    )
    bank_share: float = setting(0.5, "share of the updates that use them", low=0, high=1, only="distill")
    checkpoint_every: int = setting(200, "updates between two checkpoints and sample pictures", low=1)
    data_sets: tuple[DataSet, ...] = DATA_SETS
    model: ModelConfig = field(default_factory=lambda: teacher_model())

    def __post_init__(self) -> None:
        check_all(self, rules_of(TrainConfig))
        check_all(self.model, MODEL_RULES, "model.")
        if not self.data_sets:
            raise FieldError("data_sets is empty; name at least one folder of pairs")
        unit = max(DETECTOR_STRIDE, self.model.multiple)
        below = self.crop // unit * unit
        if self.crop != below:
            near = f"{below} or {below + unit}" if below else f"{unit}"
            raise FieldError(f"crop is {self.crop}; it must be a multiple of {unit}: {near}")


def teacher_model(**changes: object) -> ModelConfig:
    """The teacher: 25 steps from the anchor with noise on it. changes: other fields of ModelConfig."""
    values: dict[str, Any] = {"start_noise": 0.1, "steps": (TEACHER_STEPS,), **changes}
    return ModelConfig(**values)


def from_fields(values: Mapping[str, object]) -> TrainConfig:
    """A configuration from JSON values; what is left out takes its default. Raises FieldError."""
    check_names(values, (each.name for each in fields(TrainConfig)))
    plain: dict[str, Any] = dict(values)
    if "model" in plain:
        plain["model"] = _model(plain["model"])
    if "data_sets" in plain:
        entries = plain["data_sets"]
        if not isinstance(entries, list):
            raise FieldError("data_sets must be a list of objects with name, share and scale")
        plain["data_sets"] = tuple(_data_set(f"data_sets[{i}]", entry) for i, entry in enumerate(entries))
    return TrainConfig(**plain)


def _model(values: object) -> ModelConfig:
    if not isinstance(values, dict):
        raise FieldError("model must be an object with fields of ModelConfig")
    check_names(values, MODEL_RULES, "model.")
    shape = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    defaults = {each.name: each.default for each in fields(ModelConfig)}
    for name, value in shape.items():
        MODEL_RULES[name].check(f"model.{name}", value, defaults[name])
    try:
        return teacher_model(**shape)
    except ValueError as error:
        raise FieldError(f"model: {error}") from error


def _data_set(place: str, values: object) -> DataSet:
    if not isinstance(values, dict):
        raise FieldError(f"{place} must be an object with name, share and scale")
    check_names(values, (each.name for each in fields(DataSet)), f"{place}.")
    missing = {"name", "share", "scale"} - set(values)
    if missing:
        raise FieldError(f"{place}: {sorted(missing)[0]} is missing")
    scale, share, name, widen = values["scale"], values["share"], values["name"], values.get("widen", False)
    scale = tuple(scale) if isinstance(scale, list) else scale
    Rule("", above=0).check(f"{place}.share", share, 1.0)
    Rule("", above=0).check(f"{place}.scale", scale, (1.0, 1.0))
    Rule("").check(f"{place}.name", name, "")
    Rule("").check(f"{place}.widen", widen, False)
    if len(scale) != 2 or scale[0] > scale[1]:
        raise FieldError(f"{place}.scale is {list(scale)}; it must be the smallest and the largest scale")
    return DataSet(name, share, scale, widen)
