"""The demo's parts without nodes: children that never outlive it, the choice of moments, sheet and report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("rosbags", reason="rosbags is not installed")

from textdifuse_ros.demo.__main__ import main
from textdifuse_ros.demo.choice import Moment, choose
from textdifuse_ros.demo.processes import ChildFailed, Family, free_domain, private_environment
from textdifuse_ros.demo.recording import Recording, Track
from textdifuse_ros.demo.report import DROPS, render_report
from textdifuse_ros.demo.sheet import CELL_WIDTH, draw_sheet
from textdifuse_ros.nodes.demo_conductor import Change

ROOT = Path(__file__).resolve().parents[2]
PERIOD = 100_000_000
FIRST = 10**18


def track(count: int, delay_ms: float, skip: tuple[int, ...] = ()) -> Track:
    stamps = [FIRST + k * PERIOD for k in range(count) if k not in skip]
    return Track("/topic", stamps=stamps, arrivals=[s + round(delay_ms * 1e6) for s in stamps])


def status(k: int, **more: Any) -> Any:
    values = dict(
        mode="fused", steps=1, model_ms=50.0, total_ms=55.0, engine="eager", device="cpu", resets=0,
        frames_published=k,
        **{f"dropped_{name}": 0 for name, _ in DROPS},
    )  # fmt: skip
    return SimpleNamespace(**{**values, **more})


def recording(path: Path) -> Recording:
    return Recording(
        path, track(60, 2.0, skip=(7,)), track(60, 3.0), track(60, 62.0, skip=(7, 8)), track(60, 63.0),
        statuses=[status(1), status(58, dropped_superseded=4)], messages=240,
    )  # fmt: skip


def changes() -> list[Change]:
    return [
        Change({"prompt": "warm objects"}, "warm", 2.0, True, "", 3.0, 2, 90.0, FIRST + 20 * PERIOD),
        Change({"prompt": "unicorns"}, "unknown", 3.0, False, "'unicorns' cannot be located", 2.0),
    ]


def test_rates_gaps_and_latencies_come_from_stamps_and_arrivals(tmp_path: Path) -> None:
    found = recording(tmp_path)
    assert found.thermal.rate() == pytest.approx(10.0)
    assert (found.rgb.gaps(), found.thermal.gaps()) == (1, 0)
    assert found.latencies_ms() == pytest.approx(np.full(58, 60.0))
    assert found.ages_ms() == pytest.approx(np.full(58, 62.0))


def test_moments_cover_every_phase_and_prefer_hidden_people(tmp_path: Path) -> None:
    found = recording(tmp_path)
    stamp = FIRST + 43 * PERIOD
    person = {"class_name": "person", "pixels": 900, "clear": 0.1}
    truth = {"stamp": {"sec": stamp // 10**9, "nanosec": stamp % 10**9}, "objects": [person]}
    found.truths.append(truth)
    moments = choose(found, changes())
    assert len(moments) == 4
    assert [m.stamp < FIRST + 20 * PERIOD for m in moments] == [True, True, False, False]
    assert moments[3].stamp == stamp
    assert 'prompt "warm objects"' in moments[2].caption and "2 frames after" in moments[2].caption
    assert all("unicorns" not in m.caption for m in moments)


def test_the_sheet_has_a_row_for_each_moment_and_says_what_is_missing() -> None:
    colour = np.full((48, 64, 3), 90, np.uint8)
    colour[:, :, 0] = 200
    grey = np.full((48, 64), 30000, np.uint16)
    columns: dict[str, dict[int, np.ndarray]] = {
        "rgb": {1: colour, 2: colour}, "thermal": {1: grey}, "fused": {1: colour, 2: colour}, "salience": {},
    }  # fmt: skip
    one = draw_sheet([Moment(1, "a", "a")], columns, "title")
    two = draw_sheet([Moment(1, "a", "a"), Moment(2, "b", "b")], columns, "title")
    assert two.shape[1] == one.shape[1] > 5 * CELL_WIDTH and two.shape[0] > one.shape[0] + 250
    # The fused column shows the picture in its colours (BGR here).
    centre = one[one.shape[0] // 2, round(one.shape[1] * 3.5 / 5)]
    assert np.abs(centre.astype(int) - (90, 90, 200)).max() <= 2


def test_the_report_holds_rates_latencies_drops_and_changes(tmp_path: Path) -> None:
    text = render_report(recording(tmp_path), changes(), "a test")
    for words in ("58 images", "10.0 Hz", "topic to topic  p50    60.0", "4  superseded", "refused in 2 ms",
                  "'unicorns' cannot be located", "shown by fused image 2", "cores"):  # fmt: skip
        assert words in text, words


def test_a_run_is_private_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "0")
    monkeypatch.setenv("ROS_STATIC_PEERS", "192.0.2.1")
    environment = private_environment(free_domain())
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert environment["ROS_DOMAIN_ID"] != "0" and "ROS_STATIC_PEERS" not in environment
    assert Path(environment["FASTRTPS_DEFAULT_PROFILES_FILE"]).name == "fastdds_shm.xml"


def family(folder: Path) -> Family:
    return Family(dict(os.environ), folder)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_children_end_with_the_block_even_those_that_ignore_signals(tmp_path: Path) -> None:
    (tmp_path / "stubborn_child.py").write_text(
        "import signal, time\nsignal.signal(2, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)\n"
    )
    children = family(tmp_path)
    children.environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with children:
        child = children.start("stubborn", "stubborn_child")
        while "up" not in child.log.read_text():
            children.check()
        # It does not listen to SIGINT: stop() must go on to SIGTERM.
        assert child.stop(patience=0.2) == -signal.SIGTERM
    assert not child.running()


def test_a_child_that_fails_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with family(tmp_path) as children:
        child = children.start("broken", "textdifuse_ros.nodes.no_such_node")
        child.process.wait(30)
        with pytest.raises(ChildFailed, match=r"broken ended with code 1.*no_such_node"):
            children.check()


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from textdifuse_ros.demo.processes import Family
family = Family(dict(os.environ), Path({str(tmp_path)!r}))
print(family.start("sleeper", "timeit", ["-n", "1", "import time; time.sleep(600)"]).pid, flush=True)
sys.stdin.read()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait(10)
    pidfd = os.pidfd_open(child) if alive(child) else None
    if pidfd is not None:
        import select

        assert select.select([pidfd], [], [], 20.0)[0], "the child outlived its parent"
        os.close(pidfd)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rgb", "/nowhere.mp4", "--thermal", "/nowhere.mp4"], "/nowhere.mp4 does not exist"),
        (["--bag", "/nowhere"], "/nowhere does not exist"),
    ],
)
def test_unusable_input_ends_with_2_and_the_reason(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_half_a_pair_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--rgb", "a.mp4"])
    assert caught.value.code == 2 and "belong together" in capsys.readouterr().err
