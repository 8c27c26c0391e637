"""SIGINT and SIGTERM end the node with code 0 at any moment."""

from __future__ import annotations

import random
import signal
import time

import pytest
from harness import Cameras, Rig
from pictures import at
from sensor_msgs.msg import Image
from waiting import keep_doing, until

pytestmark = pytest.mark.ros

SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}


@pytest.mark.parametrize("name", SIGNALS)
def test_at_random_moments_of_start_up(rig: Rig, name: str) -> None:
    """From the first moment at which the process has its handlers: imports, construction, model loading."""
    moments = random.Random(20250 + SIGNALS[name])
    for index in range(7):
        process = rig.start()
        until(process.handles_sigterm, "the handlers")
        # any moment will do; the first comes at once, the others spread over the start-up
        time.sleep(0.0 if index == 0 else moments.uniform(0.0, 1.6))
        assert process.stop(SIGNALS[name]) == 0, process.output()
        assert "Traceback" not in process.output()


@pytest.mark.parametrize("name", SIGNALS)
def test_while_it_fuses(rig: Rig, name: str) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    process = rig.start({"steps": 4})
    cameras = Cameras(rig).ready()
    keep_doing(lambda i: cameras.pair(at(20 * i)), fused, lambda m: True)
    for i in range(5):
        cameras.pair(at(10_000 + 20 * i))
    assert process.stop(SIGNALS[name]) == 0
    assert "Traceback" not in process.output()


def test_both_signals_one_after_the_other(rig: Rig) -> None:
    process = rig.start()
    rig.wait_state("active")
    process.kill(signal.SIGINT)
    process.kill(signal.SIGTERM)
    assert process.wait() == 0


def test_while_a_transition_waits_for_the_model(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    process = rig.start({"diagnostics_period": 0.1}, gate=rig.gate())
    diagnostics.wait("model", "loading", since=0)
    assert process.stop(signal.SIGTERM) == 0
    assert "Traceback" not in process.output()
