"""The benchmark of fusion and detector: what its windows are summed up to, and what it asks for."""

from __future__ import annotations

import pytest

pytest.importorskip("vision_msgs.msg", reason="vision_msgs is neither installed nor stood in for: make setup")

from textdifuse_ros.nodes import benchmark
from textdifuse_ros.nodes.bench_detection import Window, _summary
from textdifuse_ros.nodes.bench_rig import BenchFailed

pytestmark = pytest.mark.ros


def test_the_runs_of_an_arrangement_are_pooled() -> None:
    one = Window(10.0, [80.0, 90.0], 5.0, 300.0, {"failed": 1})
    other = Window(10.0, [100.0] * 6, 15.0, 310.0, {"failed": 2})
    assert _summary([one, other]) == {
        "seconds": 20.0,
        "detections_hz": 0.4,
        "camera_to_detections_ms": {"p50": 100.0, "p95": 100.0},
        "dropped": {"failed": 3},
        "cpu_percent_of_a_core": 100.0,
        "resident_mb": 310.0,
    }


def test_silence_is_a_failed_measurement_not_a_number() -> None:
    with pytest.raises(BenchFailed, match="nothing was detected in 10 s"):
        _summary([Window(10.0, [], 1.0, 300.0, {})])


def test_detection_is_measured_with_a_model_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmark.main(["--only", "detection"])
    assert "detection needs --model" in capsys.readouterr().err
    assert benchmark._parse(["--model", "street.pt"]).only == ["detection"]
    assert benchmark._parse([]).only == ["live", "slow", "soak"]
