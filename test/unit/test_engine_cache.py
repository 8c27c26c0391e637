"""What is taken from the cache folder, and what is made again."""

from __future__ import annotations

import fcntl
import importlib
import importlib.util
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_samples import need_onnx, off, tiny_network

import textdifuse_ros
from textdifuse_ros.cli import bench_curve
from textdifuse_ros.engines import cache, code_identity, onnx_export, onnx_runtime
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.onnx_runtime import OnnxEngine


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_folder_lies_in_the_home_folder_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", "/somewhere/else")
    assert cache.folder() == Path("/somewhere/else")
    monkeypatch.delenv("TEXTDIFUSE_CACHE")
    assert cache.folder() == Path.home() / ".cache" / "textdifuse_ros"


def test_an_entry_comes_back_as_it_was_written(folder: Path) -> None:
    assert cache.read("one.bin") is None
    assert cache.write("one.bin", b"content")
    assert cache.read("one.bin") == b"content"
    assert sorted(path.name for path in folder.iterdir()) == ["one.bin", "one.bin.sha256"]
    assert folder.stat().st_mode & 0o777 == 0o700


def _shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    path.write_bytes(b"C" + path.read_bytes()[1:])


def _lose_the_note(path: Path) -> None:
    path.with_name("one.bin.sha256").unlink()


def _empty_the_note(path: Path) -> None:
    path.with_name("one.bin.sha256").write_bytes(b"\xff\xfe")


def _open_to_others(path: Path) -> None:
    path.chmod(0o666)


def _link(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "harm", [_shorten, _flip, _lose_the_note, _empty_the_note, _open_to_others, _link, _pipe]
)
def test_an_entry_that_is_not_whole_or_not_ours_is_none(folder: Path, harm: Callable[[Path], None]) -> None:
    cache.write("one.bin", b"content")
    harm(folder / "one.bin")
    assert cache.read("one.bin") is None
    assert cache.write("one.bin", b"again") and cache.read("one.bin") == b"again"


def test_an_entry_of_another_user_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write("one.bin", b"content")
    monkeypatch.setattr(os, "getuid", lambda: (folder / "one.bin").stat().st_uid + 1)
    assert cache.read("one.bin") is None


def test_the_file_that_was_looked_at_is_the_one_that_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write to the folder, though not to the entry, can put another in its place."""
    cache.write("one.bin", b"content")
    looked = cache._is_ours

    def exchange(status: os.stat_result, *kind: Any) -> bool:
        (folder / "foreign").write_bytes(b"foreign")
        os.replace(folder / "foreign", folder / "one.bin")
        return looked(status, *kind)

    monkeypatch.setattr(cache, "_is_ours", exchange)
    assert cache.read("one.bin") == b"content"


@pytest.mark.parametrize(
    ("harm", "why"),
    [(_flip, "checksum"), (_lose_the_note, "checksum"), (_open_to_others, "others may write to it, mode 06"),
     (_link, "it is a link"), (_pipe, "of another kind")],
)  # fmt: skip
def test_the_log_says_once_why_an_entry_is_not_used(
    folder: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None], why: str
) -> None:
    assert cache.read("one.bin") is None and caplog.text == ""  # there is none, and nothing to say
    cache.write("one.bin", b"content")
    harm(folder / "one.bin")
    assert cache.read("one.bin") is None and cache.read("one.bin") is None
    (said,) = [record.getMessage() for record in caplog.records]
    assert str(folder / "one.bin") in said and why in said


def test_the_log_says_whose_an_entry_or_its_folder_is(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write("deep/one.bin", b"content")
    (folder / "deep").chmod(0o775)
    assert cache.read("deep/one.bin", private=True) is None
    assert "others may write to its folder, mode 0775" in caplog.text
    owner = folder.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert cache.read("deep/one.bin", private=True) is None
    assert f"its folder belongs to user {owner}, and this is user {owner + 1}" in caplog.text


def test_an_entry_is_changed_by_one_after_the_other(folder: Path) -> None:
    """A thread stands for a process: a lock that is taken twice is waited for all the same."""
    inside, go = threading.Event(), threading.Event()

    def slowly(content: bytes) -> bytes:
        inside.set()
        assert go.wait(60)
        return content + b"first "

    first = threading.Thread(target=lambda: cache.update("one.json", slowly))
    first.start()
    assert inside.wait(60)
    second = threading.Thread(target=lambda: cache.update("one.json", lambda content: content + b"second"))
    second.start()
    go.set()
    first.join(60)
    second.join(60)
    assert cache.read_bare("one.json") == b"first second"


def test_where_a_folder_knows_no_locks_an_entry_is_changed_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_arguments: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert cache.update("one.json", lambda content: content + b"1") and cache.read_bare("one.json") == b"1"


def test_a_folder_that_cannot_be_made_costs_only_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "file" / "cache"))
    assert not cache.write("one.bin", b"content")
    assert cache.read("one.bin") is None
    assert not cache.update("one.bin", lambda content: content)


def test_the_plans_of_a_whole_curve_are_kept() -> None:
    assert len(bench_curve.SIZES) * len(bench_curve.STEPS) < cache._KEPT


def test_the_oldest_entries_of_a_kind_are_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_KEPT", 2)
    cache.write("choices.json", b"{}")
    for age, name in enumerate(("a.onnx", "b.onnx", "c.onnx")):
        cache.write(name, b"graph")
        os.utime(folder / name, (1000 + age, 1000 + age))
    cache.write("d.onnx", b"graph")
    kept = {path.name for path in folder.iterdir() if path.suffix != ".sha256"}
    assert kept == {"choices.json", "c.onnx", "d.onnx"}


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        cache.replace(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and target.read_text() == "old"


@pytest.fixture(scope="module")
def graph() -> bytes:
    """The tiny network, exported once for the tests below."""
    need_onnx()
    return onnx_export.export_onnx(tiny_network(), 1, weights_id="tiny")


class Exports:
    """Stands in for the export, which takes seconds: hands out a graph that was exported before."""

    def __init__(self, content: bytes) -> None:
        self.content, self.count = content, 0

    def __call__(self, *_arguments: Any, **_more: Any) -> bytes:
        self.count += 1
        return self.content


@pytest.fixture
def exports(graph: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Exports:
    stand_in = Exports(graph)
    monkeypatch.setattr(onnx_runtime, "export_onnx", stand_in)
    return stand_in


def made(weights_id: str = "tiny") -> OnnxEngine:
    engine = OnnxEngine(tiny_network(), "cpu", weights_id=weights_id)
    engine.prepare(32, 32, 1)
    return engine


def _entry(folder: Path) -> Path:
    return next(folder.glob("tiny-1-fp32-*.onnx"))


@pytest.mark.slow
def test_a_graph_is_exported_once_and_then_taken_from_the_cache(exports: Exports, folder: Path) -> None:
    assert off(made(), EagerEngine(tiny_network(), "cpu", "fp32"), 32, 48, 1, prompt=False) <= 1
    made()
    assert exports.count == 1


@pytest.mark.slow
def test_a_broken_graph_is_exported_again(exports: Exports, folder: Path) -> None:
    made()
    _shorten(_entry(folder))
    made()
    assert exports.count == 2
    assert _entry(folder).read_bytes() == exports.content


@pytest.mark.slow
def test_a_file_that_is_no_graph_is_exported_again(exports: Exports, folder: Path) -> None:
    made()
    cache.write(_entry(folder).name, b"whole, and no graph")
    made()
    assert exports.count == 2


@pytest.mark.slow
def test_a_graph_under_another_graphs_name_is_not_trusted(exports: Exports, folder: Path) -> None:
    made()
    for suffix in ("", ".sha256"):
        source = _entry(folder)
        shutil.copy(f"{source}{suffix}", folder / f"{source.name.replace('tiny', 'other')}{suffix}")
    made("other")
    assert exports.count == 2


@pytest.mark.slow
def test_a_graph_of_an_earlier_version_is_not_used(
    exports: Exports, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    for module in (onnx_export, onnx_runtime):
        monkeypatch.setattr(module, "__version__", "99.0.0")
    made()
    assert exports.count == 2


@pytest.mark.slow
def test_a_graph_that_other_sources_of_the_same_version_made_is_not_used(
    exports: Exports, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    monkeypatch.setattr(onnx_export, "code_id", lambda: "other")
    made()
    assert exports.count == 2


def test_every_source_of_the_graph_counts_and_nothing_else_does(tmp_path: Path) -> None:
    package = Path(textdifuse_ros.__file__).parent
    for folder in ("model", "engines"):
        shutil.copytree(package / folder, tmp_path / folder)
    before = code_identity.digest_of(tmp_path)
    assert before == code_identity.code_id()
    (tmp_path / "engines" / "cuda.py").write_text("# another")
    assert code_identity.digest_of(tmp_path) == before
    for name in ("model/network.py", "model/anchor.py", "engines/graph.py"):
        source = (tmp_path / name).read_text()
        (tmp_path / name).write_text(source + "\n")
        assert code_identity.digest_of(tmp_path) != before
        (tmp_path / name).write_text(source)
    assert code_identity.digest_of(tmp_path) == before


@pytest.mark.slow
def test_weights_without_a_name_are_not_cached(exports: Exports, folder: Path) -> None:
    made("")
    assert exports.count == 1 and not folder.exists()


def test_missing_onnxruntime_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def absent(name: str, *more: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(EngineError, match="pip install onnxruntime onnx onnxscript") as caught:
        OnnxEngine(tiny_network(), "cpu")
    assert "\n" not in str(caught.value)


def test_missing_exporter_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="needs onnx and onnxscript: pip install onnx onnxscript"):
        onnx_export.export_onnx(tiny_network(), 1)


@pytest.mark.parametrize(
    ("device", "dtype", "reason"),
    [("cpu", "bf16", "not in bf16"), ("cpu", "fp16", "fp16 needs a CUDA device"),
     ("mps", "auto", "'mps' is not one of"), ("what", "auto", "'what' is not one of")],
)  # fmt: skip
def test_devices_and_precisions_that_onnx_cannot_are_refused(device: str, dtype: str, reason: str) -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime (requirements-dev.txt)")
    with pytest.raises(EngineError, match=reason):
        OnnxEngine(tiny_network(), device, dtype)


def test_cuda_without_its_provider_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime (requirements-dev.txt)")
    monkeypatch.setattr(runtime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="has no CUDAExecutionProvider"):
        OnnxEngine(tiny_network(), "cuda:0")
