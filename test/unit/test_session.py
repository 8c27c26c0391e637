"""From images that arrive to what is published: stamps that stand still, outages, sizes that change."""

from __future__ import annotations

import re

import pytest
from session_bench import Bench, found

from textdifuse_ros.imaging import compressed
from textdifuse_ros.nodes import health
from textdifuse_ros.nodes.loss import CAMERAS, RGB, THERMAL, other

PASS = {THERMAL: "pass_rgb", RGB: "pass_thermal"}


# -- a stamp that stands still


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_camera_whose_stamp_stands_still_is_lost_and_the_other_goes_on_alone(
    monkeypatch: pytest.MonkeyPatch, camera: str
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(0, 500, 100):
        bench.at(ms).both(ms)
    for ms in range(500, 3000, 100):
        bench.at(ms).send(camera, 400)
        bench.send(other(camera), ms)
    assert bench.modes[-10:] == [PASS[camera]] * 10
    lost = bench.loss(camera)
    assert lost is not None and lost.kind == "unusable" and "its stamp stands still" in lost.detail
    assert bench.loss(other(camera)) is None
    assert f"no usable {camera} image" in bench.reports()[camera].message
    assert bench.session.mailbox.view().counters["duplicate"] == 25
    for ms in (3000, 3100, 3200):
        bench.at(ms).both(ms)
    assert bench.published[-1] == ("fused", 3200)
    assert bench.drops == []


def test_diagnostics_name_the_stamp_and_not_the_network_where_nothing_goes_on_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, on_thermal_loss="stop")
    bench.at(0).both(0)
    for ms in range(100, 2000, 100):
        bench.at(ms).send(THERMAL, 0)
        bench.send(RGB, ms)
    assert bench.modes == ["fused"]
    reports = bench.reports()
    assert (reports["pairing"].level, reports["pairing"].cause) == (health.ERROR, "stale_stamps")
    assert "19 images had the stamp of an earlier one" in reports["pairing"].message
    assert "its stamp stands still" in reports["output"].message
    assert "network" not in reports["output"].message


def test_stamps_that_go_to_and_fro_are_no_images_either(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    for ms in (0, 100):
        bench.at(ms).both(ms)
    for ms in range(200, 3000, 100):
        bench.at(ms).send(THERMAL, ms // 100 % 2 * 100)
        bench.send(RGB, ms)
    assert bench.modes[-10:] == ["pass_rgb"] * 10


def test_a_camera_alone_whose_stamp_stands_still_is_not_published_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(1100, 1500, 100):
        bench.at(ms).send(RGB, ms)
    for ms in range(1500, 3000, 100):
        bench.at(ms).send(RGB, 1400)
    assert bench.published == [("pass_rgb", ms) for ms in range(1100, 1500, 100)]
    assert "its stamp stands still" in bench.reports()[RGB].message


def test_a_camera_that_sends_every_image_twice_is_fused_without_complaint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(0, 3000, 100):
        bench.at(ms).both(ms)
        bench.both(ms)
    assert bench.modes == ["fused"] * 30
    assert {report.level for name, report in bench.reports().items() if name != "output"} == {health.OK}


# -- a clock that jumps


@pytest.mark.parametrize("jump_s", [30, -30])
@pytest.mark.parametrize("camera", CAMERAS)
def test_after_a_jump_of_one_clock_the_pairing_is_what_is_wrong_and_not_the_camera(
    monkeypatch: pytest.MonkeyPatch, camera: str, jump_s: int
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(40_000, 41_000, 100):
        bench.at(ms).both(ms)
    for ms in range(41_000, 46_000, 100):
        bench.at(ms).send(other(camera), ms)
        bench.send(camera, ms + 1000 * jump_s)
    reports = bench.reports()
    assert bench.loss(camera) is None and len(bench.drops) == 1
    assert (reports["pairing"].level, reports["pairing"].cause) == (health.ERROR, "no_match")
    side = "ahead of" if (jump_s > 0) == (camera == THERMAL) else "behind"
    assert re.search(rf"thermal stamps are (29\.9|30\.0|30\.1) s {side} rgb", reports["output"].message)
    assert "goes through" not in reports["output"].message
    for ms in range(46_000, 46_500, 100):
        bench.at(ms).both(ms)
    assert bench.published[-1] == ("fused", 46_400)


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_camera_none_of_whose_stamps_is_believed_is_lost_and_the_other_goes_through(
    monkeypatch: pytest.MonkeyPatch, camera: str
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(0, 500, 100):
        bench.at(ms).both(ms)
    for k, ms in enumerate(range(500, 3000, 100)):
        bench.at(ms).send(other(camera), ms)
        bench.send(camera, ms + 100_000 * (k + 1))
    assert bench.modes[-10:] == [PASS[camera]] * 10
    assert "its stamp jumps" in bench.reports()[camera].message


# -- after an outage


def outage(bench: Bench, camera: str = THERMAL) -> None:
    """Two seconds with one camera only, after half a second with both."""
    for ms in range(0, 500, 100):
        bench.at(ms).both(ms)
    for ms in range(500, 2500, 100):
        bench.at(ms).send(other(camera), ms)


@pytest.mark.parametrize("reference", CAMERAS)
@pytest.mark.parametrize("camera", CAMERAS)
def test_a_queue_from_before_the_return_takes_nothing_back_in_time(
    monkeypatch: pytest.MonkeyPatch, camera: str, reference: str
) -> None:
    bench = Bench(monkeypatch, reference=reference)
    outage(bench, camera)
    for ms in range(500, 2500, 100):  # what the link held back
        bench.at(2500).send(camera, ms + 5)
    for ms in range(2500, 3000, 100):
        bench.at(ms).both(ms)
    stamps = [stamp for _, stamp in bench.published]
    assert stamps == sorted(set(stamps))
    assert bench.modes[-5:] == ["fused"] * 5
    counters = bench.session.mailbox.view().counters
    assert counters["reset"] == 0
    assert counters[f"unmatched_{camera}"] == 20
    before_the_loss = 20 - bench.modes.count(PASS[camera])
    assert counters[f"unmatched_{other(camera)}"] == before_the_loss


def test_no_image_waits_for_a_camera_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    outage(bench)
    assert bench.session.mailbox._matcher.buffered == {RGB: 0, THERMAL: 0}


def test_an_older_pair_that_waits_gives_way_to_an_image_that_goes_on_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch)
    monkeypatch.setattr(bench.session, "_do", lambda job: None)
    ready = bench.session.mailbox._ready
    monkeypatch.setattr(bench.session.mailbox, "_ready", lambda: None)  # the worker is busy
    bench.at(0).both(0)
    bench.at(1500).send(RGB, 1500)
    job = ready()
    assert job is not None and job.thermal is None
    assert ready() is None
    assert bench.session.mailbox.view().counters["superseded"] == 1


def test_a_bag_that_loops_while_a_camera_is_lost_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    outage(bench)
    for ms in range(0, 1000, 100):
        bench.at(2500 + ms).send(RGB, ms)
    assert bench.published[-9:] == [("pass_rgb", ms) for ms in range(100, 1000, 100)]
    assert len(bench.drops) == 1  # the first stamp of the jump
    assert bench.session.mailbox.view().counters["reset"] == 1
    for ms in (1000, 1100, 1200):
        bench.at(2500 + ms).both(ms)
    assert bench.published[-1] == ("fused", 1200)


# -- a camera that sends further apart than the time-out


@pytest.mark.parametrize("leads", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("camera", CAMERAS)
def test_a_camera_that_sends_too_seldom_takes_no_image_from_the_other(
    monkeypatch: pytest.MonkeyPatch, camera: str, leads: bool
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(0, 300, 100):
        bench.at(ms).both(ms)
    for ms in range(300, 10_000, 100):
        now = [camera] if ms % 1300 == 0 else []
        for name in (*now, other(camera)) if leads else (other(camera), *now):
            bench.at(ms).send(name, ms)
    alone = [(PASS[camera], ms) for ms in range(1400, 10_000, 100)]
    assert bench.published[-len(alone) :] == alone
    reports = bench.reports()
    assert (reports[camera].level, reports[camera].cause) == (health.WARN, "seldom")
    assert f"{camera} sends 0.77 Hz, further apart than loss_timeout 1 s" in reports[camera].message
    assert f"on_{camera}_loss is pass" in reports[camera].message
    assert f"{camera} sends too seldom" in reports["output"].message
    assert reports["pairing"].level == health.OK


def test_a_camera_that_sent_too_seldom_is_fused_again_from_its_second_image_in_time_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(0, 5200, 100):
        bench.at(ms).send(RGB, ms)
        if ms % 1300 == 0:
            bench.send(THERMAL, ms)
    for ms in range(5200, 5600, 100):
        bench.at(ms).both(ms)
    assert bench.modes[-4:] == ["pass_rgb", "pass_rgb", "fused", "fused"]
    assert bench.reports()[THERMAL].level == health.OK


def test_two_cameras_that_come_anew_together_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    for ms in range(5000, 5500, 100):
        bench.at(ms).both(ms)
    assert bench.modes == ["pass_rgb"] + 4 * ["fused"]


def test_one_outage_is_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    outage(bench)
    bench.at(2500).both(2500)
    assert bench.session.monitor.spacing(THERMAL, bench.now) is None
    bench.at(20_000).send(RGB, 20_000)
    assert "no thermal image on /thermal for 17.5 s" in bench.reports()[THERMAL].message


def test_with_the_policy_stop_a_camera_that_sends_too_seldom_sets_the_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, on_thermal_loss="stop")
    for ms in range(0, 5300, 100):
        bench.at(ms).send(RGB, ms)
        if ms % 1300 == 0:
            bench.send(THERMAL, ms)
    assert bench.modes == 5 * ["fused"]
    assert "nothing is published" not in bench.reports()[THERMAL].message


# -- sizes


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_camera_that_alternates_sizes_is_lost_and_the_other_goes_through(
    monkeypatch: pytest.MonkeyPatch, camera: str
) -> None:
    bench = Bench(monkeypatch)
    for ms in range(0, 3000, 100):
        bench.at(ms).both(ms, **{camera: (64, 48 + ms // 100 % 2)})
    assert bench.modes[-10:] == [PASS[camera]] * 10
    assert "changed from" in bench.reports()[camera].message


@pytest.mark.parametrize("camera", CAMERAS)
def test_one_change_of_size_costs_one_image(monkeypatch: pytest.MonkeyPatch, camera: str) -> None:
    bench = Bench(monkeypatch)
    for ms in range(0, 500, 100):
        bench.at(ms).both(ms)
    for ms in range(500, 1000, 100):
        bench.at(ms).both(ms, **{camera: (80, 60)})
    assert [stamp for _, stamp in bench.published] == [0, 100, 200, 300, 400, 600, 700, 800, 900]
    assert set(bench.modes) == {"fused"}
    assert [(drop.camera, drop.cause) for drop in bench.drops] == [(camera, "size_change")]


@pytest.mark.parametrize("png", [False, True], ids=["raw", "compressed"])
@pytest.mark.parametrize("camera", CAMERAS)
def test_an_image_beyond_max_megapixels_is_refused_before_anything_is_made_of_it(
    monkeypatch: pytest.MonkeyPatch, camera: str, png: bool
) -> None:
    bench = Bench(monkeypatch, max_megapixels=0.1)
    bench.at(0).both(0)
    with monkeypatch.context() as inside:
        inside.delattr(compressed.cv2, "imdecode")
        bench.at(100).send(camera, 100, (400, 300), png)
        bench.send(other(camera), 100)
    (drop,) = bench.drops
    assert (drop.camera, drop.cause) == (camera, "size")
    for part in ("400x300", "0.12 megapixels", "max_megapixels 0.1", "binning", "image_proc resize"):
        assert part in drop.text
    bench.at(200).both(200)
    assert bench.published == [("fused", 0), ("fused", 200)]


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_camera_of_too_large_images_is_lost_and_the_other_goes_through(
    monkeypatch: pytest.MonkeyPatch, camera: str
) -> None:
    bench = Bench(monkeypatch, max_megapixels=0.1)
    for ms in range(0, 2000, 100):
        bench.at(ms).both(ms, **{camera: (400, 300)})
    assert bench.modes[-5:] == [PASS[camera]] * 5
    assert "raise max_megapixels" in bench.reports()[camera].message


def test_an_image_of_just_max_megapixels_is_taken_and_the_limit_changes_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, max_megapixels=0.12)
    bench.at(0).both(0, rgb=(400, 300))
    bench.settings = bench.settings.changed({"max_megapixels": 0.11})
    bench.at(100).both(100, rgb=(400, 300))
    bench.settings = bench.settings.changed({"max_megapixels": 4.0})
    bench.at(200).both(200, rgb=(400, 300))
    assert [stamp for _, stamp in bench.published] == [0, 200]


@pytest.mark.parametrize("reference", CAMERAS)
def test_registered_into_the_other_frame_no_image_is_larger_than_one_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    bench = Bench(monkeypatch, max_megapixels=0.1, reference=reference)
    sizes = {RGB: (320, 240), THERMAL: (80, 60)}
    bench.at(0).both(0, **sizes)
    assert bench.sizes == [sizes[reference]]


def test_what_the_rgb_image_gives_away_settles_over_the_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.at(0).both(0)
    bench.fuser.found = found(0.2)
    bench.at(40).both(40)
    assert 0 < bench.fuser.settled[-1] < 0.05
    assert bench.session.repaired == {"low_light": bench.fuser.settled[-1]}


def test_a_recording_that_starts_anew_settles_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.at(0).both(400)
    bench.session.time_jumped_back()
    bench.fuser.found = found(0.2)
    bench.at(40).both(440)
    assert bench.fuser.settled[-1] == 0.2
