"""The managed node: by hand, again, with weights that are not there, and what is released."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Cameras, Rig
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from pictures import at, stamp_of
from sensor_msgs.msg import Image
from waiting import until

from textdifuse_ros.msg import FusionStatus

pytestmark = pytest.mark.ros


def test_without_autostart_the_node_waits_for_the_lifecycle_services(rig: Rig) -> None:
    fused, diagnostics = rig.listen("/fused/image_raw", Image), rig.diagnostics()
    rig.start({"autostart": False})
    assert rig.state() == "unconfigured"
    diagnostics.wait("output", "not active", level=3)
    assert rig.probe.count_subscribers("/rgb/image_raw") == 0
    assert rig.change_state("configure")
    assert rig.state() == "inactive"
    diagnostics.wait("model", "ready", level=0)
    assert rig.change_state("activate")
    assert rig.state() == "active"
    cameras = Cameras(rig).ready()
    cameras.pair(at(0))
    fused.wait(lambda m: stamp_of(m) == at(0))


def test_deactivate_releases_the_model_and_activate_fuses_again(rig: Rig) -> None:
    status, diagnostics = rig.listen("/textdifuse/status", FusionStatus), rig.diagnostics()
    rig.listen("/fused/image_raw", Image)
    rig.start()
    for round_ in range(3):
        cameras = Cameras(rig).ready()
        for k in range(2):
            stamp = at(1000 * round_ + 40 * k)
            cameras.pair(stamp)
            got = status.wait(lambda m, s=stamp: stamp_of(m) == s)
        assert got.frames_published == 2  # counted from the activation on
        assert rig.change_state("deactivate")
        assert rig.state() == "inactive"
        diagnostics.wait("model", "released", level=3)
        rig.wait_unsubscribed("/rgb/image_raw", "/thermal/image_raw")
        assert rig.change_state("activate")
    assert rig.change_state("deactivate")
    assert rig.change_state("cleanup")
    assert rig.state() == "unconfigured"
    assert rig.change_state("configure") and rig.change_state("activate")


def test_a_start_up_parameter_changes_while_inactive_and_holds_after_activation(rig: Rig) -> None:
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start()
    rig.wait_state("active")
    assert not rig.set(reference="thermal").successful
    assert rig.change_state("deactivate")
    assert rig.set(reference="thermal").successful
    assert rig.change_state("activate")
    cameras = Cameras(rig).ready()
    cameras.pair(at(0))
    assert status.wait(lambda m: True).header.frame_id == "thermal_optical_frame"


def test_missing_weights_fail_configure_with_the_reason_and_the_node_lives_on(
    rig: Rig, tmp_path: Path
) -> None:
    diagnostics = rig.diagnostics()
    missing = str(tmp_path / "nowhere.safetensors")
    process = rig.start({"weights": missing})
    report = diagnostics.wait("model", "nowhere.safetensors", level=2)
    assert "cannot be loaded" in report.message
    assert "nowhere.safetensors" in diagnostics.wait("output", "configure failed", level=2).message
    assert rig.state() == "unconfigured"
    assert not rig.change_state("configure")
    assert "nowhere.safetensors" in process.output()
    assert rig.set(weights="").successful
    assert rig.change_state("configure")
    assert rig.change_state("activate")
    diagnostics.wait("model", "ready", level=0)


def test_weights_that_are_no_weights_fail_configure(rig: Rig, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.safetensors"
    rubbish.write_bytes(b"not a safetensors file" * 100)
    diagnostics = rig.diagnostics()
    rig.start({"weights": str(rubbish)})
    diagnostics.wait("model", "rubbish.safetensors", level=2)
    assert rig.state() == "unconfigured"


def test_a_qos_override_that_means_nothing_is_named(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    process = rig.start({"qos_overrides./rgb/image_raw.subscription.reliability": "perhaps"})
    diagnostics.wait("output", "perhaps", level=2)
    assert rig.state() == "unconfigured"
    until(lambda: "perhaps" in process.output(), "the log")


def test_the_shutdown_transition_finalises_the_node(rig: Rig) -> None:
    process = rig.start()
    rig.wait_state("active")
    assert rig.change_state("shutdown")
    assert rig.state() == "finalized"
    until(lambda: rig.probe.count_subscribers("/rgb/image_raw") == 0, "the subscriptions to be gone")
    assert process.stop() == 0


def test_a_transition_that_the_state_does_not_have_is_refused_at_once(rig: Rig) -> None:
    process = rig.start({"autostart": False})
    assert not rig.change_state("activate")
    by_number = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_ACTIVATE))
    assert not rig.call("/textdifuse/change_state", ChangeState, by_number).success
    assert "not possible in the state unconfigured" in process.output()
    assert rig.state() == "unconfigured"
    assert rig.change_state("configure") and rig.change_state("activate")
