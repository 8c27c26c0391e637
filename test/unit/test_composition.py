"""The parts of the process with both nodes that decide something, without ROS."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from textdifuse_ros.imaging.encodings import from_rgb8, to_rgb8
from textdifuse_ros.nodes.detector_health import ImageFacts, image_report
from textdifuse_ros.nodes.detector_session import to_picture
from textdifuse_ros.nodes.handover import Handed, Handover
from textdifuse_ros.nodes.health import ERROR, OK
from textdifuse_ros.nodes.perception_node import DETECTOR, FUSION, own_arguments

HEADER = SimpleNamespace(stamp=7, frame_id="camera")
COLOUR = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
GREY = COLOUR[:, :, 0].copy()


def published(image: np.ndarray, encoding: str) -> Any:
    """What a subscriber gets."""
    if image.ndim == 2 and encoding != "mono8":
        image = np.repeat(image[:, :, None], 3, axis=2)
    data = from_rgb8(image, encoding) if image.ndim == 3 else image
    channels = 1 if data.ndim == 2 else 3
    return SimpleNamespace(
        height=12, width=16, encoding=encoding, step=16 * channels, is_bigendian=0, data=data.tobytes()
    )


# -- the handover --------------------


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "mono8"])
@pytest.mark.parametrize("image", [COLOUR, GREY], ids=["fused", "thermal passed"])
def test_the_picture_that_is_handed_over_is_what_a_subscriber_sees(image: np.ndarray, encoding: str) -> None:
    handed = Handed(image, encoding, HEADER)
    np.testing.assert_array_equal(to_picture(handed), to_rgb8(published(image, encoding)))


def test_a_colour_image_is_handed_over_without_a_copy() -> None:
    taken: list[Handed] = []
    handover = Handover("/textdifuse", "/fused/image_raw", lambda: True)
    handover.open(taken.append)
    handover.give(COLOUR, "bgr8", HEADER)
    assert taken[0].picture() is COLOUR and taken[0].header is HEADER


def test_while_nobody_takes_nothing_is_kept() -> None:
    handover = Handover("/textdifuse", "/fused/image_raw", lambda: True)
    taken: list[Handed] = []
    handover.open(taken.append)
    handover.close()
    image = COLOUR.copy()
    alive = weakref.ref(image)
    handover.give(image, "rgb8", HEADER)
    del image
    gc.collect()
    assert taken == [] and alive() is None


def test_an_image_on_the_device_goes_along_while_it_is_the_picture_that_is_seen() -> None:
    tensor = object()
    assert Handed(COLOUR, "rgb8", HEADER, tensor).on_device is tensor
    assert Handed(COLOUR, "mono8", HEADER, tensor).on_device is None
    assert Handed(COLOUR, "rgb8", HEADER).on_device is None


# -- the command line --------------------


def test_what_follows_a_nodes_option_is_for_that_node_and_never_seen_by_the_other() -> None:
    line = ["perception", FUSION, "-r", "a:=b", DETECTOR, "-p", "model:=x", "--ros-args", "-p", "threads:=1"]
    own, rest = own_arguments(line)
    assert own == {FUSION: ["-r", "a:=b"], DETECTOR: ["-p", "model:=x"]}
    assert rest == ["perception", "--ros-args", "-p", "threads:=1"]


def test_the_options_may_follow_the_arguments_for_both_and_come_twice() -> None:
    line = [
        "perception",
        "--ros-args",
        "-p",
        "a:=1",
        "--",
        FUSION,
        "-p",
        "b:=2",
        DETECTOR,
        FUSION,
        "-p",
        "c:=3",
    ]
    own, rest = own_arguments(line)
    assert own == {FUSION: ["-p", "b:=2", "-p", "c:=3"], DETECTOR: []}
    assert rest == ["perception", "--ros-args", "-p", "a:=1", "--"]


def test_words_for_neither_node_are_left_over() -> None:
    assert own_arguments(["perception", "street.pt"]) == (
        {FUSION: [], DETECTOR: []},
        ["perception", "street.pt"],
    )


# -- threads --------------------


def test_each_thread_keeps_the_number_that_its_own_network_was_given() -> None:
    torch = pytest.importorskip("torch")
    from textdifuse_ros.engines.cpu_threads import use_threads

    begun, seen = threading.Barrier(2, timeout=20), {}

    def work(threads: int) -> None:
        use_threads(threads)
        begun.wait()  # the other has set its own number by now
        torch.ones(8).sum()
        seen[threads] = torch.get_num_threads()

    before = torch.get_num_threads()
    workers = [threading.Thread(target=work, args=(threads,)) for threads in (1, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    torch.set_num_threads(before)
    assert seen == {1: 1, 3: 3}


# -- the sentences --------------------


def report(**facts: Any) -> Any:
    given = {"active": True, "giver": "/textdifuse", "giver_active": True, **facts}
    return image_report(ImageFacts("/fused/image_raw", **given))


def test_diagnostics_say_that_the_images_come_through_the_process() -> None:
    fine = report(received=4, rate=9.9, publishers=1)
    assert (fine.level, fine.message) == (OK, "9.9 Hz, handed over by /textdifuse in this process")
    assert fine.values["handed_over_by"] == "/textdifuse"
    assert report().message == "waiting for the first image handed over by /textdifuse in this process"


def test_silence_within_the_process_is_explained_by_the_state_of_the_giver() -> None:
    never = report(silent_for=3.0, giver_active=False)
    assert never.level == ERROR
    assert never.message == ("no image handed over by /textdifuse in this process yet: it is not active")
    gone = report(silent_for=3.0, received=9, hint="/fused/image_raw has another publisher")
    assert gone.message.endswith(
        "for 3.0 s: it publishes nothing, and its own diagnostics say why; /fused/image_raw has another "
        "publisher"
    )
