"""The weight files, and the configurations inside them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from small_networks import SMALL, random_network

from textdifuse_ros.model import weights
from textdifuse_ros.model.config import ModelConfig


def test_weights_survive_a_round_trip_in_half_precision(tmp_path: Path) -> None:
    network = random_network()
    weights.save(network, tmp_path / "w.safetensors", {"step": "7"})
    again = weights.load(tmp_path / "w.safetensors")
    assert again.config == network.config
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value.half().float())
    assert list(tmp_path.iterdir()) == [tmp_path / "w.safetensors"]


@pytest.mark.parametrize(("path", "steps"), [(weights.SHIPPED, (1, 2, 4)), (weights.TEACHER, (25,))])
def test_shipped_weights_load_and_are_small_enough(path: Path, steps: tuple[int, ...]) -> None:
    network = weights.load(path)
    assert path.stat().st_size <= 16 * 2**20
    assert network.config.steps == steps
    assert not network.training
    assert len(weights.identity(path)) == 12


def test_missing_weights_are_named_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(weights.WeightsError, match=r"gone\.safetensors: no such file; leave `weights` empty"):
        weights.load(tmp_path / "gone.safetensors")


def test_pickled_weights_are_refused_and_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(weights.WeightsError, match="pickled weights"):
        weights.load(path)
    assert not (tmp_path / "sprung").exists()


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    weights.save(random_network(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(weights.WeightsError, match="not a readable safetensors file"):
        weights.load(path)


def test_foreign_safetensors_are_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, str(tmp_path / "x.safetensors"), metadata={"format": "pt"})
    with pytest.raises(weights.WeightsError, match="format is 'pt'"):
        weights.load(tmp_path / "x.safetensors")


def test_weights_that_do_not_fit_their_configuration_are_refused(tmp_path: Path) -> None:
    metadata = {"format": weights.FORMAT, "config": ModelConfig().to_json()}
    save_file({"stem.weight": torch.zeros(1)}, str(tmp_path / "x.safetensors"), metadata=metadata)
    with pytest.raises(weights.WeightsError, match="does not fit its own configuration"):
        weights.load(tmp_path / "x.safetensors")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    network = random_network()
    network.head.bias.data[0] = float("nan")
    weights.save(network, tmp_path / "w.safetensors")
    with pytest.raises(weights.WeightsError, match="not finite"):
        weights.load(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}x", '{"depth": 3}', '{"widths": [8, 8]}', '{"start": "luck"}', '{"coupling": "x"}']
)
def test_broken_configurations_are_value_errors(text: str) -> None:
    with pytest.raises(ValueError):
        ModelConfig.from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [("widths", ["a"] * 4), ("widths", [0] * 4), ("widths", [8.5] * 4), ("encoder_blocks", [0, 1, 1, "q"]),
     ("decoder_blocks", [-1, 1, 1, 1]), ("embedding", "a"), ("embedding", True), ("steps", []),
     ("steps", [0]), ("steps", ["x"]), ("start_noise", "x"), ("start_noise", float("nan"))],
)  # fmt: skip
def test_a_file_whose_configuration_no_network_can_have_is_refused_naming_the_field(
    tmp_path: Path, field: str, value: object
) -> None:
    path = tmp_path / "w.safetensors"
    state = {name: each.half() for name, each in random_network().state_dict().items()}
    config = json.dumps({**json.loads(SMALL.to_json()), field: value})
    save_file(state, str(path), metadata={"format": weights.FORMAT, "config": config})
    with pytest.raises(weights.WeightsError, match=f"w.safetensors: does not fit .*{field}"):
        weights.load(path)
