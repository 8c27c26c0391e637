"""The one object everybody uses: the command line, the node and the benchmarks share this path."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.base import Bytes, Floats, Keeps, TakesCameras
from textdifuse_ros.engines.cpu_threads import use_threads
from textdifuse_ros.engines.registry import make_engine
from textdifuse_ros.imaging import thermal_evidence, tone
from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.imaging.evidence import Found
from textdifuse_ros.imaging.repair import NOTHING, put_right, shares_of
from textdifuse_ros.imaging.thermal_evidence import CONTROL, ThermalFound
from textdifuse_ros.imaging.window import Windowed
from textdifuse_ros.model import weights as weight_files
from textdifuse_ros.model.controls import NONE, Controls, evident, farther, spared
from textdifuse_ros.model.controls import controls as named_controls
from textdifuse_ros.model.judge import Judge
from textdifuse_ros.text.boxes import Hints, sharpened
from textdifuse_ros.text.localiser import CompiledPrompt, Encodes, Localiser, Prepared, make_localiser
from textdifuse_ros.text.reading import read_prompt
from textdifuse_ros.text.wishes import Pass, asked, blend, held_back, passes

RESTORE = ("auto", "off")
SMALLEST_SIDE = 16
# The network is trained for relevance in [-1, 1]. Weight 1 at strength 1 is a little above the middle of it:
# persons, cars and bicycles gain a quarter of contrast there, and weights and strengths above 1 have room.
RELEVANCE_GAIN = 0.6


@dataclass(frozen=True)
class Fused:
    """image uint8 (H, W, 3) RGB; salience uint8 (H, W), the positive part of the relevance map, or None.

    on_device: the same image as a tensor on the device, where that was asked for and is to be had: not on the
    CPU, and not where regional wishes are blended in on the host. register_ms: of `fuse_cameras`, on the host
    before the network; 0 where the device does it, within model_ms. repaired: faults that the images gave
    away and that are repaired without a wish, with their levels in [0, 1] (FAULTS of `imaging.evidence` and
    of `imaging.thermal_evidence`, and VEIL of `imaging.repair`).
    """

    image: Bytes
    salience: NDArray[np.uint8] | None
    model_ms: float
    total_ms: float
    on_device: Tensor | None = None
    register_ms: float = 0.0
    repaired: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Base:
    """The RGB image with its levels put right, what the network has to be run for, and what the image gave
    away."""

    rgb: Bytes
    runs: tuple[Pass, ...]
    repaired: Mapping[str, float]


class Fuser:
    """Fuses registered pairs. Not thread safe: one caller at a time.

    weights: path of a safetensors file, None or "" for the shipped one. device: auto, cpu, cuda,
    cuda:N. engine and dtype: auto or a name. threads: of the CPU, 0 leaves what the calling thread has.
    background: for a process that other networks may share. An engine that takes long to build is built while
    the eager one works, and takes over between two frames; threads 0 is then torch's own choice, all cores.
    localiser: a registered name, with localiser_options as in `text.localiser.register_localiser`, or a
    localiser that is made already.
    Raises WeightsError, EngineError or LocaliserError with the reason and the mend.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        device: str = "auto",
        engine: str = "auto",
        dtype: str = "auto",
        threads: int = 0,
        localiser: str | Localiser = "embedded",
        localiser_options: Mapping[str, Any] | None = None,
        background: bool = False,
    ) -> None:
        self._threads = threads
        if threads > 0 or background:  # another network may have set its own number before
            use_threads(threads)
        path = Path(weights) if weights else weight_files.SHIPPED
        network = weight_files.load(path)
        self.weights_id = weight_files.identity(path)
        self._engine = make_engine(engine, network, device, dtype, self.weights_id, background, threads)
        located = "fp32" if self.dtype == "int8" else self.dtype  # 8 bits are for the fusion network alone
        self._localiser = (
            make_localiser(localiser, device=self.device, dtype=located, **(localiser_options or {}))
            if isinstance(localiser, str)
            else localiser
        )
        if isinstance(self._localiser, Prepared):
            self._localiser.prepare()
        self._judge = Judge()
        self.steps = self._engine.steps

    @property
    def device(self) -> str:
        """Where the network runs, as in "cpu" or "cuda:0"."""
        return self._engine.device

    @property
    def engine(self) -> str:
        """What runs the network now; what is being built or has failed may follow after a comma."""
        return self._engine.name

    @property
    def trouble(self) -> str:
        """Why the network does not run with the engine that was asked for, "" where it does."""
        return self._engine.trouble if isinstance(self._engine, BackgroundEngine) else ""

    @property
    def dtype(self) -> str:
        """Arithmetic of the network now: fp32, bf16, int8 or fp16."""
        return self._engine.dtype

    def enter_thread(self) -> None:
        """To be called first in a thread that will call `fuse`, where other networks run in this process."""
        use_threads(self._threads)

    def compile_prompt(self, text: str) -> CompiledPrompt:
        """Parse and encode a prompt, the slow part. Raises PromptError with the reason."""
        return read_prompt(self._localiser, text)

    def ready(self, prompt: CompiledPrompt) -> bool:
        """Whether a frame with this prompt starts at once. What its localiser has still to encode it encodes
        from now on, in a thread of its own; a frame that does not wait for that waits for it itself."""
        localiser = self._localiser
        if not isinstance(localiser, Encodes):
            return True
        regions = [wish.region for wish in prompt.wishes if wish.region is not None]
        return all(localiser.ready(each) for each in (prompt, *regions))

    def fuse(
        self,
        rgb: Bytes,
        thermal: Bytes,
        prompt: str | CompiledPrompt = "",
        steps: int = 1,
        *,
        strength: float = 1.0,
        restore: str | Mapping[str, float] = "auto",
        want_salience: bool = True,
        hints: Hints | None = None,
        keep_on_device: bool = False,
        settle: Callable[[Found], Found] = lambda found: found,
        settle_thermal: Callable[[ThermalFound], ThermalFound] = lambda found: found,
    ) -> Fused:
        """Fuse one registered pair.

        rgb: uint8 (H, W, 3) in RGB order; thermal: uint8 (H, W), normalised, of the same size.
        steps: one of `self.steps`. strength in [0, 2] scales the prompt; 0 is the same, bit for bit, as no
        prompt. restore: "auto" repairs what is plain to see (`AUTO` of `model.controls`) and what the images
        give away (of the RGB one `EVIDENT`), "off" nothing, a mapping says how far each is removed (names of
        `model.controls`, those left out as with "auto"); restoration wishes in the prompt start from there.
        keep_on_device: see Fused.
        hints: boxes that sharpen where the prompt's objects are, see `text.boxes.sharpened`. settle,
        settle_thermal: what of what the images give away counts, as `imaging.settling` says for a video.
        A wish that is limited to a region costs one more run of the network where it changes something.
        Raises ValueError naming what does not fit, PromptError for a text that cannot be followed.
        """
        began = time.perf_counter()
        _check(rgb, thermal)
        _check_asked(thermal.shape, strength, steps, self.steps)
        compiled = self.compile_prompt(prompt) if isinstance(prompt, str) else prompt
        base = self._base(restore, rgb, compiled, strength, settle)
        thermal, warm = self._thermal(restore, thermal, compiled, strength, settle_thermal)
        base = replace(base, repaired={**base.repaired, **warm})
        fused = self._fused(
            base.rgb, thermal, compiled, steps, base, strength=strength, hints=hints,
            want_salience=want_salience, keep_on_device=keep_on_device,
        )  # fmt: skip
        return replace(fused, total_ms=(time.perf_counter() - began) * 1e3)

    def _fused(
        self,
        rgb: Bytes,
        thermal: Bytes,
        compiled: CompiledPrompt,
        steps: int,
        base: _Base,
        *,
        strength: float,
        want_salience: bool,
        hints: Hints | None,
        keep_on_device: bool,
    ) -> Fused:
        relevance: Floats | None = None
        salience: NDArray[np.uint8] | None = None
        if compiled.objects and strength > 0:
            relevance = self._localiser.relevance(compiled, rgb, thermal)
            if hints is not None:
                relevance = sharpened(relevance, hints)
            if want_salience:
                salience = (np.clip(relevance, 0, 1) * 255 + 0.5).astype(np.uint8)
            relevance = np.clip(relevance * np.float32(RELEVANCE_GAIN * strength), -1, 1)
        elif want_salience:
            salience = np.zeros(thermal.shape, np.uint8)
        whole, *regional = base.runs
        keeps = self._engine if isinstance(self._engine, Keeps) else None
        if keeps is not None:
            keeps.keep = keep_on_device and not regional
        image, model_ms = self._engine.run(rgb, thermal, relevance, steps, whole.controls)
        for each in regional:
            over, more_ms = self._engine.run(rgb, thermal, relevance, steps, each.controls)
            image, model_ms = blend(image, over, self._where(each, rgb, thermal)), model_ms + more_ms
        kept = None if keeps is None else keeps.kept
        return Fused(image, salience, model_ms, 0.0, kept, repaired=base.repaired)

    def fuse_cameras(
        self,
        cameras: Cameras,
        prompt: str | CompiledPrompt = "",
        steps: int = 1,
        *,
        strength: float = 1.0,
        restore: str | Mapping[str, float] = "auto",
        want_salience: bool = True,
        hints: Hints | None = None,
        keep_on_device: bool = False,
        settle: Callable[[Found], Found] = lambda found: found,
        settle_thermal: Callable[[ThermalFound], ThermalFound] = lambda found: found,
    ) -> Fused:
        """Fuse one pair as it comes: thermal window and registration first, then as `fuse`. Where only the
        reference camera sees, the image is its own. settle, settle_thermal: what of what the images give away
        counts, as `imaging.settling` says for a video. A thermal image is judged only where it is shown as it
        came: a window that somebody has chosen is their word.

        On a device that takes them there; on the host where objects or regions have to be found in the
        registered images, and on a CPU.
        """
        began = time.perf_counter()
        size, engine = cameras.remap.size[::-1], self._engine
        _check_asked(size, strength, steps, self.steps)
        compiled = self.compile_prompt(prompt) if isinstance(prompt, str) else prompt
        # Of the camera's own image: a registered one has black edges.
        base = self._base(restore, cameras.rgb, compiled, strength, settle)
        cameras = replace(cameras, rgb=base.rgb)
        if cameras.thermal.as_it_came:
            shown = cameras.thermal.image()
            right, warm = self._thermal(restore, shown, compiled, strength, settle_thermal)
            if right is not shown:
                cameras = replace(cameras, thermal=Windowed(right, 0.0, 255.0, inverted=False))
            base = replace(base, repaired={**base.repaired, **warm})
        whole, *regional = base.runs
        found = bool(regional) or (bool(compiled.objects) and strength > 0)
        if found or not isinstance(engine, TakesCameras) or not engine.takes_cameras(*size, steps):
            rgb, thermal = cameras.registered()
            registered = (time.perf_counter() - began) * 1e3
            fused = self._fused(
                rgb, thermal, compiled, steps, base, strength=strength, hints=hints,
                want_salience=want_salience, keep_on_device=keep_on_device and not cameras.remap.restores,
            )  # fmt: skip
            total = (time.perf_counter() - began) * 1e3
            image = cameras.restored(fused.image, rgb, thermal)
            return replace(fused, image=image, register_ms=registered, total_ms=total)
        keeps = engine if isinstance(engine, Keeps) else None
        if keeps is not None:
            keeps.keep = keep_on_device
        image, model_ms = engine.run_cameras(cameras, steps, whole.controls)
        kept = None if keeps is None else keeps.kept
        salience = np.zeros(size, np.uint8) if want_salience else None
        total = (time.perf_counter() - began) * 1e3
        return Fused(image, salience, model_ms, total, kept, repaired=base.repaired)

    def _base(
        self,
        restore: str | Mapping[str, float],
        rgb: Bytes,
        compiled: CompiledPrompt,
        strength: float,
        settle: Callable[[Found], Found],
    ) -> _Base:
        if restore not in RESTORE and not isinstance(restore, Mapping):
            raise ValueError(f"restore is {restore!r}, it must be one of {RESTORE} or a mapping")
        explicit = _explicit(restore)
        colours = asked(compiled.wishes, "colour_cast", strength)
        haze = max(asked(compiled.wishes, "haze", strength), farther("haze", explicit.get("haze", 0.0)))
        off = restore == "off"
        if off and colours == haze == 0:
            return _Base(rgb, passes(compiled.wishes, NONE, strength), {})
        found = settle(self._judge.look(rgb, haze > 0))
        if off:
            image = put_right(rgb, found, NOTHING, colours, haze)
            return _Base(image, _runs(compiled, NONE, strength, found), {})
        stay = _stay(restore, compiled, strength)
        # What else is wrong with the light of an image, or its colours, stays with what is to be kept of it.
        kept = stay | {name for kind in tone.KINDS if stay & {*kind} for name in kind}
        shares = shares_of(found, kept)
        image = put_right(rgb, found, shares, colours, haze, kept)
        beyond = tone.lacking(found.tone)
        raised = {name: shares.faults.get(name, 0.0) * beyond for name in ("low_light", "visible_contrast")}
        values = named_controls(explicit, evident({**raised, "haze": shares.faults.get("fog", 0.0)}))
        return _Base(image, _runs(compiled, values, strength, found), shares.repaired(found))

    def _thermal(
        self,
        restore: str | Mapping[str, float],
        thermal: Bytes,
        compiled: CompiledPrompt,
        strength: float,
        settle: Callable[[ThermalFound], ThermalFound],
    ) -> tuple[Bytes, Mapping[str, float]]:
        """A thermal image, uint8 (H, W), 255 = hot, with its levels put right, and the faults it gave away.
        Where nothing is lacking it is the same array."""
        if restore == "off" or CONTROL in _stay(restore, compiled, strength):
            return thermal, {}
        found = settle(self._judge.look_thermal(thermal))
        repaired = {name: found.levels[name] for name in found.shares}
        return thermal_evidence.put_right(thermal, found), repaired

    def _where(self, each: Pass, rgb: Bytes, thermal: Bytes) -> Floats:
        """Where a pass counts: float32 (H, W) in [0, 1], the most relevant of its regions in each pixel."""
        maps = [self._localiser.relevance(region, rgb, thermal) for region in each.regions]
        return np.clip(np.maximum.reduce(maps), 0, 1)

    @property
    def progress(self) -> str:
        """What is being built now, in a few words, "" when nothing is or nobody says."""
        return str(getattr(self._engine, "progress", ""))

    def prepare(self, height: int, width: int, steps: int) -> None:
        """Build what the first frame of this size would build, and wait for it. Raises EngineError."""
        self._engine.prepare(height, width, steps)

    def close(self) -> None:
        """Release device memory, and what the localiser holds."""
        if isinstance(self._localiser, Prepared):
            self._localiser.close()
        self._engine.close()


def _explicit(restore: str | Mapping[str, float]) -> Mapping[str, float]:
    """Controls that are said outright."""
    return {} if isinstance(restore, str) else restore


def _stay(restore: str | Mapping[str, float], compiled: CompiledPrompt, strength: float) -> frozenset[str]:
    """Controls of faults that are to stay, by the wishes or outright."""
    outright = {name for name, value in _explicit(restore).items() if value == 0}
    return held_back(compiled.wishes, strength) | outright


def _runs(compiled: CompiledPrompt, base: Controls, strength: float, found: Found) -> tuple[Pass, ...]:
    """What the network has to be run for. A veil that was lifted is no longer there to be taken."""
    runs = passes(compiled.wishes, base, strength)
    if found.veil is None:
        return runs
    return tuple(replace(each, controls=spared(each.controls, "haze", found.veil.share)) for each in runs)


def _check(rgb: Bytes, thermal: Bytes) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"rgb must be uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    if thermal.ndim != 2 or thermal.dtype != np.uint8:
        raise ValueError(f"thermal must be uint8 (H, W), got {thermal.dtype} {thermal.shape}")
    if rgb.shape[:2] != thermal.shape:
        raise ValueError(
            f"rgb is {rgb.shape[:2]} and thermal {thermal.shape}: register them to one size first"
        )


def _check_asked(size: tuple[int, ...], strength: float, steps: int, possible: tuple[int, ...]) -> None:
    if min(size) < SMALLEST_SIDE:
        raise ValueError(f"images of {size} are too small, the least side is {SMALLEST_SIDE} pixels")
    if not 0 <= strength <= 2:
        raise ValueError(f"strength is {strength}, it must lie in [0, 2]")
    if steps not in possible:
        raise ValueError(f"steps is {steps}, these weights are for one of {possible}")
