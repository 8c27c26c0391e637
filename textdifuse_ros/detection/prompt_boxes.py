"""Which of the boxes that a detector found a prompt means. No ROS."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textdifuse_ros.detection.classes import by_phrase
from textdifuse_ros.text.boxes import Hint, Hints
from textdifuse_ros.text.prompt import Phrase


@dataclass(frozen=True)
class Found:
    """One detection: the name of its class, its score, and x0, y0, x1, y1 in pixels."""

    name: str
    score: float
    box: tuple[float, float, float, float]

    @property
    def is_sane(self) -> bool:
        """Finite, with an area and a score."""
        left, top, right, bottom = self.box
        finite = all(math.isfinite(value) for value in (*self.box, self.score))
        return finite and right > left and bottom > top and self.score > 0


def hints(phrases: Sequence[Phrase], found: Iterable[Found], strength: float) -> Hints:
    """The boxes that the phrases mean, as strong as score x weight. A box that a suppressed phrase means
    counts as suppressed, whatever else asks for it ("vehicles, no cars").

    phrases: objects with a weight above 0, see CompiledPrompt.objects.
    """
    boxes = [one for one in found if one.is_sane]
    names = {index: one.name for index, one in enumerate(boxes)}
    weights: dict[tuple[int, bool], float] = {}
    seen, total = {False: 0.0, True: 0.0}, {False: 0.0, True: 0.0}
    for phrase in phrases:
        meant = by_phrase(phrase.text, names)
        total[phrase.suppressed] += phrase.weight
        seen[phrase.suppressed] += phrase.weight if meant else 0.0
        for index in meant:
            key = (index, phrase.suppressed)
            weights[key] = max(weights.get(key, 0.0), phrase.weight)
    made = tuple(
        Hint(boxes[index].box, min(1.0, boxes[index].score * weight), suppressed)
        for (index, suppressed), weight in weights.items()
        if suppressed or (index, True) not in weights
    )
    asked, calmed = (seen[kind] / total[kind] if total[kind] else 0.0 for kind in (False, True))
    return Hints(strength, made, asked, calmed)
