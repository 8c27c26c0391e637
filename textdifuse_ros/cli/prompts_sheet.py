"""`textdifuse prompts-sheet`: pairs before and after their prompts, on one small picture."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors, training_errors
from textdifuse_ros.cli.image_files import write_jpeg
from textdifuse_ros.cli.model_options import add_engine_arguments, check_steps, check_strength, make_fuser
from textdifuse_ros.evaluation.contact_sheet import SheetRow, draw, fitted
from textdifuse_ros.text.grammar import format_prompt
from textdifuse_ros.text.prompt import OBJECT, Phrase, Prompt, PromptError

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.train.data import Pair

Bytes = NDArray[np.uint8]
COLUMNS = ("RGB", "thermal", "without", "with the prompt", "where it points")
MOST_BYTES = 300_000
WANTED, CALMED = (255, 150, 40), (70, 140, 255)  # colours of the relevance map
_SCENE_SHARE = 0.35  # of the thermal image under the relevance map


@dataclass(frozen=True)
class Scene:
    """A validation pair ("set/stem"), its prompt, and the setting restore of both pictures."""

    pair: str
    prompt: str
    restore: str = "auto"


SCENES = (
    Scene("msrs/00006N", "person"),
    Scene("roadscene/FLIR_06916", "bicycle*2"),
    Scene("msrs/00029N", "pedestrians, no cars"),
    Scene("m3fd/00061", "pedestrians, keep the sky calm"),
    Scene("msrs/00017N", "warm objects"),
    Scene("msrs/00029N", "brighten the dark, remove the noise", "off"),
    Scene("msrs/00014N", "brighten the cars"),
    Scene("m3fd/00082", "remove the haze"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of data sets")
    parser.add_argument(
        "--row",
        nargs=3,
        action="append",
        default=[],
        metavar=("SET/STEM", "PROMPT", "RESTORE"),
        help="instead of the eight rows that are there by default; may be given several times. RESTORE: "
        "auto or off, where the prompt's wishes begin",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="JPG", help=f"at most {MOST_BYTES // 1000} kB"
    )
    parser.add_argument("--steps", default="1", metavar="1|2|4|teacher", help="sampler steps (1)")
    parser.add_argument("--strength", type=float, default=1.0, metavar="S", help="of the prompts, 0 to 2 (1)")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file or the prompt and the reason."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    steps = check_steps(args)
    check_strength(args)
    if args.output.suffix.lower() not in (".jpg", ".jpeg"):
        raise CliError(f"{args.output}: --output is written as JPEG: give it a name that ends in .jpg")
    scenes = [_scene(*words) for words in args.row] or list(SCENES)
    pairs = _pairs(args.data, scenes)
    fuser = make_fuser(args)
    rows = []
    for scene in scenes:
        with named_value_errors(Path(scene.pair)):
            rows.append(_row(fuser, pairs[scene.pair], scene, steps, args.strength))
    size = write_jpeg(args.output, draw(COLUMNS, rows), MOST_BYTES)
    print(
        f"{len(rows)} rows into {args.output}, {size // 1000} kB, weights {fuser.weights_id}, steps {steps}"
    )
    return 0


def _scene(pair: str, prompt: str, restore: str) -> Scene:
    if restore not in ("auto", "off"):
        raise CliError(f"--row {pair} {prompt!r} {restore}: the last word is auto or off")
    return Scene(pair, prompt, restore)


def _pairs(root: Path, scenes: Iterable[Scene]) -> dict[str, Pair]:
    """The pairs of the scenes. Raises CliError for one that is missing, or that trains."""
    from textdifuse_ros.train.data import DATA_SETS, load_folder
    from textdifuse_ros.train.stills import validation_names

    wanted, known = {scene.pair for scene in scenes}, {each.name: each for each in DATA_SETS}
    for name in sorted(wanted - validation_names()):
        raise CliError(f"--row {name}: is not in validation.txt, the pairs that never train")
    found: dict[str, Pair] = {}
    with training_errors():
        for folder in sorted({name.split("/")[0] for name in wanted}):
            found |= {pair.name: pair for pair in load_folder(root, known[folder], names=wanted)}
    for name in sorted(wanted - set(found)):
        raise CliError(f"{root}: has no pair {name}, in vis/ and ir/ of that folder")
    return found


def _row(fuser: Fuser, pair: Pair, scene: Scene, steps: int, strength: float) -> SheetRow:
    try:
        prompt = fuser.compile_prompt(scene.prompt)
    except PromptError as error:
        raise CliError(f"--row {scene.pair} {scene.prompt!r}: {error}") from error
    without, after = (
        fuser.fuse(pair.visible, pair.thermal, each, steps, strength=strength, restore=scene.restore).image
        for each in ("", prompt)
    )
    where = relevance_picture(signed_relevance(fuser, pair, prompt.prompt), pair.thermal)
    grey = np.repeat(pair.thermal[..., None], 3, axis=2)
    caption = f'"{scene.prompt}"' + (", from restore off" if scene.restore == "off" else "")
    return SheetRow(caption, [fitted(each) for each in (pair.visible, grey, without, after, where)])


def signed_relevance(fuser: Fuser, pair: Pair, prompt: Prompt) -> NDArray[np.float32]:
    """What is to stand out, and where a wish for a region works, above 0, what is to keep calm below: float32
    (H, W) in [-1, 1].

    The salience of a picture shows the positive part only, so each half is asked for by itself.
    """
    total = np.zeros(pair.thermal.shape, np.float32)
    for sign, suppressed in ((1, False), (-1, True)):
        phrases = tuple(named for p in prompt.phrases if (named := _named(p, suppressed)) is not None)
        if phrases:
            fused = fuser.fuse(pair.visible, pair.thermal, format_prompt(Prompt("", phrases)), fuser.steps[0])
            if fused.salience is not None:
                total += sign * fused.salience.astype(np.float32) / 255
    return total


def _named(phrase: Phrase, suppressed: bool) -> Phrase | None:
    """The object of a phrase of that sign, or a wish's region, as one that is to stand out."""
    if phrase.kind == OBJECT:
        return replace(phrase, suppressed=False) if phrase.suppressed == suppressed else None
    if suppressed or phrase.wish is None or not phrase.wish.region:
        return None
    return replace(phrase, text=phrase.wish.region, kind=OBJECT, wish=None, weight=1.0, suppressed=False)


def relevance_picture(relevance: NDArray[np.float32], thermal: Bytes) -> Bytes:
    """RGB uint8 (H, W, 3): relevance in colour, one above 0 and one below, over a dim thermal image."""
    scene = np.repeat(thermal[..., None] * np.float32(_SCENE_SHARE), 3, axis=2)
    share = np.abs(relevance)[..., None]
    colour = np.where(relevance[..., None] >= 0, np.array(WANTED, np.float32), np.array(CALMED, np.float32))
    return np.asarray(np.rint(scene * (1 - share) + colour * share), np.uint8)
