"""Trains the detector that ships, from chance or from an exported one, by ultralytics' trainer (AGPL-3.0)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from safetensors.torch import load_file

from textdifuse_ros.detection.ultralytics_import import ultralytics
from textdifuse_ros.engines.device import cpu_has_fast_bf16
from textdifuse_ros.model.weights import identity
from textdifuse_ros.train import made_of, yolo_initial
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.fields import check_all, rules_of, setting
from textdifuse_ros.train.progress import say
from textdifuse_ros.train.stills import read_image
from textdifuse_ros.train.yolo_data import CLASSES, SPLITS

_LOOKS = 64  # images, about, that an exported detector looks at before it is trained on
# Of the trainer, where they differ from ultralytics' own.
_OPTIONS = {"exist_ok": True, "cache": "ram", "plots": False, "pretrained": False, "deterministic": False}


@dataclass(frozen=True)
class YoloTraining:
    """Settings of the run, by ultralytics' names; whatever is not here has ultralytics' default.

    Both cameras at night make dark and flat pictures: brightness varies more than by default. Raises
    FieldError (a ValueError, one line) for a value of the wrong type or outside its bounds.
    """

    model: str = setting("yolo11n.yaml", "the network, by ultralytics' name of its file")
    epochs: int = setting(22, "times that every image is seen", low=1)
    time: float = setting(0.0, "hours, which override epochs; 0 = by epochs", low=0)
    batch: int = setting(16, "images of an update", low=1)
    nbs: int = setting(16, "images over which gradients are gathered", low=1)
    imgsz: int = setting(448, "pixels along the longer side", low=32)
    optimizer: str = setting("AdamW", "by ultralytics' name")
    lr0: float = setting(0.0015, "learning rate at its peak", above=0)
    lrf: float = setting(0.02, "share of it that is left at the end", low=0, high=1)
    cos_lr: bool = setting(True, "whether it falls along a cosine")
    warmup_epochs: float = setting(1.0, "epochs over which it rises to its peak", low=0)
    weight_decay: float = setting(0.01, "AdamW's", low=0)
    close_mosaic: int = setting(4, "last epochs without mosaics", low=0)
    hsv_v: float = setting(0.5, "how much brightness varies", low=0, high=1)
    scale: tuple[float, float] = setting((0.6, 1.7), "random scales", above=0)
    dis: float = setting(6.0, "weight of the teacher's features, where there is a teacher", low=0)
    workers: int = setting(1, "processes that read images", low=0)
    seed: int = setting(0, "of every random number", low=0)

    def __post_init__(self) -> None:
        check_all(self, rules_of(YoloTraining))


def train(
    folder: Path,
    output: Path,
    config: YoloTraining,
    device: str,
    teacher: Path | None = None,
    initial: Path | None = None,
) -> Path:
    """Train on the files of `train.yolo_data.build`; returns the last checkpoint, the moving average's.

    The validation images are looked at for the log and choose nothing: the last weights are taken. teacher:
    a .safetensors of a fused YOLOv8n (COCO) whose features are followed; nothing of it stays in the weights.
    initial: an exported .onnx of the same network and classes to start from, None for chance.
    A run that was stopped goes on after its last whole epoch, one that is over is not begun again. Raises
    TrainingError, DetectorError; TrainingError, too, where either was begun with other settings.
    """
    last, over, begun = output / "yolo" / "weights" / "last.pt", output / "trained", output / "begun"
    told = _told(config, teacher, initial)
    if over.is_file():
        made_of.check_same(over, told, "a finished training")
        say(f"{output}: holds a finished training; take another --output to train anew")
        return last
    if last.is_file():
        made_of.check_same(begun, told, "a training")
    else:
        made_of.note(begun, told)
    threads = torch.get_num_threads()
    with ultralytics() as library:
        options = asdict(config) | {"time": config.time or None}
        start = options.pop("model")
        if teacher is not None:
            options["distill_model"] = str(_teacher(library, teacher, output / "teacher.pt"))
        if last.is_file():
            start, options["resume"] = str(last), str(last)
        elif initial is not None:
            options["pretrained"] = str(_from_exported(initial, config, folder, output))
        model = library.YOLO(start, task="detect")
        trainer = _trainer(folder, config.workers, threads)
        model.train(**_OPTIONS | options | _places(folder, output, device), trainer=trainer)
    if not last.is_file():
        raise TrainingError(f"{last}: the training left no checkpoint; what it printed says why")
    made_of.note(over, told)
    return last


def _places(folder: Path, output: Path, device: str) -> dict[str, object]:
    """What the trainer reads, where it writes, and with which arithmetic it works."""
    return {
        "data": str(folder),
        "project": str(output.resolve()),
        "name": "yolo",
        "device": device,
        "amp": False if device == "cpu" else "bf16",
    }


def _from_exported(initial: Path, config: YoloTraining, folder: Path, output: Path) -> Path:
    """A checkpoint that starts with what an exported .onnx says. Raises DetectorError."""
    images = _some_images(folder / "images" / "train", config.imgsz)
    network = yolo_initial.trainable(config.model, len(CLASSES), initial, images)
    return _checkpoint(network, output / "initial.pt")


def _told(config: YoloTraining, teacher: Path | None, initial: Path | None) -> dict[str, object]:
    """All that decides what comes out, but for the images: how many processes read them does not."""
    told = asdict(config)
    del told["workers"]
    files = {"teacher": teacher, "initial": initial}
    return told | {name: identity(path) if path else "none" for name, path in files.items()}


def check(config: YoloTraining, teacher: Path | None, initial: Path | None) -> None:
    """Raises TrainingError, DetectorError for what `train` could not start from: before there are images."""
    if teacher is not None:
        _check_teacher(teacher)
    if initial is not None:
        with ultralytics():
            yolo_initial.unfolded(config.model, len(CLASSES), initial)


def export(checkpoint: Path, target: Path, size: int = 640) -> None:
    """Write the ONNX file that ships: dynamic sizes, opset 17, overlaps left to the reader."""
    with ultralytics() as library:
        model = library.YOLO(str(checkpoint), task="detect")
        made = Path(model.export(format="onnx", imgsz=size, dynamic=True, simplify=False, opset=17))
    onnx = importlib.import_module("onnx")
    graph = onnx.load(str(made))
    for entry in graph.metadata_props:
        if entry.key == "description":  # ultralytics writes the training images' folder here
            entry.value = f"{', '.join(CLASSES)} in colour, thermal and fused images"
    onnx.save(graph, str(target))
    made.unlink()


def _trainer(folder: Path, workers: int, threads: int) -> type:
    """ultralytics' trainer without what wants matplotlib, polars or fonts from the network; on a CPU with the
    memory format and, where it has them, the bf16 products that it keeps for CUDA (2.6 times as many images
    a second on an AVX512 processor with bf16; without such instructions bf16 is many times slower).
    """
    base: Any = importlib.import_module("ultralytics.models.yolo.detect").DetectionTrainer

    class Trainer(base):  # type: ignore[misc]
        def get_dataset(self) -> dict[str, Any]:
            images = {split: str(folder.resolve() / "images" / split) for split in SPLITS}
            names = dict(enumerate(CLASSES))
            return {"path": folder, **images, "names": names, "nc": len(names), "channels": 3}

        def read_results_csv(self) -> dict[str, Any]:
            return {}  # a copy of the log inside the checkpoint

        def _setup_train(self) -> None:
            self.args.workers = workers  # it takes none on a CPU; one core would wait while images are read
            super()._setup_train()
            torch.set_num_threads(threads)  # it leaves one core to others
            self.model.to(memory_format=torch.channels_last)

        def final_eval(self) -> None:
            importlib.import_module("ultralytics.utils.torch_utils").strip_optimizer(self.last)

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            batch = super().preprocess_batch(batch)
            # Within the trainer's own context, whose end undoes it.
            if self.device.type == "cpu" and cpu_has_fast_bf16():
                torch.set_autocast_enabled("cpu", True)
                torch.set_autocast_dtype("cpu", torch.bfloat16)
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            return batch

    return Trainer


def _check_teacher(weights: Path) -> None:
    if not weights.is_file():
        raise TrainingError(f"{weights}: no such file; leave the teacher out, or name its weights")


def _teacher(library: Any, weights: Path, target: Path) -> Path:
    """The teacher as ultralytics wants it: a checkpoint with a module."""
    _check_teacher(weights)
    model = library.YOLO("yolov8n.yaml", task="detect").model.fuse()
    model.load_state_dict({name: value.float() for name, value in load_file(str(weights)).items()})
    return _checkpoint(model, target)


def _checkpoint(network: Any, target: Path) -> Path:
    """A network as ultralytics wants it: a checkpoint with a module."""
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": network, "train_args": {}}, target)
    return target


def _some_images(folder: Path, size: int) -> Iterator[torch.Tensor]:
    """Images from all over the folder, one a batch, about as the network sees them in training."""
    paths, side = sorted(folder.iterdir()), max(32, size // 32 * 32)
    for path in paths[:: max(1, len(paths) // _LOOKS)]:
        image = cv2.resize(read_image(folder, path.stem), (side, side), interpolation=cv2.INTER_AREA)
        yield torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
