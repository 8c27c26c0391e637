"""What the diagnostics say of an output that is silent while both cameras are well. No ROS."""

from __future__ import annotations

from typing import Any

import pytest
from session_bench import Bench

from textdifuse_ros.nodes import health
from textdifuse_ros.nodes.loss import RGB, THERMAL
from textdifuse_ros.nodes.model_holder import FAILED, ModelState

WELL = tuple(health.CameraFacts(camera, f"/{camera}", True, 30.0, 9) for camera in (RGB, THERMAL))


def silence(**facts: Any) -> health.Report:
    """Of the output, while nothing else is wrong."""
    output = health.OutputFacts("/fused", True, timeout=1.0, **facts)
    return health.output_report(output, (WELL[0], WELL[1]), (health.Report(health.OK, "fine"),))


def test_a_network_that_is_slower_than_the_time_out_is_named_with_the_time_it_takes() -> None:
    report = silence(silent_for=1.5, unanswered_for=1.4, published=7, model_p50=2500.0)
    assert (report.level, report.cause) == (health.ERROR, "slow")
    assert "the network takes 2.5 s an image, longer than loss_timeout 1 s" in report.message


def test_a_network_that_does_not_come_back_is_named_with_the_time_it_has_had() -> None:
    report = silence(silent_for=12.0, unanswered_for=11.5, published=7, model_p50=50.0)
    assert (report.level, report.cause) == (health.ERROR, "slow")
    assert "at work for 11.5 s without completing an image" in report.message


@pytest.mark.parametrize(("seconds", "cause"), [(2.0, "silent"), (4.0, "slow")])
def test_the_first_image_may_take_longer_before_the_log_speaks(seconds: float, cause: str) -> None:
    assert silence(silent_for=seconds + 0.5, unanswered_for=seconds).cause == cause


@pytest.mark.parametrize(("seconds", "cause"), [(1.1, "silent"), (3.5, "no_job")])
def test_a_network_that_was_given_nothing_to_do_is_not_blamed(seconds: float, cause: str) -> None:
    report = silence(silent_for=seconds)
    assert (report.level, report.cause) == (health.ERROR, cause)
    assert "no image has come to the network" in report.message


def test_work_without_an_image_is_reckoned_from_the_first_job_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, on_thermal_loss="stop")
    bench.at(0).both(0)
    assert bench.session.unanswered is None
    for ms in (100, 200):  # one that comes to nothing, as its size is new
        bench.at(ms).both(ms, rgb=(80, 60 + ms))
    assert bench.session.unanswered == pytest.approx(0.1)
    bench.at(300).both(300, rgb=(80, 260))
    assert bench.session.unanswered is None


@pytest.mark.parametrize("transition", ["configure", "activate"])
def test_a_model_that_cannot_be_loaded_is_reported_with_what_to_do_next(transition: str) -> None:
    report = health.model_report(ModelState(FAILED, "no such file", 1.0), "", transition)
    assert report.message.endswith(f"no such file; set the parameter right and {transition} again")
