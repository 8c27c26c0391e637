"""A torchvision that does not fit is stood in for while a library is imported, and only then."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from textdifuse_ros import torchvision_shim
from textdifuse_ros.torchvision_shim import importable_torchvision, torchvision_works

STAND_IN = {"torchvision": {"__version__": "0.0.0"}, "torchvision.ops": {"nms": "own"}}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The __init__.py of the torchvision that is found first; what was imported before comes back
    afterwards."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("torchvision")}
    package = tmp_path / "torchvision" / "__init__.py"
    package.parent.mkdir()
    (tmp_path / "timm.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("torchvision", "timm")]:
            if name != "torchvision_shim":
                del sys.modules[name]

    forget()
    yield package
    forget()
    sys.modules.update(before)


def test_one_that_does_not_fit_is_replaced_while_the_context_lasts(installed: Path) -> None:
    installed.write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    assert not torchvision_works()
    with importable_torchvision(STAND_IN, hidden=("timm",)) as real:
        assert not real
        module = importlib.import_module("torchvision")
        assert module.ops.nms == "own" and module.__version__ == "0.0.0"
        with pytest.raises(ImportError):
            importlib.import_module("timm")
    assert "torchvision" not in sys.modules and "torchvision.ops" not in sys.modules
    assert importlib.import_module("timm")
    with pytest.raises(RuntimeError, match="torchvision::nms"):
        importlib.import_module("torchvision")


def test_one_that_works_is_used(installed: Path) -> None:
    installed.write_text("__version__ = '9.9'\n")
    with importable_torchvision(STAND_IN, hidden=("timm",)) as real:
        assert real
        assert importlib.import_module("torchvision").__version__ == "9.9"
        assert importlib.import_module("timm")


def test_everything_is_put_back_when_the_import_fails(installed: Path) -> None:
    installed.write_text("raise ImportError('libcudart.so.13: cannot open shared object file')\n")
    finders = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), importable_torchvision(STAND_IN):
        raise ZeroDivisionError
    assert "torchvision" not in sys.modules
    assert sys.meta_path == finders


def test_the_version_of_one_that_is_not_installed_at_all_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torchvision_shim, "NAME", "torchvision_of_nowhere")
    with importable_torchvision({"torchvision_of_nowhere": {}}) as real:
        assert not real
        assert importlib.metadata.version("torchvision_of_nowhere") == "0.0.0"
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("torchvision_of_nowhere")
