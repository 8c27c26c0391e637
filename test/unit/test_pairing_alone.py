"""Pairing while one camera is lost: what the other one's frames, used alone, leave behind."""

import pytest
from pairing_frames import at, feed, matcher


def test_a_frame_used_alone_lets_go_of_all_that_is_older():
    pairing = matcher()
    feed(pairing, "r0 r33 r66 t500 R100")
    assert pairing.buffered == {"rgb": 0, "thermal": 1}
    assert pairing.counters["unmatched_rgb"] == 3
    pairing.add_rgb(at(500), "r500")
    assert pairing.waiting == 1
    feed(pairing, "R533")
    assert pairing.waiting == 0 and pairing.counters["superseded"] == 1 and pairing.used_alone == 2


@pytest.mark.parametrize("late", ["t60 t93 t126 t159 t192 t225 t258", "r60 t60"])
def test_nothing_older_than_a_frame_used_alone_is_paired_any_more(late):
    pairing = matcher()
    assert feed(pairing, "r0 t0 R33 R66 R100 R133 R166 R200 R233 R266") == [(0, 0)]
    assert feed(pairing, late) == []
    assert pairing.counters["reset"] == 0  # a queue that a link delivers late is no time that begins anew
    assert feed(pairing, "t300 r300") == [(300, 300)]


def test_older_is_meant_in_corrected_time_by_the_offsets_of_the_moment():
    pairing = matcher(rgb_offset=1.0)
    assert feed(pairing, "R0 t990 r20 t1010") == [(20, 1010)]
    pairing.rgb_offset = 0.0
    assert feed(pairing, "R1100 t1090 r1110 t1120") == [(1110, 1120)]


def test_a_frame_used_alone_twice_or_out_of_order_is_not_used_again():
    pairing = matcher()
    feed(pairing, "R0 R33 R33 R10")
    assert (pairing.used_alone, pairing.counters["duplicate"], pairing.counters["late"]) == (2, 1, 1)


def test_a_bag_that_loops_while_one_camera_is_lost_is_followed_with_one_reset():
    pairing = matcher()
    feed(pairing, " ".join(f"R{i * 33}" for i in range(100)))
    feed(pairing, " ".join(f"R{i * 33}" for i in range(100)))
    assert pairing.used_alone == 200 and pairing.counters["reset"] == 1
    assert feed(pairing, "r3333 t3333") == [(3333, 3333)]
