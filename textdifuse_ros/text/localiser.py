"""Localisers turn phrases into relevance maps. A new one is one class and one line in the registry.

How to add one: docs/prompts.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.text.prompt import OBJECT, Phrase, Prompt, PromptError

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class LocaliserError(RuntimeError):
    """A localiser that cannot be had here. ``str(error)`` is one line that says what to install or to set."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


@dataclass(frozen=True)
class CompiledPrompt:
    """A prompt that a localiser has accepted. Localisers derive from it (a dataclass as well) to keep what
    they worked out; ``wishes`` is filled in by `textdifuse_ros.text.wishes.compile_prompt`, not by them.
    ``taken_for``: what each object phrase is taken for, each with how far, in (0, 1], most of all first; ()
    from a localiser that does not sort phrases.
    """

    prompt: Prompt
    localiser: str
    wishes: tuple[CompiledWish, ...] = field(default=(), kw_only=True)
    taken_for: tuple[Mapping[str, float], ...] = field(default=(), kw_only=True)

    @property
    def objects(self) -> tuple[Phrase, ...]:
        """The phrases that name objects and have a weight above 0."""
        return tuple(p for p in self.prompt.phrases if p.kind == OBJECT and p.weight > 0)


@dataclass(frozen=True)
class CompiledWish:
    """A restoration wish as the network takes it.

    ``removals``: the restoration controls that it sets, each in [0, 1], those of a wish to keep as a share of
    what is done without it; ``region``: where it applies, None for the whole frame.
    """

    phrase: Phrase
    removals: Mapping[str, float]
    region: CompiledPrompt | None = None


def refuse_undone(phrase: Phrase, before: float, same: str) -> None:
    """Raises PromptError for a phrase that takes back all of `before`, the signed weights of those in front
    of it that are the same to a localiser. same: says so, and what to do.
    """
    if before and before + phrase.signed == 0:
        said = f"'{phrase.text}' would undo what stands in front of it: {same}"
        raise PromptError(said, phrase.text, phrase.start)


class Localiser(Protocol):
    """Finds what phrases name. One object serves one thread at a time."""

    name: str

    def compile(self, prompt: Prompt) -> CompiledPrompt:
        """The slow part, once a prompt. Raises PromptError for a phrase that it cannot locate.

        prompt: phrases that name objects only; restoration wishes are taken out before.
        """

    def relevance(self, compiled: CompiledPrompt, rgb: Bytes, thermal: Bytes) -> Floats:
        """Where the prompt applies, once a frame: float32 (H, W) in [-1, 1].

        rgb: uint8 (H, W, 3); thermal: uint8 (H, W), normalised and registered. The result is the sum of
        weight x map over the objects, suppressed ones negative, clipped. Raises ValueError for a prompt
        that another localiser compiled.
        """


@runtime_checkable
class Prepared(Protocol):
    """What a localiser has besides, if it needs something heavy for `relevance`: a model, a thread."""

    def prepare(self) -> None:
        """Load it; called once, before the first frame, off the frame path. Raises LocaliserError."""

    def close(self) -> None:
        """Let go of it; called at most once, from the thread that calls `relevance`."""


@runtime_checkable
class Encodes(Protocol):
    """What a localiser has besides, if it has to encode what `compile` only checked."""

    def ready(self, compiled: CompiledPrompt) -> bool:
        """Whether `relevance` starts at once with this prompt. What is still to be encoded is from now on, in
        a thread of its own; called from the thread that calls `relevance`."""


@runtime_checkable
class Learns(Protocol):
    """What a localiser has besides, if several phrases cost it less together than one by one."""

    def learn(self, phrases: Sequence[Phrase]) -> None:
        """All phrases of a prompt that name objects, those in regions of wishes included: called before
        `compile` gets them in parts. Refuses nothing; raises LocaliserError as `compile` does."""


def stands_in(localiser: Localiser) -> str:
    """One line on why this localiser is used instead of the one that was asked for, "" where it is that."""
    return str(getattr(localiser, "stands_in", ""))


Factory = Callable[..., Localiser]  # of the options that it takes, by name


def _make_embedded(device: str = "cpu", dtype: str = "fp32") -> Localiser:
    from textdifuse_ros.text.embedded import EmbeddedLocaliser
    from textdifuse_ros.text.heat import HeatLocaliser
    from textdifuse_ros.text.sentence import EncoderMissing, find_encoder

    try:
        find_encoder()
    except EncoderMissing as missing:
        return HeatLocaliser(instead_of="embedded", because=str(missing))
    return EmbeddedLocaliser(device, dtype)


def _make_heat() -> Localiser:
    from textdifuse_ros.text.heat import HeatLocaliser

    return HeatLocaliser()


def _make_clip(
    model: str = "ViT-B-16",
    weights: str = "openai",
    rate: float = 0.0,
    device: str = "cpu",
    dtype: str = "fp32",
) -> Localiser:
    from textdifuse_ros.text.clip import ClipLocaliser
    from textdifuse_ros.text.clip_import import require_open_clip

    require_open_clip()
    return ClipLocaliser(model, weights, rate, device, dtype)


_FACTORIES: dict[str, Factory] = {"embedded": _make_embedded, "heat": _make_heat, "clip": _make_clip}


def register_localiser(name: str, factory: Factory) -> None:
    """Make a localiser available under a name. Factories import what they need when they are called.

    A factory names the options that it takes: any of model, weights, rate [Hz], device and dtype.
    """
    if name in _FACTORIES:
        raise ValueError(f"a localiser '{name}' is registered already")
    _FACTORIES[name] = factory


def localiser_names() -> tuple[str, ...]:
    """The registered names, the default first."""
    return tuple(_FACTORIES)


def make_localiser(name: str = "embedded", **options: Any) -> Localiser:
    """A new localiser. Options that it does not take are left out, so that all share one set of parameters.

    Without its encoder `embedded` is the localiser `heat`, whose `stands_in` says why.

    Raises ValueError naming the known ones, LocaliserError for one that needs something installed.
    """
    if name not in _FACTORIES:
        raise ValueError(f"there is no localiser '{name}': choose one of {', '.join(_FACTORIES)}")
    factory = _FACTORIES[name]
    taken = inspect.signature(factory).parameters
    return factory(**{option: value for option, value in options.items() if option in taken})
