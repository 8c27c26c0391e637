"""One run of the demo: start everything, conduct, stop, read back, draw, report."""

from __future__ import annotations

import shutil
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textdifuse_ros.demo.choice import choose, words
from textdifuse_ros.demo.processes import Family, free_domain, private_environment
from textdifuse_ros.demo.recording import pictures, read_recording
from textdifuse_ros.demo.report import render_report
from textdifuse_ros.demo.script import Act, acts
from textdifuse_ros.demo.sheet import draw_sheet, write_png
from textdifuse_ros.imaging.clips import open_clip
from textdifuse_ros.msg import FusionStatus
from textdifuse_ros.nodes.bag_topics import plan
from textdifuse_ros.nodes.demo_conductor import Change, Conductor
from textdifuse_ros.nodes.launch_spec import NodeSpec

START_TIMEOUT = 180.0
SIM_RATE = 15.0
SIM_START = 28.0  # dense smoke crosses in front of people soon after


class DemoFailed(RuntimeError):
    """The demo has nothing to show; the text says why."""


@dataclass(frozen=True)
class Options:
    """What to play and where to write; rgb and thermal, or bag, or neither for the rendered street."""

    out: Path
    seconds: float = 36.0
    rgb: str = ""
    thermal: str = ""
    bag: str = ""
    prompt: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Results:
    """Files of a run."""

    bag: Path
    sheet: Path
    report: Path
    text: str


def run_demo(options: Options) -> Results:
    """Run the demo; raises DemoFailed, ChildFailed, ClipError, BagError with one line for the user."""
    source, camera, transports = _camera(options)
    folder = _fresh_folder(options.out)
    say(f"playing {source}; everything goes to {folder}")
    domain = free_domain()
    bag = folder / "bag"
    with Family(private_environment(domain), folder / "logs") as family:
        conductor = Conductor(domain, family.check)
        try:
            changes = _conduct(conductor, family, camera, transports, bag, options)
        finally:
            conductor.close()
        say("stopping the nodes and closing the bag")
    return _evaluate(folder, bag, changes, source)


def say(text: str) -> None:
    """A line of progress with the time since the start."""
    print(f"[{time.monotonic() - _BEGAN:5.1f} s] {text}", flush=True)


_BEGAN = time.monotonic()


def _fresh_folder(out: Path) -> Path:
    folder = out / time.strftime("%Y%m%d-%H%M%S")
    serial = 1
    while folder.exists():
        serial += 1
        folder = out / f"{time.strftime('%Y%m%d-%H%M%S')}-{serial}"
    folder.mkdir(parents=True)
    free = shutil.disk_usage(folder).free
    if free < 1.5e9:
        say(f"only {free / 1e9:.1f} GB are free: the recording takes about 30 MB a second")
    return folder


def _camera(options: Options) -> tuple[str, tuple[str, NodeSpec], dict[str, str]]:
    """What plays: in words, its module and arguments, and the transports that the fusion needs."""
    if options.bag:
        found = plan(options.bag)
        parameters: dict[str, Any] = {"bag": str(options.bag), "loop": True, "wait_for_subscribers": True}
        transports = {
            f"{role}.transport": "compressed" if camera.compressed else "raw"
            for role, camera in (("rgb", found.rgb), ("thermal", found.thermal))
        }
        return f"the bag {found.describe()}", _node("playback", parameters), transports
    if options.rgb or options.thermal:
        rgb, thermal = open_clip(options.rgb), open_clip(options.thermal)
        parameters = {
            "rgb": str(rgb.path), "thermal": str(thermal.path), "loop": True, "wait_for_subscribers": True,
        }  # fmt: skip
        return f"{rgb.path} and {thermal.path}", _node("playback", parameters), {}
    parameters = {
        "rate": SIM_RATE,
        "seed": options.seed,
        "start_time": SIM_START,
        "wait_for_subscribers": True,
    }
    words = f"the rendered night street (seed {options.seed}) at {SIM_RATE:g} Hz"
    return words, _node("sim_cameras", parameters), {}


def _node(name: str, parameters: dict[str, Any]) -> tuple[str, NodeSpec]:
    return f"textdifuse_ros.nodes.{name}", NodeSpec(name, name, parameters=parameters)


def _conduct(
    conductor: Conductor,
    family: Family,
    camera: tuple[str, NodeSpec],
    transports: dict[str, str],
    bag: Path,
    options: Options,
) -> list[Change]:
    say("starting the fusion node (it loads torch and the network)")
    fusion = NodeSpec("fusion_node", "textdifuse", parameters=transports)
    family.start("fusion", "textdifuse_ros.nodes.fusion_node", fusion.ros_arguments())
    recorder = NodeSpec("bag_recorder", "bag_recorder", parameters={"output": str(bag)})
    family.start("recorder", "textdifuse_ros.nodes.bag_recorder", recorder.ros_arguments())
    began = time.monotonic()

    def first_frame() -> bool:
        return conductor.seen.statuses > 0

    topic = (
        "/rgb/image_raw/compressed" if transports.get("rgb.transport") == "compressed" else "/rgb/image_raw"
    )

    def listening() -> bool:
        return conductor.subscribers(topic) > 0

    if not conductor.spin_until(listening, START_TIMEOUT, _waiting(conductor, "the fusion node")):
        raise DemoFailed(_no_frame(conductor, family, "the fusion node never subscribed to the cameras"))
    say(f"the fusion node listens after {time.monotonic() - began:.1f} s; starting the cameras")
    family.start("camera", camera[0], camera[1].ros_arguments())
    if not conductor.spin_until(first_frame, START_TIMEOUT, _waiting(conductor, "the first fused image")):
        raise DemoFailed(_no_frame(conductor, family, "no image was fused"))
    say("the first fused image is there")
    return _play_acts(conductor, family, acts(options.prompt), options.seconds)


def _waiting(conductor: Conductor, what: str) -> Any:
    told = [0.0]

    def waiting(seconds: float) -> None:
        if seconds - told[0] >= 2.0:
            told[0] = seconds
            why = f" ({conductor.seen.diagnosis})" if conductor.seen.diagnosis else ""
            say(f"waiting for {what}: {seconds:.0f} s{why}")

    return waiting


def _no_frame(conductor: Conductor, family: Family, what: str) -> str:
    why = conductor.seen.diagnosis or "the node gave no diagnosis"
    words = "; ".join(f"{child.name}: {child.last_words(2)}" for child in family.children.values())
    return f"{what} within {START_TIMEOUT:.0f} s: {why}. Last words: {words}"


def _play_acts(conductor: Conductor, family: Family, script: tuple[Act, ...], seconds: float) -> list[Change]:
    began = time.monotonic()
    changes: list[Change] = []
    for act in [*script, None]:
        until = seconds if act is None else act.at * seconds
        _watch(conductor, began, until, seconds)
        family.check()
        if act is None:
            break
        change = conductor.change(dict(act.parameters), act.note, began)
        changes.append(change)
        what = ", ".join(f"{name} = {value!r}" for name, value in act.parameters)
        if change.accepted:
            shown = f"fused image {change.frames} after that shows it ({change.shown_ms:.0f} ms)"
            say(f"{what}: accepted; {shown}")
        else:
            say(f"{what}: refused: {change.reason}")
        if change.accepted == act.refused:
            say("  (this was expected to go the other way)")
    return changes


def _watch(conductor: Conductor, began: float, until: float, seconds: float) -> None:
    """Let the run go on, with a line of progress every three seconds."""
    state = {"count": conductor.seen.statuses, "time": time.monotonic()}

    def progress(_: float) -> None:
        now = time.monotonic()
        if now - state["time"] < 3.0:
            return
        rate = (conductor.seen.statuses - state["count"]) / (now - state["time"])
        state.update(count=conductor.seen.statuses, time=now)
        latest = conductor.seen.latest
        say(
            f"{min((now - began) / seconds, 1.0):4.0%}  {conductor.seen.statuses} fused, {rate:.1f} Hz, "
            f"age {latest.age_ms:.0f} ms, {latest.dropped_superseded} superseded, prompt {latest.prompt!r}"
        )

    conductor.spin_until(lambda: time.monotonic() - began >= until, until + 60.0, progress)


def _evaluate(folder: Path, bag: Path, changes: list[Change], source: str) -> Results:
    say("reading the bag back")
    recording = read_recording(bag)
    if (
        not any(status.mode == FusionStatus.FUSED for status in recording.statuses)
        or not recording.fused.stamps
    ):
        modes = ", ".join(sorted({str(status.mode) for status in recording.statuses})) or "nothing"
        raise DemoFailed(f"no image was fused: {bag} holds {modes}")
    moments = choose(recording, changes)
    wanted = {moment.stamp for moment in moments}
    columns = {
        "rgb": pictures(recording, recording.rgb, wanted),
        "thermal": pictures(recording, recording.thermal, wanted, thermal=True),
        "fused": pictures(recording, recording.fused, wanted),
        "salience": pictures(recording, recording.salience, wanted, thermal=True),
    }
    notes = []
    for change in (c for c in changes if not c.accepted):
        text = f"refused at {change.asked_at:.1f} s: {words(change)}. {change.reason}"
        notes += textwrap.wrap(text, 190, subsequent_indent="    ")
    sheet = folder / "contact_sheet.png"
    write_png(sheet, draw_sheet(moments, columns, f"textdifuse_ros: {source}", notes))
    text = render_report(recording, changes, source)
    report = folder / "report.txt"
    report.write_text(text, encoding="utf-8")
    return Results(bag, sheet, report, text)
