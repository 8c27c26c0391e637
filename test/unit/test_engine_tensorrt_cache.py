"""What engine tensorrt leaves on disk, and what it says of it; with stand-ins for its libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from engine_samples import tiny_network
from fake_tensorrt import FakeTensorRt
from small_networks import save_network
from test_engine_tensorrt import _no_plan as no_plan
from test_engine_tensorrt import export_once, installed, made
from torch.export import ExportedProgram

from textdifuse_ros.cli.main import main
from textdifuse_ros.engines import program, registry, tensorrt_plan, tensorrt_runtime
from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.compare import scene
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.model.controls import ALL


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tensorrt"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeTensorRt:
    monkeypatch.setattr(program, "export_program", export_once)
    return installed(monkeypatch, FakeTensorRt())


def test_what_tensorrt_measures_lies_with_the_plans_and_not_where_every_user_may_write(
    fake: FakeTensorRt, folder: Path
) -> None:
    for _ in range(2):
        made().prepare(32, 32, 1)
        next(folder.glob("*.plan")).unlink()
    (first, nothing), (second, found) = fake.timings
    assert (nothing, found) == (b"", b"timing ")
    assert not first.exists() and not second.parent.exists()  # each build had a folder of its own
    (kept,) = folder.glob("*.timings")
    assert kept.read_bytes() == b"timing timing " and kept.stat().st_mode & 0o777 == 0o600
    kept.write_bytes(b"another's")
    made().prepare(32, 32, 1)
    assert fake.timings[-1][1] == b""  # not what its checksum was made of


def test_measurements_of_another_driver_are_not_used(
    fake: FakeTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    for driver in ("one", "another"):
        monkeypatch.setattr(tensorrt_runtime, "driver_version", lambda driver=driver: driver)
        made().prepare(32, 32, 1)
    assert [found for _, found in fake.timings] == [b"", b""]


def test_a_release_that_keeps_no_measurements_is_given_no_file_for_them(
    fake: FakeTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert(exported_program: ExportedProgram, *, arg_inputs: object, **options: object) -> bytes:
        assert "timing_cache_path" not in options
        return fake._build(exported_program, arg_inputs, options["device"])

    name = "convert_exported_program_to_serialized_trt_engine"
    monkeypatch.setattr(fake.torch_tensorrt.dynamo, name, convert)
    made().prepare(32, 32, 1)
    assert len(fake.builds) == 1 and fake.timings == []


@pytest.mark.parametrize("harm", ["a file in its place", "open to the group"])
def test_who_builds_ahead_is_told_that_the_plan_could_not_be_kept(
    fake: FakeTensorRt,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    harm: str,
) -> None:
    if harm == "open to the group":
        (tmp_path / "cache" / "tensorrt").mkdir(parents=True)
        (tmp_path / "cache" / "tensorrt").chmod(0o775)
    else:
        (tmp_path / "cache").write_text("")
    monkeypatch.setattr(registry, "_make", lambda *_arguments: made())
    path = save_network(tmp_path / "tiny.safetensors")
    arguments = ["export", "--engine", "tensorrt", "--size", "32x32", "--weights", str(path)]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and f"cannot be kept in {tmp_path / 'cache' / 'tensorrt'}" in said.err
    if harm == "open to the group":
        assert "others may write to its folder, mode 0775" in caplog.text
        (tmp_path / "cache" / "tensorrt").chmod(0o700)
        assert main(arguments) == 0 and "is ready for 32x32" in capsys.readouterr().out


def test_where_a_node_cannot_keep_a_plan_it_goes_on_with_it_and_the_log_says_so(
    fake: FakeTensorRt, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("")
    engine = BackgroundEngine(EagerEngine(tiny_network(), "cpu", "fp32"), made())
    engine.prepare(32, 32, 1)
    engine.run(*scene(32, 32), None, 1, ALL)
    assert engine.name == "tensorrt"
    assert caplog.text.count(f"cannot be kept in {tmp_path / 'cache' / 'tensorrt'}") == 1


def test_a_plan_that_tensorrt_does_not_read_is_built_again_and_the_log_says_so(
    fake: FakeTensorRt, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made().prepare(32, 32, 1)
    (plan,) = folder.glob("*.plan")
    no_plan(plan)
    made().prepare(32, 32, 1)
    assert (
        f"{plan} is not used and made again: engine tensorrt: TensorRT does not read this plan" in caplog.text
    )


def test_without_the_kernels_word_for_the_driver_its_newest_cuda_stands_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version").write_text("NVRM version: 570.1\nGCC version\n")
    monkeypatch.setattr(tensorrt_plan, "_DRIVER", tmp_path / "version")
    assert tensorrt_plan.driver_version() == "NVRM version: 570.1"
    monkeypatch.setattr(tensorrt_plan, "_DRIVER", tmp_path / "none")
    monkeypatch.setattr(torch._C, "_cuda_getDriverVersion", lambda: 12080, raising=False)
    assert tensorrt_plan.driver_version() == "CUDA 12080"
    monkeypatch.delattr(torch._C, "_cuda_getDriverVersion")
    assert tensorrt_plan.driver_version() == ""
