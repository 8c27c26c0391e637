"""An exported detector that is made trainable again."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from textdifuse_ros.detection.model_file import SHIPPED_FILE
from textdifuse_ros.detection.ultralytics_import import ultralytics
from textdifuse_ros.train.errors import TrainingError

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("ultralytics", "onnx")),
    reason="needs ultralytics and onnx",
)


def images() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(4, 3, 8, 8, generator=generator)
    return [torch.nn.functional.interpolate(each[None], size=(96, 96), mode="bilinear") for each in small]


@pytest.fixture(scope="module")
def network() -> Any:
    from textdifuse_ros.train.yolo_initial import trainable

    with ultralytics():
        return trainable("yolo11n.yaml", 3, SHIPPED_FILE, images())


def test_it_sees_what_the_exported_one_sees(network: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(SHIPPED_FILE), providers=["CPUExecutionProvider"])
    image = images()[1]
    (expected,) = session.run(None, {session.get_inputs()[0].name: image.numpy()})
    with torch.no_grad():
        found = network.eval()(image)[0]
    assert torch.allclose(found, torch.from_numpy(expected), atol=2e-2, rtol=1e-3)


def test_its_normalisation_gives_back_in_training_what_it_gives_in_use(network: Any) -> None:
    first = network.model[0]
    together = torch.cat(images())
    with torch.no_grad():
        used, trained = first.eval()(together), first.train()(together)
    first.eval()
    assert torch.allclose(used, trained, atol=0.02)
    assert float(first.bn.running_var.std()) > 0  # statistics, not ones


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    from textdifuse_ros.train.yolo_initial import trainable

    with ultralytics():
        with pytest.raises(TrainingError, match="it is of another network"):
            trainable("yolo11n.yaml", 4, SHIPPED_FILE, images())
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(b"no graph")
        with pytest.raises(TrainingError, match=r"broken\.onnx: "):
            trainable("yolo11n.yaml", 3, broken, images())
        with pytest.raises(TrainingError, match="no images"):
            trainable("yolo11n.yaml", 3, SHIPPED_FILE, [])
