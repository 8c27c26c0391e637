"""Libraries that import torchvision without needing it, beside one that is missing or does not fit torch.

A torchvision built for another torch (PyPI's CUDA build beside a CPU build, or beside NVIDIA's on a Jetson)
fails at import with "operator torchvision::nms does not exist". Where the real one works it is used. Where
it does not, and only then, a stand-in with the few names that a library asks for lies in sys.modules while
the context lasts, and is gone afterwards: nothing else in the process ever takes it for the real one. No
torch in this file.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

NAME = "torchvision"
_lock = threading.RLock()

Modules = Mapping[str, Mapping[str, Any]]


def torchvision_works() -> bool:
    """Whether the real one can be imported; imports it."""
    try:
        importlib.import_module(NAME)
    except Exception:  # a missing one raises ImportError, one that does not fit RuntimeError or OSError
        return False
    return True


@contextmanager
def importable_torchvision(modules: Modules, hidden: Sequence[str] = ()) -> Iterator[bool]:
    """``import torchvision`` succeeds within: True where that is the real one.

    modules: what the stand-in consists of, by dotted name, parents before children. hidden: packages that
    need the real torchvision and that the library can do without; they seem to be missing while the stand-in
    is there.
    """
    with _lock:
        if torchvision_works():
            yield True
            return
        with _stand_in(modules, hidden):
            yield False


@contextmanager
def _stand_in(modules: Modules, hidden: Sequence[str]) -> Iterator[None]:
    affected = (NAME, *hidden)
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in affected}
    for name in kept:
        del sys.modules[name]
    for name, content in modules.items():
        module = ModuleType(name, "Stands in for a torchvision that does not work.")
        module.__dict__.update(content, __path__=[])
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    finder = _MetadataFinder()
    sys.meta_path.append(finder)  # last: the metadata of an installed one is found before this
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition(".")[0] in affected]:
            del sys.modules[name]
        sys.modules.update(kept)


class _Distribution(importlib.metadata.Distribution):
    """What `importlib.metadata.version("torchvision")` needs."""

    def read_text(self, filename: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 0.0.0\n" if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(f"{path}: {NAME} is not installed")


class _MetadataFinder(importlib.metadata.DistributionFinder):
    """Answers for torchvision where it is not installed: some libraries ask for its version before anything
    else."""

    def find_spec(self, *_: Any) -> None:
        return None

    def find_distributions(self, context: Any = None) -> Iterator[importlib.metadata.Distribution]:
        if getattr(context, "name", None) == NAME:
            yield _Distribution()
