"""Command line of the demo: python -m textdifuse_ros.demo [--rgb F --thermal F | --bag DIR] [--out DIR]."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textdifuse_ros.demo.processes import ChildFailed
from textdifuse_ros.demo.run import DemoFailed, Options, run_demo
from textdifuse_ros.imaging.clips import ClipError
from textdifuse_ros.nodes.bag_topics import BagError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; exit code 0, 1 when nothing was fused, 2 for unusable input, 130 after Ctrl-C."""
    options = _parse(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        results = run_demo(options)
    except (ClipError, BagError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (DemoFailed, ChildFailed, TimeoutError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: all nodes were stopped", file=sys.stderr)
        return 130
    print()
    print(results.text)
    print(f"contact sheet  {results.sheet}")
    print(f"report         {results.report}")
    print(f"bag            {results.bag}")
    return 0


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _parse(argv: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser("python -m textdifuse_ros.demo", description=__doc__)
    parser.add_argument("--rgb", default="", help="video file or folder of images of the RGB camera")
    parser.add_argument("--thermal", default="", help="the same of the thermal camera")
    parser.add_argument("--bag", default="", help="rosbag2 folder (mcap or sqlite3) with both cameras")
    parser.add_argument("--out", default="out/demo", type=Path, help="folder for the results (out/demo)")
    parser.add_argument("--seconds", default=36.0, type=float, help="how long to fuse (36)")
    parser.add_argument("--prompt", default=None, help="prompt to show instead of 'warm objects*2'")
    parser.add_argument("--seed", default=0, type=int, help="another rendered street")
    chosen = parser.parse_args(argv)
    if bool(chosen.rgb) != bool(chosen.thermal):
        parser.error("--rgb and --thermal belong together")
    if chosen.bag and chosen.rgb:
        parser.error("give either --bag or --rgb and --thermal")
    if not 3.0 <= chosen.seconds <= 3600.0:
        parser.error("--seconds must lie between 3 and 3600")
    chosen.out = chosen.out.resolve()
    return Options(**vars(chosen))


if __name__ == "__main__":
    raise SystemExit(main())
