"""What a processor could do at most."""

from __future__ import annotations

import pytest

from textdifuse_ros.evaluation import peak


@pytest.mark.parametrize(("bf16", "most"), [(1.0, 60.0), (200.0, 200.0)])
def test_a_processor_without_bf16_is_held_against_what_it_does_in_fp32(
    monkeypatch: pytest.MonkeyPatch, bf16: float, most: float
) -> None:
    reached = {"bf16": bf16, "fp32": 60.0}
    monkeypatch.setattr(peak, "_product_gmacs", lambda device, dtype: reached[dtype])
    assert peak.peak_gmacs("cpu", "bf16") == most
    assert peak.peak_gmacs("cpu", "fp32") == 60.0
    assert peak.peak_gmacs("cuda:0", "bf16") == bf16


def test_a_slow_product_is_not_repeated_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0])  # one product: a second one would find no time left
    monkeypatch.setattr(peak, "_now", lambda place: next(clock))
    assert peak.peak_gmacs("cpu", "fp32") == pytest.approx(1536**3 / 5.0 / 1e9)
