"""A prompt that changes a hundred times a second delays no frame and leaves nothing behind."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import Cameras, Rig
from node_process import NodeProcess
from pictures import at, stamp_of
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from waiting import until

from textdifuse_ros.msg import FusionStatus
from textdifuse_ros.text.sentence import PACKAGE

pytestmark = pytest.mark.ros

RATE, SECONDS = 100, 10  # changes a second, and for how long
WORDS = (
    ("person", "parked cars", "the sky", "warm objects")
    if importlib.util.find_spec(PACKAGE)
    else ("hot", "cold")
)
# With the encoder each of these is, now and then, filled with words that it has never seen: thirteen texts.
LONG = (
    "pedestrian number {n} on the road, no parked cars in lot {n}*0.5, women on bikes at gate {n}, "
    "slightly brighten the vans in row {n}, keep the night look"
)


class Storm:
    """Asks for changes without waiting for the answers, as an impatient program does."""

    def __init__(self, rig: Rig) -> None:
        self._client = rig.probe.create_client(SetParameters, "/textdifuse/set_parameters")
        assert self._client.wait_for_service(30)
        self._futures: list[Any] = []

    def change(self, text: str) -> None:
        request = SetParameters.Request(parameters=[Parameter("prompt", value=text).to_parameter_msg()])
        self._futures.append(self._client.call_async(request))

    def answered(self) -> int:
        return sum(future.done() for future in self._futures)

    def refused(self) -> list[str]:
        results = [future.result().results[0] for future in self._futures if future.done()]
        return [result.reason for result in results if not result.successful]


def text_of(number: int) -> str:
    """Another prompt each time: other weights, other words once in ten, several phrases with places once in
    twenty, of which every second one is new as well."""
    word = WORDS[number % len(WORDS)]
    if number % 20 == 5 and len(WORDS) > 2:
        return LONG.format(n=number if number % 40 == 5 else 1)
    if number % 10 == 0 and len(WORDS) > 2:
        word = f"person number {number}"
    return f"{word}*{1 + number % 100 / 100:.2f}"


def milliseconds(seconds: list[float]) -> str:
    """Median and 95th percentile."""
    p50, p95 = np.percentile(seconds, (50, 95)) * 1e3
    return f"{p50:.0f} / {p95:.0f} ms"


def resident_mb(process: NodeProcess) -> float:
    lines = Path(f"/proc/{process.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def test_a_storm_of_prompts_delays_no_frame_and_leaves_nothing_behind(rig: Rig) -> None:
    status = rig.listen("/textdifuse/status", FusionStatus)
    process = rig.start()
    cameras = Cameras(rig).ready()

    def frame(number: int) -> float:
        """Send a pair and wait for its status; seconds in between."""
        since, began = status.mark(), time.monotonic()
        cameras.pair(at(40 * number))
        status.wait(lambda m: stamp_of(m) == at(40 * number), since)
        return time.monotonic() - began

    # With a prompt in force, as under the storm: objects have to be located.
    assert rig.set(prompt=WORDS[0]).successful
    calm = [frame(number) for number in range(20)][5:]
    storm, sent, stormy, memory = Storm(rig), 0, [], []
    began = time.monotonic()
    number = 20
    while (passed := time.monotonic() - began) < SECONDS:
        while sent < passed * RATE:
            storm.change(text_of(sent))
            sent += 1
        stormy.append(frame(number))
        memory.append(resident_mb(process))
        number += 1
    ended = time.monotonic()
    until(lambda: storm.answered() > 0.99 * sent, "the answers to the changes")  # a reply may be lost
    print(
        f"storm: {sent} changes in {ended - began:.1f} s, the last answered {time.monotonic() - ended:.2f} s "
        f"later; a frame {milliseconds(stormy)}, without a storm {milliseconds(calm)} (p50 / p95); resident "
        f"memory from a third of it to the end {memory[-1] - memory[len(memory) // 3]:+.1f} MB"
    )
    assert storm.refused() == []
    assert sent >= 0.95 * RATE * SECONDS
    # A loaded machine slows both; the storm itself takes its share of a core, and nothing queues up.
    assert np.median(stormy) < 2 * np.median(calm) + 0.05
    assert np.percentile(stormy, 95) < 4 * np.percentile(calm, 95) + 0.25
    final = f"warm objects*{0.5}"
    assert rig.set(prompt=final).successful
    frame(number)
    frame(number + 1)
    assert status.messages[-1].prompt == final
    assert memory[-1] - memory[len(memory) // 3] < 20
