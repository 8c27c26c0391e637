"""Configurations of trainings: the files that ship, what is refused and how, what docs/training.md says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.main import main
from textdifuse_ros.cli.train import read_config
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.train import reference
from textdifuse_ros.train.config import MODEL_RULES, TrainConfig, from_fields
from textdifuse_ros.train.fields import rules_of

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "config" / "train"
ABLATIONS: dict[str, dict[str, Any]] = {
    "full": {},
    "mean": {"model": {"coupling": "mean"}},
    "max": {"model": {"coupling": "max"}},
    "no-diffusion": {"model": {"start": "none", "steps": (1,)}},
    "noise-start": {"model": {"start": "noise", "start_noise": 0.5}},
    "no-detector": {"detector_weight": 0.0},
}


def test_the_files_that_are_installed_are_the_teacher_the_student_and_the_ablations() -> None:
    names = {"teacher", "student", *(f"ablation-{name}" for name in ABLATIONS)}
    assert {file.name for file in FILES.iterdir()} == {f"{name}.json" for name in names}
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "install(DIRECTORY launch config DESTINATION share/" in cmake


@pytest.mark.parametrize("name", ["teacher", "student"])
def test_the_files_of_teacher_and_student_spell_out_the_defaults(name: str) -> None:
    # A student starts where its teacher ended: it goes slower, and the detector may say more.
    own: dict[str, float] = {} if name == "teacher" else {
        "learning_rate": 7e-4, "detector_weight": 0.8, "chroma": 48.0, "relevance_share": 0.65,
        "steering": 40.0, "prompt_care": 16.0, "bank": 300, "bank_share": 0.25,
    }  # fmt: skip
    assert read_config(FILES / f"{name}.json", []) == dataclasses.replace(TrainConfig(), **own)  # type: ignore[arg-type]
    written = json.loads((FILES / f"{name}.json").read_text())
    of_distilling = {"distill_weight", "bank", "bank_share", "tail_weight", "moved_weight"}
    unused = of_distilling if name == "teacher" else {"stage_one", "model"}
    assert set(rules_of(TrainConfig)) | {"model"} == set(written) | unused


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_is_the_teacher_made_short_with_one_thing_changed(name: str) -> None:
    teacher = read_config(FILES / "teacher.json", [])
    changes = dict(ABLATIONS[name])
    model = dataclasses.replace(teacher.model, **changes.pop("model", {}))
    short = {
        "crop": 128, "batch": 8, "iterations": 300, "stage_one": 40, "warm_up": 30, "average": 0.99,
        "learning_rate": 1e-3, "checkpoint_every": 150,
    }  # fmt: skip
    wanted = dataclasses.replace(teacher, model=model, **short, **changes)
    assert read_config(FILES / f"ablation-{name}.json", []) == wanted


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bacth": 2}, "bacth: no such field; did you mean batch?"),
        ({"batch": -1}, "batch is -1; it must be a whole number, at least 1"),
        ({"batch": 2.5}, "batch is 2.5; it must be a whole number, at least 1"),
        ({"batch": True}, "batch is True; it must be a whole number, at least 1"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; it must be a number, above 0"),
        ({"learning_rate": 0}, "learning_rate is 0; it must be a number, above 0"),
        ({"minutes": float("nan")}, "minutes is nan; it must be a number, at least 0"),
        ({"average": 1.5}, "average is 1.5; it must be a number, 0 to 1"),
        ({"crop": 200}, "crop is 200; it must be a multiple of 32: 192 or 224"),
        ({"precision": "fp16"}, "precision is 'fp16'; it must be one of auto, bf16, fp32"),
        ({"device": 0}, "device is 0; it must be a text"),
        ({"model": 3}, "model must be an object with fields of ModelConfig"),
        ({"model": {"width": [8]}}, "model.width: no such field; did you mean model.widths?"),
        (
            {"model": {"widths": "8"}},
            "model.widths is '8'; it must be a list of whole numbers, each at least 1",
        ),
        ({"model": {"start": "middle"}}, "model.start is 'middle'; it must be one of anchor, noise"),
        (
            {"model": {"widths": [8]}},
            "model: widths, encoder_blocks and decoder_blocks need one entry a level",
        ),
        ({"data_sets": []}, "data_sets is empty; name at least one folder"),
        ({"data_sets": [{"name": "mine"}]}, "data_sets[0]: scale is missing"),
        (
            {"data_sets": [{"name": "mine", "share": 1, "scale": [2, 1]}]},
            "data_sets[0].scale is [2, 1]; it must",
        ),
    ],
)
def test_a_wrong_field_is_one_line_with_the_file_the_field_and_the_mend(
    tmp_path: Path, fields: dict[str, object], words: str
) -> None:
    (tmp_path / "wrong.json").write_text(json.dumps(fields))
    with pytest.raises(CliError) as error:
        read_config(tmp_path / "wrong.json", [])
    assert str(error.value).startswith(f"{tmp_path / 'wrong.json'}: {words}")


def test_a_wrong_field_is_refused_without_a_file_as_well() -> None:
    with pytest.raises(ValueError, match="batch is 0"):
        TrainConfig(batch=0)
    with pytest.raises(ValueError, match=r"model\.start_noise is -1"):
        TrainConfig(model=ModelConfig(start_noise=-1))
    with pytest.raises(CliError, match=r"^--set: seed is 'x'"):
        read_config(None, ["seed=x"])


def test_a_file_that_is_no_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"missing\.json: No such file"):
        read_config(tmp_path / "missing.json", [])
    for text, words in (("{", "is not JSON"), ("[]", "must be a JSON object")):
        (tmp_path / "odd.json").write_text(text)
        with pytest.raises(CliError, match=rf"odd\.json: {words}"):
            read_config(tmp_path / "odd.json", [])


@pytest.mark.parametrize(
    ("command", "option"), [("train", "--initial"), ("distill", "--teacher"), ("ranges", "--weights")]
)
def test_a_weight_file_that_is_not_there_is_named_with_its_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    missing = tmp_path / "none.safetensors"
    place = ("--data", str(tmp_path), "--output", str(tmp_path / "out.safetensors"))
    assert main([command, *place, option, str(missing)]) == 2
    assert capsys.readouterr().err == f"textdifuse {command}: {option} {missing}: no such file\n"


def test_overrides_go_before_the_file_and_reach_into_the_model() -> None:
    overrides = ["crop=96", "model.coupling=max", "device=cpu"]
    config = read_config(FILES / "teacher.json", overrides)
    assert (config.crop, config.model.coupling, config.device) == (96, "max", "cpu")
    assert config.model.start_noise == 0.1
    with pytest.raises(CliError, match="write FIELD=VALUE"):
        read_config(None, ["crop"])
    with pytest.raises(CliError, match="crop has no fields"):
        read_config(FILES / "teacher.json", ["crop.x=1"])


@pytest.mark.parametrize(
    ("command", "field", "other"),
    [("train", "tail_weight=3", "distill"), ("distill", "stage_one=5", "train")],
)
def test_a_field_that_the_command_ignores_is_refused_where_it_is_asked_for_and_not_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, field: str, other: str
) -> None:
    name, _, value = field.partition("=")
    (tmp_path / "shared.json").write_text(json.dumps({name: int(value)}))
    place = [command, "--data", str(tmp_path), "--output", str(tmp_path / "out")]
    assert main([*place, "--set", field]) == 2
    said = capsys.readouterr().err
    assert (
        said.startswith(f"textdifuse {command}: --set {field}: is of {other} only") and said.count("\n") == 1
    )
    assert main([*place, "--config", str(tmp_path / "shared.json"), "--set", "detector_weight=0"]) == 2
    assert "no pairs; one of" in capsys.readouterr().err  # it got as far as the data


def test_a_configuration_written_beside_the_checkpoints_reads_back_the_same() -> None:
    config = dataclasses.replace(TrainConfig(), seed=3, model=ModelConfig(coupling="mean"))
    assert from_fields(json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_every_field_is_declared_with_a_meaning() -> None:
    declared = {each.name for each in dataclasses.fields(TrainConfig)} - {"model", "data_sets"}
    assert set(rules_of(TrainConfig)) == declared
    assert set(MODEL_RULES) == {each.name for each in dataclasses.fields(ModelConfig)}
    rules = {**rules_of(TrainConfig), **MODEL_RULES}
    assert [name for name, rule in rules.items() if len(rule.meaning) < 10] == []


def test_the_documentation_has_the_tables_that_the_fields_generate() -> None:
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    mend = "run: python -m textdifuse_ros.train.reference --update docs/training.md"
    assert text == reference.update(text), mend
    for name in (*rules_of(TrainConfig), *MODEL_RULES, "model", "data_sets"):
        assert f"| `{name}` |" in text, name


def test_the_documentation_lists_all_that_the_students_file_has_otherwise() -> None:
    text = (
        (ROOT / "docs" / "training.md").read_text(encoding="utf-8").split("| default | `student.json` |")[1]
    )
    student, plain = read_config(FILES / "student.json", []), TrainConfig()
    for name in rules_of(TrainConfig):
        value, default = getattr(student, name), getattr(plain, name)
        assert (f"| `{name}` | `{default}` | `{value}` |" in text) == (value != default)
