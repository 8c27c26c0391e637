"""Node `playback`: video files, folders of images or a rosbag2 as two cameras.

ros2 run textdifuse_ros playback --rgb clip.mp4 --thermal clip.mp4 --loop
ros2 run textdifuse_ros playback --bag recorded/
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from typing import Any

import rclpy.utilities
from rclpy.node import Node
from rclpy.parameter import Parameter

from textdifuse_ros.imaging.clips import ClipError
from textdifuse_ros.nodes.bag_topics import BagError
from textdifuse_ros.nodes.camera_pair import wait_until_heard
from textdifuse_ros.nodes.parameters import START, ParameterSpec
from textdifuse_ros.nodes.play_bag import BagPlayer
from textdifuse_ros.nodes.play_files import FilePlayer
from textdifuse_ros.nodes.process import StartError, deliver, run
from textdifuse_ros.nodes.sim_options import declare

PLAYBACK_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec("rgb", str, "", "Video file or folder of images of the RGB camera", START),
    ParameterSpec("thermal", str, "", "Video file or folder of images of the thermal camera", START),
    ParameterSpec("bag", str, "", "Folder of a rosbag2 (mcap or sqlite3), instead of files", START),
    ParameterSpec("bag.rgb_topic", str, "", "Image topic of the RGB camera in the bag; empty guesses", START),
    ParameterSpec(
        "bag.thermal_topic", str, "", "Image topic of the thermal camera in the bag; empty guesses", START
    ),
    ParameterSpec(
        "rate", float, 0.0, "Pairs a second for files; 0 is the rate of the RGB clip", START, "Hz", 0.0, 240.0
    ),
    ParameterSpec(
        "speed", float, 1.0, "Speed of a bag: 2 is twice as fast as recorded", START, "", 0.05, 20.0
    ),
    ParameterSpec(
        "max_pairs", int, 0, "Stop after this many pairs of files; 0 plays all", START, "", 0, 2**31 - 1
    ),
    ParameterSpec("loop", bool, False, "Begin again at the end", START),
    ParameterSpec(
        "restamp", bool, True, "Bag: move the stamps to now, as far apart as played; false keeps them", START
    ),
    ParameterSpec("wait_for_subscribers", bool, False, "Begin when both images have a subscriber", START),
    ParameterSpec("rgb.frame_id", str, "rgb_optical", "Frame of the RGB camera, for files", START),
    ParameterSpec(
        "thermal.frame_id", str, "thermal_optical", "Frame of the thermal camera, for files", START
    ),
)


class Playback(Node):
    """Plays in a thread of its own; ends by itself at the end of the clip."""

    def __init__(self, overrides: Sequence[Parameter] = ()) -> None:
        super().__init__("playback", parameter_overrides=list(overrides))
        self.finished, self.failure = threading.Event(), ""
        self._stop = threading.Event()
        self._options = declare(self, PLAYBACK_PARAMETERS)
        self._player = self._make_player(self._options)
        self._thread = threading.Thread(target=self._run, name="playback", daemon=True)
        self._thread.start()

    def _make_player(self, options: dict[str, Any]) -> FilePlayer | BagPlayer:
        files = bool(options["rgb"] or options["thermal"])
        if files == bool(options["bag"]):
            raise StartError("give either rgb and thermal (files or folders) or bag (a rosbag2 folder)")
        if files and not (options["rgb"] and options["thermal"]):
            missing = "thermal" if options["rgb"] else "rgb"
            raise StartError(f"the {missing} clip is missing: both rgb and thermal are needed")
        try:
            return FilePlayer(self, options) if files else BagPlayer(self, options)
        except (ClipError, BagError) as error:
            raise StartError(str(error)) from None

    def close(self) -> None:
        """Stop playing."""
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            if self._options["wait_for_subscribers"]:
                wait_until_heard(self._player.subscribers, self._stop)
            self._player.play(self._stop)
            deliver(self)
        except (ClipError, BagError) as error:
            self.failure = str(error)
        except Exception as error:  # the player's thread must not die silently
            self.failure = f"playback stopped: {' '.join(str(error).split()) or type(error).__name__}"
        self.finished.set()


def main(args: Sequence[str] | None = None) -> int:
    """Entry point of `ros2 run textdifuse_ros playback`."""
    argv = list(sys.argv[1:] if args is None else args)
    parser = argparse.ArgumentParser(
        "playback", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name, text in (
        ("rgb", "video file or folder"),
        ("thermal", "video file or folder"),
        ("bag", "rosbag2 folder"),
    ):
        parser.add_argument(f"--{name}", default=None, help=text)
    parser.add_argument("--loop", action="store_true", default=None, help="begin again at the end")
    parser.add_argument(
        "--wait", action="store_true", default=None, help="begin when both images have a subscriber"
    )
    try:
        own = rclpy.utilities.remove_ros_args(["playback", *argv])[1:]
    except Exception as error:  # rclpy has no public name for its type
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    chosen = vars(parser.parse_args(own))
    chosen["wait_for_subscribers"] = chosen.pop("wait")
    overrides = [Parameter(name, value=value) for name, value in chosen.items() if value is not None]
    return run(lambda: Playback(overrides), argv)


if __name__ == "__main__":
    raise SystemExit(main())
