"""What a processor could do at most."""

from __future__ import annotations

import pytest
import torch

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


def test_what_a_convolution_reaches_counts_where_it_is_the_faster_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(1000))  # everything takes a second, and all convolutions have as much to do

    def works(macs: int) -> tuple[int, object]:
        return macs, lambda: None

    monkeypatch.setattr(peak, "_now", lambda place: next(clock))
    monkeypatch.setattr(peak, "_RUNS", 0)
    monkeypatch.setattr(peak, "_matrices", lambda place, dtype: works(60 * 10**9))
    monkeypatch.setattr(peak, "_convolution", lambda dtype, kernel: works(kernel * 30 * 10**9))
    assert peak.peak_gmacs("cpu", "fp32") == pytest.approx(90.0)
    assert peak.peak_gmacs("cuda:0", "fp16") == pytest.approx(60.0)
    assert peak._product_gmacs("cpu", "int8") == pytest.approx(60.0)


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_both_convolutions_have_as_many_operations_as_they_say(dtype: str) -> None:
    for kernel in (1, 3):
        macs, work = peak._convolution(dtype, kernel)
        with torch.inference_mode():
            made = work()
        assert isinstance(made, torch.Tensor) and made.shape[2:] == (240, 320)
        assert macs == made.numel() * made.shape[1] * kernel**2
