"""Pairing under arbitrary input: nothing is lost uncounted, nothing is out of order, nothing grows."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from textdifuse_ros.pairing import PairMatcher

MS = 1_000_000
START = 1_700_000_000_000 * MS


@dataclass(frozen=True)
class Frame:
    """Item given to the matcher; identity tells whether one is used twice."""

    camera: str
    stamp_ns: int
    number: int


# Mostly ordinary steps, some backwards, some far, some absurd absolute stamps.
steps = st.one_of(
    st.integers(1, 120).map(lambda ms: ("by", ms * MS)),
    st.integers(-50, 50).map(lambda ms: ("by", ms * MS)),
    st.integers(-3000, 3000).map(lambda ms: ("by", ms * MS)),
    st.sampled_from([0, -1, 1, 2**62, START // 2]).map(lambda ns: ("to", ns)),
)
events = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("rt"), steps),
        st.tuples(st.sampled_from("RT"), steps),  # used alone
        st.tuples(st.just("take"), st.none()),
        st.tuples(st.just("reset"), st.none()),
        st.tuples(st.just("max_dt"), st.sampled_from([0.0, 0.005, 0.02, 0.5])),
        st.tuples(st.just("offset"), st.sampled_from([-1.0, -0.01, 0.0, 0.05])),
    ),
    max_size=120,
)
matchers = st.builds(
    PairMatcher,
    st.sampled_from([0.001, 0.02, 0.1, 1.0]),
    rgb_offset=st.sampled_from([0.0, 0.03, -2.0]),
    thermal_offset=st.sampled_from([0.0, -0.015]),
    capacity=st.sampled_from([1, 3, 32]),
)


def check_accounts(matcher: PairMatcher) -> None:
    """Every frame received has exactly one whereabouts."""
    c, buffered = matcher.counters, matcher.buffered
    paired = matcher.taken_pairs + matcher.waiting + c["superseded"]
    lost = matcher.used_alone + sum(
        c[k] for k in ("unmatched_rgb", "unmatched_thermal", "late", "duplicate", "invalid")
    )
    assert sum(matcher.received.values()) == 2 * paired + lost + sum(buffered.values())
    for camera in ("rgb", "thermal"):
        assert matcher.received[camera] >= paired + c[f"unmatched_{camera}"] + buffered[camera]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(matchers, events)
def test_invariants_hold_for_any_sequence_of_frames(matcher, sequence):
    stamps = {"r": START, "t": START}
    used: set[int] = set()
    last: tuple[int, int] | None = None
    alone = {"r": 0, "t": 0}
    resets = 0
    for number, (what, value) in enumerate(sequence):
        if what in ("r", "t", "R", "T"):
            kind, amount = value
            camera = what.lower()
            stamp = stamps[camera] + amount if kind == "by" else amount
            if kind == "by":
                stamps[camera] = stamp
        if what in ("r", "t"):
            (matcher.add_rgb if what == "r" else matcher.add_thermal)(stamp, Frame(what, stamp, number))
        elif what in ("R", "T"):
            cause = matcher.pass_alone("rgb" if what == "R" else "thermal", stamp)
            assert cause or not matcher.waiting
        elif what == "reset":
            matcher.reset("test")
        elif what == "max_dt":
            matcher.max_dt = value
        elif what == "offset":
            matcher.thermal_offset = value
        if matcher.counters["reset"] != resets:
            resets, last, alone = matcher.counters["reset"], None, {"r": 0, "t": 0}
        if what in ("R", "T") and not cause:
            assert stamp > alone[camera]
            alone[camera] = stamp
        assert matcher.waiting <= 1
        limit = matcher.max_dt
        if what == "take":
            waiting = matcher.waiting
            pair = matcher.take()
            assert (pair is not None) == bool(waiting) and matcher.waiting == 0
            if pair is not None:
                check_pair(pair, used)
                if last is not None:
                    assert pair.rgb_stamp_ns > last[0] and pair.thermal_stamp_ns > last[1]
                assert pair.rgb_stamp_ns > alone["r"] and pair.thermal_stamp_ns > alone["t"]
                last = (pair.rgb_stamp_ns, pair.thermal_stamp_ns)
                assert abs(pair.dt_ns) <= 1_000_000_000
        assert max(matcher.buffered.values()) <= 32
        assert matcher.max_dt == limit
        check_accounts(matcher)
        matcher.explain()


def check_pair(pair, used: set[int]) -> None:
    assert pair.rgb.camera == "r" and pair.thermal.camera == "t"
    assert (pair.rgb.stamp_ns, pair.thermal.stamp_ns) == (pair.rgb_stamp_ns, pair.thermal_stamp_ns)
    assert pair.rgb.number not in used and pair.thermal.number not in used
    used.update((pair.rgb.number, pair.thermal.number))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from([0.001, 0.02, 0.1]),
    st.sampled_from([0.0, 0.03]),
    st.lists(st.tuples(st.sampled_from("rt"), st.integers(0, 400)), max_size=80),
)
def test_every_pair_lies_within_max_dt_of_corrected_time(max_dt, offset, arrivals):
    matcher: PairMatcher = PairMatcher(max_dt, thermal_offset=offset)
    for camera, ms in arrivals:
        (matcher.add_rgb if camera == "r" else matcher.add_thermal)(START + ms * MS, None)
        pair = matcher.take()
        if pair is not None:
            dt = pair.thermal_stamp_ns + round(offset * 1e9) - pair.rgb_stamp_ns
            assert pair.dt_ns == dt and abs(dt) <= round(max_dt * 1e9)


periods = st.sampled_from([1000 / 60, 1000 / 50, 1000 / 30, 1000 / 25, 40.0, 1000 / 9])


def arrivals_of(rgb, thermal, seconds):
    """Two regular cameras (period, phase, transport in ms) as (camera, stamp ns) in order of arrival."""
    frames = []
    for camera, (period, phase, transport) in (("r", rgb), ("t", thermal)):
        for i in range(int(seconds * 1000 / period)):
            stamp = phase + i * period
            frames.append((stamp + transport, camera, START + round(stamp * MS)))
    return [(camera, stamp) for _, camera, stamp in sorted(frames)]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.tuples(periods, st.floats(0, 60), st.floats(0, 150)),
    st.tuples(periods, st.floats(0, 60), st.floats(0, 150)),
    st.sampled_from([0.005, 0.01, 0.02]),
)
def test_regular_cameras_yield_nearly_as_many_pairs_as_a_matcher_that_knows_the_future(rgb, thermal, max_dt):
    frames = arrivals_of(rgb, thermal, seconds=4)
    matcher: PairMatcher = PairMatcher(max_dt)
    count, total = 0, 0
    for camera, stamp in frames:
        (matcher.add_rgb if camera == "r" else matcher.add_thermal)(stamp, None)
        pair = matcher.take()
        if pair is not None:
            count, total = count + 1, total + abs(pair.dt_ns)
    best = brute_force(frames, round(max_dt * 1e9))
    assert count <= best
    assert count >= 0.9 * best - 3
    assert matcher.counters["reset"] == matcher.counters["late"] == matcher.counters["duplicate"] == 0


def brute_force(frames, limit: int) -> int:
    """Most pairs without crossing, each frame once: dynamic programming over both sorted streams."""
    rgb = sorted(s for c, s in frames if c == "r")
    thermal = sorted(s for c, s in frames if c == "t")
    row = [0] * (len(thermal) + 1)
    for r in rgb:
        previous = row[:]
        for j, t in enumerate(thermal, start=1):
            row[j] = max(previous[j], row[j - 1], previous[j - 1] + (abs(r - t) <= limit))
    return row[-1]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from("rt"), steps), max_size=60),
    st.integers(-10_000, 10_000),
)
def test_after_any_disorder_normal_stamps_are_paired_again(disorder, shift_ms):
    matcher: PairMatcher = PairMatcher(0.02)
    stamps = {"r": START, "t": START}
    for camera, (kind, amount) in disorder:
        stamp = stamps[camera] + amount if kind == "by" else amount
        stamps[camera] = stamp if kind == "by" else stamps[camera]
        (matcher.add_rgb if camera == "r" else matcher.add_thermal)(stamp, None)
        matcher.take()
    base = START + shift_ms * MS
    pairs = 0
    for i in range(60):
        matcher.add_rgb(base + i * 33 * MS, None)
        matcher.add_thermal(base + (i * 33 + 2) * MS, None)
        pairs += matcher.take() is not None
    assert pairs >= 40
