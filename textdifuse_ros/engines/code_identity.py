"""Which state of this package's code a graph was made by."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
# All that a graph or a plan is made of. The version alone does not tell: a checkout that was pulled, or is
# being worked on, keeps it while the network changes under the same weights.
_SOURCES = ("model/*.py", "engines/graph.py", "engines/program.py", "engines/onnx_export.py",
            "engines/tensorrt_runtime.py")  # fmt: skip


@cache
def code_id() -> str:
    """First 12 hex digits of the sources' SHA-256; of an installation without sources, always the same."""
    return digest_of(_PACKAGE)


def digest_of(package: Path) -> str:
    """The same for the sources in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in package.glob(pattern)):
        digest.update(f"{path.relative_to(package)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
