"""Pairing through real topics: rates, offsets, supersession, time that goes backwards."""

from __future__ import annotations

import pytest
from harness import Cameras, Rig
from pictures import SECOND, START_S, at, rgb_array, stamp_of, thermal_array
from rosgraph_msgs.msg import Clock
from waiting import Collector, keep_doing, until

from textdifuse_ros.msg import FusionStatus

pytestmark = pytest.mark.ros


def test_a_slow_thermal_camera_sets_the_rate_of_pairs(rig: Rig) -> None:
    """RGB at 60 Hz, thermal at about 9 Hz: each thermal image is fused once, with the nearest RGB image."""
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start({"pairing.max_dt": 0.02})
    cameras = Cameras(rig).ready()
    thermal_at = [111 * k for k in range(1, 8)]
    events = sorted([(t + 0.5, "thermal") for t in thermal_at] + [(1000 / 60 * k, "rgb") for k in range(50)])
    sent = 0
    for moment, camera in events:
        if camera == "thermal":  # in step, so that no pair is superseded
            status.wait_count(max(0, sent - 1))
            sent += 1
        getattr(cameras, camera)(at(moment))
    got = status.wait_count(len(thermal_at) - 1)
    assert all(abs(m.pair_dt_ms) <= 1000 / 60 for m in got)
    stamps = [stamp_of(m) for m in got]
    assert stamps == sorted(set(stamps))
    last = got[-1]
    assert last.dropped_unmatched_thermal <= 1  # two topics arrive in no certain order
    assert last.dropped_invalid == last.dropped_late == last.resets == 0


def test_a_constant_offset_is_corrected_for_pairing_but_not_in_the_stamp(rig: Rig) -> None:
    status, diagnostics = rig.listen("/textdifuse/status", FusionStatus), rig.diagnostics()
    rig.start({"pairing.max_dt": 0.01, "rgb.time_offset": 0.3})
    cameras = Cameras(rig).ready()
    cameras.thermal(at(302))
    cameras.rgb(at(0))
    got = status.wait(lambda m: True)
    assert stamp_of(got) == at(0)
    assert got.pair_dt_ms == pytest.approx(2.0)
    assert rig.set_atomically({"rgb.time_offset": 0.0, "thermal.time_offset": -0.5}).successful
    cameras.thermal(at(900))
    cameras.rgb(at(400))
    assert status.wait(lambda m: stamp_of(m) == at(400)).pair_dt_ms == pytest.approx(0.0)
    diagnostics.wait("pairing", "<=")


def test_pairing_max_dt_changes_live(rig: Rig) -> None:
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start({"pairing.max_dt": 0.01})
    cameras = Cameras(rig).ready()
    cameras.rgb(at(0))
    cameras.thermal(at(30))
    cameras.pair(at(100))
    assert stamp_of(status.wait(lambda m: True)) == at(100)  # the first two did not pair
    assert rig.set(pairing__max_dt=0.05).successful
    cameras.rgb(at(200))
    cameras.thermal(at(230))
    assert stamp_of(status.wait_count(2)[1]) == at(200)


def test_with_a_model_slower_than_the_cameras_only_the_newest_pair_is_fused(rig: Rig) -> None:
    """Stamps are of now: each output is younger than one model time and two frame periods, at the end as at
    the beginning, and the pairs in between are counted as superseded."""
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start({"steps": 4})
    cameras = Cameras(rig).ready()
    period_ms = 20
    pictures = [(rgb_array(i, 320, 240), thermal_array(i, 320, 240)) for i in range(4)]
    clock = rig.probe.get_clock()

    def send(i: int) -> None:
        rgb, thermal = pictures[i % 4]
        stamp = clock.now().nanoseconds
        cameras.thermal(stamp, thermal)
        cameras.rgb(stamp, rgb)

    last = keep_doing(send, status, lambda m: m.frames_published == 30)
    messages = status.messages[: last.frames_published]
    assert last.dropped_superseded > 0
    # the worker took the newest pair each time: it waited less than two periods, whatever the load
    slowest = max(m.total_ms for m in messages)
    late = [m for m in messages[1:] if m.age_ms > slowest + m.total_ms + 2 * period_ms]
    assert len(late) <= 1, [(m.age_ms, m.wait_ms, m.total_ms) for m in late]
    first, second = messages[5:15], messages[-10:]
    assert min(m.age_ms for m in second) < 2 * max(m.age_ms for m in first) + 2 * period_ms  # no lag grows


def loop(cameras: Cameras, status: Collector[FusionStatus], stamps: list[int]) -> None:
    for stamp in stamps:
        cameras.pair(stamp)
        since = status.mark()
        if stamp != stamps[0]:
            status.wait(lambda m, s=stamp: stamp_of(m) == s, max(0, since - 1))


def test_a_looped_bag_is_fused_again_after_one_frame(rig: Rig) -> None:
    status, diagnostics = rig.listen("/textdifuse/status", FusionStatus), rig.diagnostics()
    rig.start()
    cameras = Cameras(rig).ready()
    stamps = [at(100 * k) for k in range(60)]  # six seconds of recording
    for stamp in stamps[:2] + stamps[-3:]:
        cameras.pair(stamp)
        status.wait(lambda m, s=stamp: stamp_of(m) == s)
    since = status.mark()
    for stamp in stamps[:4]:  # the bag begins again
        cameras.pair(stamp)
    again = status.wait(lambda m: stamp_of(m) == stamps[3], since)
    assert again.resets == 1
    assert again.dropped_late == 0
    published = {stamp_of(m) for m in status.messages[since:]}
    assert published <= set(stamps[1:4])
    diagnostics.wait("output", resets="1")


def test_a_clock_reset_with_simulated_time_starts_pairing_again(rig: Rig) -> None:
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start({"use_sim_time": True})
    clock = rig.wait_subscribed("/clock", Clock)
    cameras = Cameras(rig).ready()

    def tick(second: float) -> int:
        stamp = START_S * SECOND + round(second * SECOND)
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(stamp, SECOND)
        clock.publish(message)
        return stamp

    def run(begin: float) -> FusionStatus:
        """A camera whose stamps are the simulated time, until it is fused with a clock that runs."""
        return keep_doing(
            lambda i: cameras.pair(tick(begin + 0.04 * i)),
            status,
            lambda m: begin <= stamp_of(m) / SECOND - START_S < begin + 30 and abs(m.age_ms) < 10_000,
        )

    first = run(100.0)
    assert first.resets == 0
    assert -1000 < first.age_ms < 10_000
    second = run(1.0)
    assert second.resets >= 1
    assert -1000 < second.age_ms < 10_000
    until(lambda: rig.state() == "active", "the node to be alive")
