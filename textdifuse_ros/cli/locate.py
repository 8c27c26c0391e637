"""`textdifuse locate`: how well the localiser `embedded` finds things, what it knows, what it costs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.threads import check_threads

if TYPE_CHECKING:
    from textdifuse_ros.evaluation.location import Overlap
    from textdifuse_ros.text.embedded import EmbeddedLocaliser
    from textdifuse_ros.train.localiser_data import Frame

Report = dict[str, Any]
PHRASES = ("person", "car")
PARTS = ("pairs", "rendered", "phrases", "cost")
CAMERAS = ("rgb", "thermal", "both", "rgb in smoke", "both in smoke")
_STREETS, _TIMES = 4, (2.0, 11.0, 23.0)  # rendered ones that never train, and moments of each in seconds
_RUNS = 30  # pairs of a fusion and a look, for the cost


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with msrs128/, ...; only its validation list is used"
    )
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="measure this part alone; may be given several times"
    )
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="at most N frames a set; 0 for all")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument("--dtype", default="auto", metavar="T", help="auto, fp32, bf16 or fp16 (auto)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Exit status 0. Raises CliError."""
    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.text.embedded import EmbeddedLocaliser
    from textdifuse_ros.text.localiser import LocaliserError
    from textdifuse_ros.train.errors import TrainingError

    if not args.data.is_dir():
        raise CliError(f"--data {args.data}: no such folder")
    if args.limit < 0:
        raise CliError(f"--limit {args.limit}: must be 0 or more")
    check_threads(args.threads)
    try:
        fuser = Fuser(device=args.device, dtype=args.dtype, threads=args.threads, engine="eager")
        localiser = EmbeddedLocaliser(fuser.device, fuser.dtype)
        localiser.prepare()
        measures: dict[str, Callable[[], Report]] = {
            "pairs": lambda: _located(localiser, _pairs(args.data, args.limit)),
            "rendered": lambda: _located(localiser, _rendered(args.limit)),
            "phrases": _phrases,
            "cost": lambda: _cost(fuser, localiser),
        }
        wanted = args.only or PARTS
        with named_os_errors():
            report = {name: measure() for name, measure in measures.items() if name in wanted}
    except (EngineError, LocaliserError, TrainingError) as error:
        raise CliError(str(error)) from error
    print(json.dumps(report, indent=2) if args.json else _table(report))
    return 0


def _pairs(data: Path, limit: int) -> Iterator[Frame]:
    from textdifuse_ros.train.localiser_data import SETS, load_set

    for each in SETS:
        if each.vis and each.ir:
            for number, frame in enumerate(load_set(data, each, validation=True)):
                if limit and number >= limit:
                    break
                yield frame


def _rendered(limit: int) -> Iterator[Frame]:
    from textdifuse_ros.train.localiser_data import VALIDATION_SEEDS, simulated

    return simulated(VALIDATION_SEEDS[: limit or _STREETS], _TIMES)


def _located(localiser: EmbeddedLocaliser, frames: Iterator[Frame]) -> Report:
    """IoU and average precision by phrase, camera and kind of truth; "frames" says how many there were."""
    from textdifuse_ros.evaluation.location import Overlap
    from textdifuse_ros.text.grammar import parse
    from textdifuse_ros.train.localiser_labels import here

    found: dict[tuple[str, str, str], Overlap] = {}
    prompts = {phrase: localiser.compile(parse(phrase)) for phrase in PHRASES}
    count = 0
    for frame in frames:
        count += 1
        views = _views(frame)
        for phrase, prompt in prompts.items():
            there, unknown = here(frame.labels, phrase)
            if unknown.all():
                continue
            for camera, (rgb, thermal) in views.items():
                relevance = localiser.relevance(prompt, rgb, thermal)
                for truth, mask, known in (
                    ("masks", there, ~unknown),
                    ("boxes", there | unknown, there | True),
                ):
                    found.setdefault((phrase, camera, truth), Overlap()).add(relevance, mask, known)
    rows = {" / ".join(key): _scores(overlap) for key, overlap in found.items()}
    return {"frames": count, **rows}


def _views(frame: Frame) -> dict[str, tuple[Any, Any]]:
    """The pair with one camera black, whole, and with smoke in front of the visible camera."""
    from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade

    no_rgb, no_thermal = np.zeros_like(frame.rgb), np.zeros_like(frame.thermal)
    smoke = Draw(DEGRADATIONS["smoke"], 1.0, seed=sum(frame.name.encode()))
    colour, warm = frame.rgb.astype(np.float32) / 255, frame.thermal.astype(np.float32) / 255
    hidden = (degrade(colour, warm, [smoke]).visible * 255).astype(np.uint8)
    pairs = (
        (frame.rgb, no_thermal), (no_rgb, frame.thermal), (frame.rgb, frame.thermal), (hidden, no_thermal),
        (hidden, frame.thermal),
    )  # fmt: skip
    return dict(zip(CAMERAS, pairs, strict=True))


def _scores(overlap: Overlap) -> dict[str, float]:
    return {"iou": round(overlap.iou, 3), "ap": round(overlap.average_precision, 3)}


def _phrases() -> Report:
    """The held-out words the whole way that a prompt goes, and how long a phrase takes to encode (without
    what is remembered).
    """
    from textdifuse_ros.evaluation.location import durations, read_known, read_unrelated, robustness
    from textdifuse_ros.text.embedded import EmbeddedLocaliser
    from textdifuse_ros.text.grammar import parse
    from textdifuse_ros.text.prompt import OBJECT, PromptError
    from textdifuse_ros.text.sentence import shared_encoder

    localiser = EmbeddedLocaliser()

    def strongest(phrase: str) -> str:
        try:
            prompt = parse(phrase)
            if any(part.kind != OBJECT for part in prompt.phrases):
                return "a wish"
            parts = localiser.compile(prompt).parts
        except PromptError:
            return ""
        asked = [next(iter(concepts)) for weight, concepts in parts if weight > 0]
        return asked[0] if len(asked) == len(parts) == 1 else "not one thing"

    result = robustness(strongest)
    taken = durations(shared_encoder().encode, (*read_known(), *read_unrelated()))
    return {
        "known_right": round(result.right, 3),
        "unrelated_refused": round(result.refused, 3),
        "known_wrong": list(result.wrong),
        "unrelated_accepted": list(result.accepted),
        "encoding_ms": {
            "p50": round(float(np.median(taken)), 2),
            "p95": round(float(np.percentile(taken, 95)), 2),
        },
    }


def _cost(fuser: Any, localiser: EmbeddedLocaliser) -> Report:
    """A look at a 640x480 pair beside a fusion of one step, in turn, each time other pixels."""
    import time

    from textdifuse_ros.engines.compare import scene
    from textdifuse_ros.text.grammar import parse

    rgb, thermal = scene(480, 640)
    prompt = localiser.compile(parse(PHRASES[0]))
    fusion, look = [], []
    for number in range(_RUNS + 3):
        turned = np.roll(rgb, number, axis=1), np.roll(thermal, number, axis=1)
        fusion.append(fuser.fuse(*turned, want_salience=False).model_ms)
        began = time.perf_counter()
        localiser.relevance(prompt, *turned)
        look.append((time.perf_counter() - began) * 1e3)
    fused, looked = float(np.median(fusion[3:])), float(np.median(look[3:]))
    ratio = {
        "fusion_ms": round(fused, 2),
        "localiser_ms": round(looked, 2),
        "share": round(looked / fused, 3),
    }
    return {"device": fuser.device, "dtype": fuser.dtype, **ratio}


def _table(report: Report) -> str:
    lines = []
    for part in ("pairs", "rendered"):
        if part not in report:
            continue
        lines.append(f"{part}: {report[part]['frames']} frames")
        for key, row in report[part].items():
            if isinstance(row, dict):
                lines.append(f"  {key:<32} IoU {row['iou']:.3f}  AP {row['ap']:.3f}")
    for part in ("phrases", "cost"):
        lines += [f"{part} {name}: {value}" for name, value in report.get(part, {}).items()]
    return "\n".join(lines)
