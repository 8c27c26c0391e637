"""Make the ROS wheels' exported CMake targets usable on this machine.

The wheels were built in a container whose Python lay under /opt/python; their exported targets still name
that folder's headers, and CMake refuses a target whose include folder does not exist. Run with the
interpreter of the virtual environment to patch. Running it again changes nothing.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

INCLUDES = re.compile(r"/opt/python/cp3\d+-cp3\d+t?/include/python3\.\d+")
PACKAGES = re.compile(r"/opt/python/cp3\d+-cp3\d+t?/lib/python3\.\d+/site-packages")


def patched(text: str, include: str, packages: str) -> str:
    """Return `text` with the build container's folders replaced by this environment's."""
    # Replacements go through a function: a path may hold characters that re would read as group references.
    text = INCLUDES.sub(lambda _: include, text)
    return PACKAGES.sub(lambda _: packages, text)


def patch_prefix(prefix: Path, include: str, packages: str) -> int:
    """Patch every exported CMake file under `prefix`; return how many were changed."""
    changed = 0
    for file in sorted(prefix.glob("share/*/cmake/*.cmake")):
        before = file.read_text(encoding="utf-8")
        after = patched(before, include, packages)
        if after != before:
            file.write_text(after, encoding="utf-8")
            changed += 1
    return changed


if __name__ == "__main__":
    count = patch_prefix(Path(sys.prefix), sysconfig.get_path("include"), sysconfig.get_path("purelib"))
    print(f"patched {count} CMake files of the ROS wheels")
