"""Newest-pair matching: what is paired, what is dropped and under which cause."""

import re

import pytest
from pairing_frames import MS, at, feed, matcher

from textdifuse_ros.pairing import PairMatcher


def stream(*cameras: tuple[str, float, float, float], seconds: float = 4.0) -> list[tuple[str, float]]:
    """Frames of cameras (name, rate Hz, first stamp ms, transport ms) in order of arrival, as (name, ms)."""
    frames = []
    for name, rate, first, transport in cameras:
        stamps = [first + i * 1000.0 / rate for i in range(int(seconds * rate))]
        frames += [(stamp + transport, name, stamp) for stamp in stamps]
    return [(name, stamp) for _, name, stamp in sorted(frames)]


def run(pairing: PairMatcher, frames: list[tuple[str, float]]) -> list[int]:
    """Play the frames to an idle consumer; distances of the pairs in nanoseconds."""
    distances = []
    for name, stamp in frames:
        (pairing.add_rgb if name == "r" else pairing.add_thermal)(at(stamp), None)
        pair = pairing.take()
        if pair:
            distances.append(pair.dt_ns)
    return distances


def test_frames_within_max_dt_become_a_pair_at_once():
    assert feed(matcher(), "r0 t5") == [(0, 5)]


def test_the_distance_of_a_pair_is_thermal_minus_rgb():
    pairing = matcher()
    pairing.add_rgb(at(0), "r")
    pairing.add_thermal(at(7), "t")
    pair = pairing.take()
    assert pair is not None and pair.dt_ns == 7 * MS
    assert (pair.rgb_stamp_ns, pair.thermal_stamp_ns) == (at(0), at(7))


def test_the_limit_itself_still_matches_and_a_nanosecond_more_does_not():
    for extra, expected in ((0, 1), (1, 0)):
        pairing = matcher()
        pairing.add_rgb(at(0), None)
        pairing.add_thermal(at(20) + extra, None)
        assert pairing.waiting == expected


def test_the_nearest_of_several_candidates_is_taken():
    pairing = matcher(max_dt=0.05)
    for stamp in (0, 16, 33, 50):
        pairing.add_rgb(at(stamp), stamp)
    pairing.add_thermal(at(30), None)
    pair = pairing.take()
    assert pair is not None and pair.rgb == 33


def test_a_newer_pair_replaces_the_waiting_one_and_is_counted():
    pairing = matcher()
    for stamp in (0, 33, 66):
        pairing.add_rgb(at(stamp), stamp)
        pairing.add_thermal(at(stamp), stamp)
        assert pairing.waiting == 1
    pair = pairing.take()
    assert pair is not None and (pair.rgb, pair.thermal) == (66, 66)
    assert pairing.take() is None
    assert pairing.counters["superseded"] == 2


def test_a_frame_is_never_used_twice():
    pairing = matcher()
    assert feed(pairing, "r0 t1 t2 t3 r100 t100") == [(0, 1), (100, 100)]
    assert pairing.counters["unmatched_thermal"] == 2


def test_a_slow_thermal_camera_sets_the_rate_of_pairs():
    pairing = matcher()
    distances = run(pairing, stream(("r", 60, 0, 5), ("t", 9, 4, 5)))
    assert len(distances) == 36
    assert pairing.counters["unmatched_thermal"] == 0
    assert pairing.counters["unmatched_rgb"] == 240 - 36 - pairing.buffered["rgb"]


def test_late_transport_of_one_camera_does_not_worsen_the_match():
    distances = run(matcher(), stream(("r", 30, 0, 5), ("t", 30, 2, 180)))
    assert len(distances) == 120
    assert set(distances) == {2 * MS}


@pytest.mark.parametrize("lead", [("r", 0.0, 8.0), ("t", 8.0, 0.0)])
def test_two_fast_cameras_do_not_stay_locked_one_frame_apart(lead):
    # 60 Hz has a period shorter than max_dt: the first pair may join neighbours, it must not go on like that.
    _, rgb_transport, thermal_transport = lead
    frames = stream(("r", 60, 0, rgb_transport), ("t", 60, 0, thermal_transport))
    frames = [f for f in frames if f != ("t", 0.0)]
    distances = run(matcher(), frames)
    assert all(d == 0 for d in distances[8:])
    assert len(distances) > 220


def test_a_much_nearer_frame_that_is_due_is_waited_for():
    pairing = matcher(max_dt=0.03)
    feed(pairing, "r0 r30 r60 r90 r120 r150 r180")
    assert feed(pairing, "t205") == []  # r180 would do, but r210 is due
    assert feed(pairing, "r211") == [(211, 205)]


def test_waiting_for_a_nearer_frame_ends_with_the_next_frame_of_either_camera():
    pairing = matcher(max_dt=0.03)
    feed(pairing, "r0 r30 r60 r90 r120 r150 r180")
    assert feed(pairing, "t205 t300") == [(180, 205)]  # r210 did not come: make do


def test_offsets_are_added_to_the_stamps_of_their_camera():
    pairing = matcher(thermal_offset=0.1)
    assert feed(pairing, "r100 t0") == [(100, 0)]
    pairing = matcher(rgb_offset=-0.1)
    assert feed(pairing, "r100 t0") == [(100, 0)]


def test_offsets_and_max_dt_change_while_frames_are_waiting():
    pairing = matcher()
    assert feed(pairing, "r0 t50") == []
    pairing.thermal_offset = -0.05
    assert feed(pairing, "r33 t83") == [(33, 83)]
    pairing.thermal_offset = 0.0
    pairing.max_dt = 0.06
    assert feed(pairing, "r140 t165") == [(140, 165)]
    assert pairing.counters["reset"] == 0


def test_a_frame_older_than_the_last_taken_one_is_late():
    pairing = matcher()
    feed(pairing, "r100 t100")
    feed(pairing, "r50 t60")
    assert pairing.counters["late"] == 2
    assert feed(pairing, "r133 t133") == [(133, 133)]


def test_the_same_stamp_twice_is_a_duplicate():
    pairing = matcher()
    feed(pairing, "r0 r0 t0 t0 r0")
    assert pairing.counters["duplicate"] == 3


def test_a_camera_that_sends_every_frame_twice_is_paired_all_the_same():
    pairing = matcher()
    pairs = feed(pairing, " ".join(f"r{i * 33} r{i * 33} t{i * 33} t{i * 33}" for i in range(50)))
    assert len(pairs) == 50
    assert pairing.counters["duplicate"] == 100
    assert pairing.counters["reset"] == 0


def test_a_stamp_that_stands_still_is_counted_and_never_resets():
    pairing = matcher()
    feed(pairing, " ".join(["r100"] * 50))
    assert pairing.counters["duplicate"] == 49
    assert pairing.counters["reset"] == 0


def test_the_cause_of_a_stamp_that_leaves_nothing_to_do_is_returned():
    pairing = matcher()
    assert pairing.add_rgb(at(100), "r") == ""
    assert pairing.add_rgb(at(100), "r") == "duplicate"
    assert pairing.add_thermal(at(100), "t") == ""
    pairing.take()
    assert pairing.add_thermal(at(50), "t") == "late"
    assert pairing.add_thermal(0, "t") == "invalid"


def test_stale_frames_are_counted_from_the_latest_pair_on():
    pairing = matcher()
    feed(pairing, "r0 r0 t0 t0 r33")
    assert pairing.stale_since_pair == 1  # t0 came after the pair, r0 before it
    feed(pairing, "r33 r33 t-20")
    assert pairing.stale_since_pair == 4
    feed(pairing, "t33")
    assert pairing.stale_since_pair == 0


def test_frames_out_of_order_are_still_paired():
    assert feed(matcher(), "r66 r33 t30") == [(33, 30)]


@pytest.mark.parametrize("stamp", [0, -1, -(2**63)])
def test_a_stamp_of_zero_or_less_is_invalid_and_harmless(stamp):
    pairing = matcher()
    pairing.add_rgb(stamp, None)
    pairing.add_thermal(stamp, None)
    assert pairing.counters["invalid"] == 2
    assert feed(pairing, "r0 t0") == [(0, 0)]


@pytest.mark.parametrize("camera", ["r", "t"])
@pytest.mark.parametrize("ahead_s", [0.9, 5.0, 5.5e9])  # 5.5e9 s: the year 2200
def test_one_absurd_stamp_from_the_future_costs_at_most_one_pair(camera, ahead_s):
    pairing = matcher()
    feed(pairing, "r0 t1 r33 t34 r66 t67")
    assert feed(pairing, f"{camera}{67 + ahead_s * 1000}") == []
    pairs = feed(pairing, "r100 t101 r133 t134 r166 t167")
    assert pairs[-2:] == [(133, 134), (166, 167)]
    assert pairing.counters["reset"] == 0


def test_a_whole_pair_from_the_future_is_recovered_from_with_one_reset():
    pairing = matcher()
    far = 5.5e12
    assert len(feed(pairing, f"r0 t1 r{far} t{far}")) == 2
    assert feed(pairing, "r33 t34 r66 t67") == [(33, 34), (66, 67)]
    assert pairing.counters["reset"] == 1


@pytest.mark.parametrize("first", ["rt", "tr"])
def test_a_looped_bag_counts_one_reset_and_goes_on(first):
    pairing = matcher()
    a, b = first
    once = " ".join(f"{a}{i * 33} {b}{i * 33}" for i in range(100))
    for loop in range(3):
        assert len(feed(pairing, once)) == 100
        assert pairing.counters["reset"] == loop
    assert "jumped back by" in pairing.last_reset


def test_frames_of_the_old_loop_still_in_flight_do_not_count_as_another_reset():
    pairing = matcher()
    feed(pairing, " ".join(f"r{i * 33} t{i * 33}" for i in range(100)))
    assert feed(pairing, "r3300 r0 t3300 r33 t0 t33 r66 t66 r99 t99")[-2:] == [(66, 66), (99, 99)]
    assert pairing.counters["reset"] == 1


def test_a_loop_shorter_than_the_jump_is_noticed():
    pairing = matcher()
    once = " ".join(f"r{i * 33} t{i * 33}" for i in range(20))
    feed(pairing, once)
    for _ in range(3):
        assert len(feed(pairing, once)) >= 15
    assert pairing.counters["reset"] == 3


def test_a_pause_of_both_cameras_is_no_reset():
    pairing = matcher()
    assert feed(pairing, "r0 t0 r60000 t60000") == [(0, 0), (60000, 60000)]
    assert pairing.counters["reset"] == 0


def test_a_reset_from_outside_forgets_frames_and_the_waiting_pair():
    pairing = matcher()
    pairing.add_rgb(at(1000), None)
    pairing.add_thermal(at(1000), None)
    pairing.add_rgb(at(1033), None)
    pairing.reset("clock was set back")
    assert pairing.take() is None
    assert pairing.counters["reset"] == 1 and pairing.last_reset == "clock was set back"
    assert pairing.counters["superseded"] == 1 and pairing.counters["unmatched_rgb"] == 1
    assert feed(pairing, "r0 t0") == [(0, 0)]


def test_buffers_stay_bounded_while_the_other_camera_is_silent():
    pairing = matcher(capacity=16, horizon=100.0)
    run(pairing, stream(("r", 60, 0, 0), seconds=20))
    assert pairing.buffered == {"rgb": 16, "thermal": 0}
    assert pairing.counters["unmatched_rgb"] == 1200 - 16


def test_old_frames_are_let_go_by_age_as_well():
    pairing = matcher(horizon=0.5)
    run(pairing, stream(("r", 9, 0, 0), seconds=5))
    assert pairing.buffered["rgb"] <= 5


def test_rates_come_from_the_stamps_and_ignore_a_pause():
    pairing = matcher()
    run(pairing, stream(("r", 30, 0, 0), ("t", 9, 0, 0)))
    run(pairing, stream(("r", 30, 60000, 0), seconds=0.3))
    assert pairing.rates["rgb"] == pytest.approx(30.0, rel=0.01)
    assert pairing.rates["thermal"] == pytest.approx(9.0, rel=0.01)
    assert pairing.last_stamps["rgb"] == at(60000 + 8 * 1000 / 30)


def test_a_camera_that_sends_seldom_has_a_rate_as_well():
    pairing = matcher()
    run(pairing, stream(("r", 30, 0, 0), ("t", 0.8, 0, 0), seconds=10))
    assert pairing.rates["thermal"] == pytest.approx(0.8)


def test_the_explanation_names_what_is_missing():
    pairing = matcher()
    assert pairing.explain() == "no rgb frame yet, no thermal frame yet"
    run(pairing, stream(("r", 30, 0, 0)))
    assert pairing.explain() == "rgb 30.0 Hz, no thermal frame yet"
    pairing.add_thermal(0, None)
    assert pairing.explain() == "rgb 30.0 Hz, 1 thermal frames but none with a usable stamp"


def test_the_explanation_says_what_to_do_when_nothing_matches():
    pairing = matcher()
    run(pairing, stream(("r", 9, 0, 0), ("t", 9, 48, 0)))
    assert pairing.explain() == (
        "rgb 9.0 Hz, thermal 9.0 Hz, nearest dt 48 ms > pairing.max_dt 20 ms: "
        "raise pairing.max_dt or set thermal.time_offset -0.048"
    )


def test_the_advised_offset_makes_shifted_clocks_match():
    pairing = matcher()
    shift = -5000.0  # the thermal clock is five seconds behind
    frames = [
        (name, stamp + (shift if name == "t" else 0))
        for name, stamp in stream(("r", 30, 0, 0), ("t", 9, 0, 1))
    ]
    assert run(pairing, frames) == []
    text = pairing.explain()
    assert "thermal stamps are" in text and "behind rgb, synchronise the clocks" in text
    pairing.thermal_offset = float(text.rsplit(" ", 1)[1])
    later = [(name, stamp + 4000) for name, stamp in frames]
    assert len(run(pairing, later)) >= 30


@pytest.mark.parametrize(
    ("clock", "delivery", "words"),
    [
        (2000.0, 0.0, "2000 ms ahead of"),
        (-2000.0, 0.0, "2000 ms behind"),
        (1500.0, 0.0, "1500 ms ahead of"),
        (0.0, 1500.0, r"15\d\d ms behind"),
    ],
)
def test_a_distance_that_no_pair_can_have_is_never_called_the_nearest(clock, delivery, words):
    pairing = matcher()
    late = delivery - clock  # stream() reckons the transport from the stamp
    frames = stream(("r", 30, 0, 0), ("t", 30, clock, late), seconds=10)
    told = []
    for frame in frames[:500]:  # both send to the end
        assert run(pairing, [frame]) == []
        if pairing.nearest_dt_ns is not None:
            told.append(abs(pairing.nearest_dt_ns))
    assert len(told) > 400
    assert min(told) >= 300 * MS
    assert re.search(f"thermal stamps are {words} rgb", pairing.explain())


@pytest.mark.parametrize(("clock", "advised"), [(-9000.0, True), (11_000.0, False), (-3_600_000.0, False)])
def test_no_offset_is_advised_that_the_parameter_refuses(clock, advised):
    pairing = matcher()
    run(pairing, stream(("r", 30, 0, 0), ("t", 30, clock, -clock)))
    text = pairing.explain()
    assert "synchronise the clocks" in text
    assert ("set thermal.time_offset 9.000" in text) == advised == ("time_offset" in text)


def test_the_explanation_is_content_when_frames_match():
    pairing = matcher()
    run(pairing, stream(("r", 30, 0, 0), ("t", 30, 3, 0)))
    assert pairing.explain() == "rgb 30.0 Hz, thermal 30.0 Hz, nearest dt 3 ms <= pairing.max_dt 20 ms"


def test_a_silent_camera_is_not_mistaken_for_a_wrong_clock():
    pairing = matcher()
    run(pairing, stream(("r", 30, 0, 0), ("t", 30, 3, 0)))
    run(pairing, stream(("r", 30, 4000, 0), seconds=30))
    assert abs(pairing.nearest_dt_ns or 0) < 1000 * MS


@pytest.mark.parametrize(
    "settings",
    [
        {"max_dt": -0.1},
        {"max_dt": float("nan")},
        {"capacity": 0},
        {"jump": 0.0},
        {"rgb_offset": float("inf")},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError):
        matcher(**settings)
