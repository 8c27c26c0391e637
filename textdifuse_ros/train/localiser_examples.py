"""Stored frames and the random examples cut out of them, for the localiser's training."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from textdifuse_ros.text.concepts import SEEN
from textdifuse_ros.text.embedded_network import CELL
from textdifuse_ros.train import files
from textdifuse_ros.train.degrade import degrade, shift
from textdifuse_ros.train.degrade import draw as draw_degradations
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.localiser_config import LocaliserTraining
from textdifuse_ros.train.localiser_data import SETS, SIMULATED, SIMULATED_SHARE, Frame, load_set, simulated
from textdifuse_ros.train.localiser_labels import OBJECTS, Image, Labels, shown
from textdifuse_ros.train.localiser_teachers import Teachers
from textdifuse_ros.train.progress import Progress, say
from textdifuse_ros.train.stills import digest

FILE = "frames.safetensors"
WIDTH, HEIGHT = 208, 160  # pixels of an example, most of what the localiser sees at once
EQUALISED = 0.15  # share of the thermal images that get another camera's automatic gain
AIMED = 0.75  # share of the examples that are sure to show an object, where there is one
_TIMES = (0.0, 6.5, 13.0, 31.0)  # of a rendered street, seconds
_ZOOM = (0.65, 1.4)  # of a stored frame; a 640x480 camera is seen at 0.8
_FATTER = 1.5  # a cell that is two thirds full counts as full: distant persons are a cell or two
Float = NDArray[Any]
RARE = 0.4  # share of the examples drawn by kind of object: bicycles are in one frame of eight
_SHARES = {each.name: each.share for each in SETS} | {SIMULATED: SIMULATED_SHARE}
_SMALL = 32  # cells; an object of fewer counts more in each of them, up to `config.small` times as much
# How often each kind is drawn then; bicycles are thin, and the hardest to learn.
_KINDS = {"person": 1.0, "bicycle": 2.0, "motorcycle": 0.5, "car": 1.0, "bus": 0.5, "truck": 0.5}


@dataclasses.dataclass(frozen=True)
class Frames:
    """The frames that train: of each folder, and of each kind of object those that show it, by folder."""

    by_folder: dict[str, list[Frame]]
    by_object: dict[str, dict[str, list[Frame]]]

    @classmethod
    def of(cls, by_folder: dict[str, list[Frame]]) -> Frames:
        by_object = {name: _showing(by_folder, name) for name in OBJECTS}
        return cls(by_folder, {name: frames for name, frames in by_object.items() if frames})


def _showing(by_folder: dict[str, list[Frame]], name: str) -> dict[str, list[Frame]]:
    found = {
        folder: [each for each in frames if shown(each.labels, name).any()]
        for folder, frames in by_folder.items()
    }
    return {folder: frames for folder, frames in found.items() if frames}


@dataclasses.dataclass
class Batch:
    """cameras (N, 4, H, W) in [-0.5, 0.5]; target, known (N, concepts, H / 4, W / 4) in [0, 1]; weight, of
    their shape: how much each cell counts in the loss where it is known, 1 or, in small objects, more.
    """

    cameras: Tensor
    target: Tensor
    known: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(value.to(device) for value in vars(self).values()))


def check(data: Path) -> None:
    """Raises TrainingError at once where `prepare` would find nothing but rendered streets."""
    if not any(path.is_file() for each in SETS for path in (data / each.name).glob("boxes/*.txt")):
        raise _nothing(data)


def _nothing(data: Path) -> TrainingError:
    names = ", ".join(each.name for each in SETS)
    return TrainingError(f"{data}: no labelled frames; one of {names} must lie there, with boxes/ inside")


def prepare(data: Path, output: Path, config: LocaliserTraining, teachers: Teachers | None = None) -> Frames:
    """All frames that train, by folder: read from the output folder, else labelled (minutes) and kept there.

    teachers: see `load_set`. Raises TrainingError.
    """
    sets = [dataclasses.astuple(each) for each in SETS]
    there = digest(data / each.name for each in SETS)
    told = [sets, config.simulated, there, teachers.told if teachers else {}]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    stored = _stored(output / FILE, key)
    if stored is not None:
        return stored
    frames: dict[str, list[Frame]] = {}
    labelled, labels = 0, sum(len(list(data.glob(f"{each.name}/boxes/*.txt"))) for each in SETS)
    with Progress() as progress:
        for each in SETS:
            found = []
            for frame in load_set(data, each, teachers=teachers):
                found.append(frame)
                labelled += 1
                progress.show(labelled / labels, f"labelling {frame.name}")
            if found:
                frames[each.name] = found
        if not frames:
            raise _nothing(data)
        seeds = tuple(range(config.simulated))
        if seeds:
            frames[SIMULATED] = list(simulated(seeds, _TIMES))
    absent = [each.name for each in SETS if each.name not in frames]
    if absent:
        say(f"{data}: no labelled frames of {', '.join(absent)}; the others are drawn more often")
    _store(output / FILE, key, frames)
    return Frames.of(frames)


def draw(
    frames: Frames,
    config: LocaliserTraining,
    rng: np.random.Generator,
    aimed: float = AIMED,
    rare: float = RARE,
) -> Batch:
    """A random batch of degraded examples, some with one camera only.

    rare: share drawn by kind of object; aimed: share of the others that is sure to show one.
    """
    kinds = [kind for kind in sorted(frames.by_object) if kind in config.learnt]
    chances = np.array([_KINDS[kind] for kind in kinds])
    rows = []
    aims: tuple[str, ...]
    for _ in range(config.batch):
        if kinds and rng.random() < rare:
            kind = kinds[int(rng.choice(len(kinds), p=chances / chances.sum()))]
            frame, sure, aims = _one_of(frames.by_object[kind], rng), 1.0, (kind,)
        else:
            frame, sure, aims = _one_of(frames.by_folder, rng), aimed, OBJECTS
        rows.append(_example(frame, config, rng, sure, aims))
    return Batch(*(torch.from_numpy(np.stack(each)) for each in zip(*rows, strict=True)))


def _one_of(by_folder: dict[str, list[Frame]], rng: np.random.Generator) -> Frame:
    """Of a folder by its share: what few folders show would else be seen in the largest one alone."""
    names = sorted(by_folder)
    weights = np.array([_SHARES[name] for name in names])
    choice = by_folder[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
    return choice[int(rng.integers(len(choice)))]


def _example(
    frame: Frame, config: LocaliserTraining, rng: np.random.Generator, aimed: float, aims: tuple[str, ...]
) -> tuple[Float, Float, Float, Float]:
    """One row of a batch, its fields in their order."""
    rgb, thermal, labels = _cut(frame, rng, aimed, aims)
    visible, warm = rgb.astype(np.float32) / 255, thermal.astype(np.float32) / 255
    if rng.random() < EQUALISED:
        warm = _equalised(warm)
    level = warm.mean()
    warm = (warm - level) * np.float32(rng.uniform(0.6, 1.4)) + level + np.float32(rng.uniform(-0.12, 0.12))
    warm = np.clip(warm, 0, 1).astype(np.float32)
    seen = degrade(visible, warm, draw_degradations(rng, config.degraded))
    visible, warm = seen.visible, seen.thermal
    if rng.random() < 0.25:
        warm = shift(warm, *rng.uniform(-2, 2, 2))
    lost = rng.random()
    both = frame.has_rgb and frame.has_thermal
    if not frame.has_rgb or (both and lost < config.drop_rgb):
        visible = np.zeros_like(visible)
    elif not frame.has_thermal or (both and lost > 1 - config.drop_thermal):
        warm = np.zeros_like(warm)
    cameras = np.concatenate((visible.transpose(2, 0, 1), warm[None])).astype(np.float32) - np.float32(0.5)
    there, unknown = (_cells(bits) for bits in (labels.there, labels.unknown))
    target = np.clip(_FATTER * there, 0, 1)
    weight = np.ones_like(target)
    for concept in range(len(OBJECTS)):
        weight[concept] = _weight(target[concept], config.small)
    return cameras, target, np.clip(1 - unknown, 0, 1) * (1 - target) + target, weight


def _equalised(warm: Float) -> Float:
    """As a thermal camera shows it that spreads its levels evenly, locally."""
    levels: Any = cv2.createCLAHE(3.0, (4, 4)).apply(np.round(warm * 255).astype(np.uint8))
    return levels.astype(np.float32) / 255  # type: ignore[no-any-return]


def _cut(
    frame: Frame, rng: np.random.Generator, aimed: float, aims: tuple[str, ...]
) -> tuple[Image, Image, Labels]:
    """Random scale, place and mirror."""
    high, wide = frame.thermal.shape
    zoom = float(np.exp(rng.uniform(*np.log(_ZOOM))))
    zoom = max(zoom, WIDTH / wide, HEIGHT / high)
    width, height = min(wide, round(WIDTH / zoom)), min(high, round(HEIGHT / zoom))
    top, left = _place(frame.labels, (height, width), rng, aimed, aims)
    window = (slice(top, top + height), slice(left, left + width))
    mirror = bool(rng.random() < 0.5)

    def cut(image: Image, how: int) -> Image:
        part: Any = cv2.resize(image[window], (WIDTH, HEIGHT), interpolation=how)
        return np.ascontiguousarray(part[:, ::-1] if mirror else part)

    there, unknown = (cut(each, cv2.INTER_NEAREST) for each in (frame.labels.there, frame.labels.unknown))
    smooth = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    return cut(frame.rgb, smooth), cut(frame.thermal, smooth), Labels(there, unknown)


def _place(
    labels: Labels, size: tuple[int, int], rng: np.random.Generator, aimed: float, aims: tuple[str, ...]
) -> tuple[int, int]:
    """Upper left corner of a cut-out: around a random pixel of a random one of `aims`, or anywhere."""
    shape = labels.there.shape
    kinds = [where for where in (shown(labels, name) for name in aims) if where.any()]
    room = [full - part for full, part in zip(shape, size, strict=True)]
    if not kinds or rng.random() >= aimed:
        return int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1))
    pixels = np.flatnonzero(kinds[int(rng.integers(len(kinds)))])
    aim = np.unravel_index(int(rng.choice(pixels)), shape)
    corner = [int(a) - int(rng.integers(0, part)) for a, part in zip(aim, size, strict=True)]
    return min(max(corner[0], 0), room[0]), min(max(corner[1], 0), room[1])


def _cells(bits: Image) -> Float:
    """Share of each cell's pixels that have each bit: float32 (concepts, H / 4, W / 4)."""
    planes = np.unpackbits(bits[None], axis=0, bitorder="little")[: len(SEEN)]
    count, height, width = planes.shape
    cells = planes.reshape(count, height // CELL, CELL, width // CELL, CELL).mean(axis=(2, 4))
    return cells.astype(np.float32)


def _weight(target: Float, most: float) -> Float:
    """How much each cell (H / 4, W / 4) of one concept counts: more in small objects, which are many and far
    and hold few cells, so that a network may well leave them out.
    """
    count, parts, stats, _ = cv2.connectedComponentsWithStats((target >= 0.5).astype(np.uint8))
    weights = np.ones(count, np.float32)
    weights[1:] = np.clip(np.sqrt(_SMALL / stats[1:, cv2.CC_STAT_AREA]), 1, most)
    return weights[parts]


def _store(path: Path, key: str, frames: dict[str, list[Frame]]) -> None:
    arrays: dict[str, NDArray[Any]] = {}
    told: list[list[object]] = []
    for folder, rows in frames.items():
        for frame in rows:
            number = len(told)
            told.append([folder, frame.name, frame.has_rgb, frame.has_thermal])
            arrays |= {f"{number}.rgb": frame.rgb, f"{number}.thermal": frame.thermal}
            arrays |= {f"{number}.there": frame.labels.there, f"{number}.unknown": frame.labels.unknown}
    with files.replacing(path) as temporary:
        save_file(arrays, str(temporary), metadata={"key": key, "frames": json.dumps(told)})


def _stored(path: Path, key: str) -> Frames | None:
    """What lies there, None with a line where it is of other data or cannot be read."""
    if not path.is_file():
        return None
    try:
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("key") != key:
                say(f"{path}: is of other data, fields or teachers; the frames are labelled anew")
                return None
            frames: dict[str, list[Frame]] = {}
            for number, (folder, name, has_rgb, has_thermal) in enumerate(json.loads(metadata["frames"])):
                rgb, thermal, there, unknown = (
                    file.get_tensor(f"{number}.{part}") for part in ("rgb", "thermal", "there", "unknown")
                )
                frame = Frame(name, rgb, thermal, has_rgb, has_thermal, Labels(there, unknown))
                frames.setdefault(folder, []).append(frame)
            return Frames.of(frames)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        say(f"{path}: cannot be read ({error}); the frames are labelled anew")
        return None
