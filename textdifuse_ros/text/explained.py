"""A prompt as it was understood, phrase by phrase: for people and for messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from textdifuse_ros.text.localiser import CompiledPrompt
from textdifuse_ros.text.prompt import OBJECT, Phrase
from textdifuse_ros.text.restoration import Wish


@dataclass(frozen=True)
class Explained:
    """A phrase; what the localiser takes its object, or the region of its wish, for, most of all first, each
    with how far, in (0, 1] (nothing with a localiser that does not sort phrases); its wish, None for an
    object."""

    phrase: Phrase
    concepts: Mapping[str, float] = field(default_factory=dict)
    wish: Wish | None = None


def explain(compiled: CompiledPrompt) -> tuple[Explained, ...]:
    """All phrases, in the order of the prompt."""
    named = iter(compiled.taken_for)
    regions = iter(compiled.wishes)
    explained = []
    for phrase in compiled.prompt.phrases:
        if phrase.kind == OBJECT:
            explained.append(Explained(phrase, next(named, {})))
        else:
            wish = next(regions, None)
            region = None if wish is None else wish.region
            explained.append(Explained(phrase, _any(() if region is None else region.taken_for), phrase.wish))
    return tuple(explained)


def lines(compiled: CompiledPrompt) -> list[str]:
    """A line for each phrase."""
    return [_line(each) for each in explain(compiled)]


def _line(each: Explained) -> str:
    phrase, wish = each.phrase, each.wish
    concepts = ", ".join(f"{name} {share:.2f}" for name, share in each.concepts.items())
    if wish is None:
        what = "keep calm" if phrase.suppressed else "stand out"
        return f"object  '{phrase.text}': {what}, weight {phrase.weight:g}" + (
            f", taken for {concepts}" if concepts else ""
        )
    where = f"region '{wish.region}'" if wish.region else "whole frame"
    taken = f" (taken for {concepts})" if concepts else ""
    what = f"{'leave' if wish.keep else 'remove'} {wish.degradation.replace('_', ' ')}"
    return (
        f"wish    '{phrase.text}': {what}, "
        f"weight {phrase.weight:g}, camera {wish.camera or 'any'}, {where}{taken}, degree {wish.degree:g}"
    )


def _any(named: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """What any of several phrases is taken for."""
    found: dict[str, float] = {}
    for concepts in named:
        for name, share in concepts.items():
            found[name] = max(share, found.get(name, 0.0))
    return dict(sorted(found.items(), key=lambda item: -item[1]))
