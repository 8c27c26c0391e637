"""The detector's messages are those of vision_msgs 4, whoever built them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("vision_msgs.msg", reason="vision_msgs is neither installed nor stood in for: make setup")

# As the definitions of vision_msgs 4.1.1 (Jazzy) give them: peers with another hash do not hear each other.
HASHES = {
    "Detection2DArray": "RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    "Detection2D": "RIHS01_0d12b69df5c593b3455b7346fac8205437a7d4bcb09b9e0e0b2dde787ded38ea",
    "ObjectHypothesisWithPose": "RIHS01_41c12344c0396c48b81df12467c192d99b2a0eb1463c5c37194e4223251c80bc",
    "BoundingBox2D": "RIHS01_008eacbb0cf8f26e83795547bed013eec3675485ef386ec056d80eaaf1c1ce2f",
}


def description(name: str) -> Path:
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    found = [p / "share" / "vision_msgs" / "msg" / f"{name}.json" for p in (*prefixes, Path(sys.prefix))]
    return next((file for file in found if file.is_file()), Path())


@pytest.mark.parametrize("name", HASHES)
def test_the_type_hash_is_the_one_that_robots_have(name: str) -> None:
    file = description(name)
    if file == Path():
        pytest.skip("this installation of vision_msgs brings no type descriptions")
    hashes = json.loads(file.read_text(encoding="utf-8"))["type_hashes"]
    assert {entry["type_name"]: entry["hash_string"] for entry in hashes}[f"vision_msgs/msg/{name}"] == (
        HASHES[name]
    )
