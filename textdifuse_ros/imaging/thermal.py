"""Raw thermal values to 8 bits that do not flicker, and the detection of a frozen thermal camera."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .encodings import ImageError
from .window import Windowed

RANGE_MODES = ("fixed", "percentile", "frame")
POLARITIES = ("white_hot", "black_hot")

_SAMPLES = 5000
"""About how many pixels the percentiles are taken from: enough for a quarter of a percent of accuracy."""
_RESTART_NS = 1_000_000_000
"""A stamp this far behind the previous one starts the smoothing afresh (looped bag, clock reset)."""
_NOMINAL_NS = 33_333_333
"""Time step assumed where stamps stand still or are slightly out of order."""
_MIN_SPAN = {np.dtype(np.uint8): 8.0, np.dtype(np.uint16): 16.0}
"""Narrowest window in raw counts: a flat scene must not have its sensor noise blown up to full contrast."""
_MIN_SPAN_FLOAT = 1e-4  # of the largest value: 30 mK at room temperature in kelvins
_WIDEST_STEP = 4.0  # spans by which an end of the window may move outwards in one time constant
_RANGE_LIMIT = 1e30

Window = tuple[float, float]


def crop_telemetry(raw: np.ndarray, rows: int) -> np.ndarray:
    """View of (H, W) without its last `rows` rows, where some cores write telemetry (Boson: 2 of 514).

    Raises ImageError("size") when nothing would be left.
    """
    if rows <= 0:
        return raw
    if rows >= raw.shape[0]:
        raise ImageError(
            "size",
            f"thermal.telemetry_rows {rows} leaves nothing of an image of {raw.shape[0]} rows: lower it",
        )
    return raw[: raw.shape[0] - rows]


class ThermalNormaliser:
    """Maps raw thermal values to uint8, 255 = hot, by a window of raw values.

    mode "fixed": the window is range_min..range_max, in raw units. "percentile": the percentiles low..high of
    each frame, smoothed over time_constant seconds of stamp time, so that a hot object entering the picture
    does not make the rest flicker. "frame": minimum..maximum of each frame. Values outside saturate.
    polarity "black_hot" says that the camera's small values are the hot ones.
    Not thread safe. Raises ValueError for impossible settings.
    """

    def __init__(
        self,
        mode: str = "percentile",
        range_min: float = 0.0,
        range_max: float = 255.0,
        low: float = 1.0,
        high: float = 99.0,
        time_constant: float = 1.0,
        polarity: str = "white_hot",
    ) -> None:
        self._smoothed: Window | None = None
        self._stamp_ns = 0
        self._dtype: np.dtype[np.generic] | None = None
        self.configure(mode, range_min, range_max, low, high, time_constant, polarity)

    def configure(
        self,
        mode: str,
        range_min: float,
        range_max: float,
        low: float,
        high: float,
        time_constant: float,
        polarity: str,
    ) -> None:
        """Change all settings at once, keeping the smoothed window. On ValueError the old ones stay."""
        if mode not in RANGE_MODES:
            raise ValueError(f"thermal range mode '{mode}' is unknown: use {', '.join(RANGE_MODES)}")
        if polarity not in POLARITIES:
            raise ValueError(f"thermal polarity '{polarity}' is unknown: use {', '.join(POLARITIES)}")
        if not -_RANGE_LIMIT <= range_min < range_max <= _RANGE_LIMIT:
            raise ValueError(
                f"thermal range {range_min:g}..{range_max:g} is empty or absurd: "
                f"the minimum must be the smaller one, both within +-{_RANGE_LIMIT:g}"
            )
        if not 0.0 <= low < high <= 100.0:
            raise ValueError(f"percentiles {low:g}..{high:g} must be ordered and within 0..100")
        if not (math.isfinite(time_constant) and time_constant >= 0.0):
            raise ValueError(f"time constant {time_constant:g} s must be 0 or more")
        self.mode, self.polarity = mode, polarity
        self.range_min, self.range_max = float(range_min), float(range_max)
        self.low, self.high, self.time_constant = float(low), float(high), float(time_constant)

    @property
    def window(self) -> Window | None:
        """Raw values shown as 0 and 255 by the latest percentile frame; None before it."""
        return self._smoothed

    def reset(self) -> None:
        """Forget the smoothed window: the next frame sets it anew."""
        self._smoothed = None

    def normalise(self, raw: np.ndarray, stamp_ns: int) -> np.ndarray:
        """(H, W) uint8 | uint16 | float32 at a stamp in nanoseconds to (H, W) uint8, 255 = hot.

        NaN and infinities take the smallest finite value of the frame. May return `raw` itself when nothing
        changes (8 bits, fixed 0..255). Raises ImageError: "nan" where no value is finite, "size" for an empty
        image, "encoding" for another type.
        """
        return self.windowed(raw, stamp_ns).image()

    def windowed(self, raw: np.ndarray, stamp_ns: int) -> Windowed:
        """The same before the window is applied, for who does that elsewhere."""
        if raw.ndim != 2 or raw.dtype not in (np.uint8, np.uint16, np.float32):
            text = f"thermal image {raw.shape} {raw.dtype}: (H, W) uint8, uint16 or float32 is needed"
            raise ImageError("encoding", text)
        if raw.size == 0:
            raise ImageError("size", "thermal image without pixels")
        if raw.dtype == np.float32:
            raw = fill_non_finite(raw)
        return Windowed(raw, *self._window(raw, int(stamp_ns)), self.polarity == "black_hot")

    def _window(self, raw: np.ndarray, stamp_ns: int) -> Window:
        if self.mode == "fixed":
            return self.range_min, self.range_max
        if self.mode == "frame":
            low, high, _, _ = cv2.minMaxLoc(raw)
            return _widened((low, high), raw.dtype)
        return _widened(self._smooth(_percentiles(raw, self.low, self.high), raw.dtype, stamp_ns), raw.dtype)

    def _smooth(self, window: Window, dtype: np.dtype[np.generic], stamp_ns: int) -> Window:
        """First-order low pass over stamp time: independent of the frame rate and of dropped frames.

        A window that shares nothing with the smoothed one is taken at once: nothing of the picture could be
        seen through the old one (gain switch, another scene).
        """
        elapsed = stamp_ns - self._stamp_ns
        old = None if dtype != self._dtype or elapsed < -_RESTART_NS else self._smoothed
        if old is None or self.time_constant == 0.0 or window[0] > old[1] or window[1] < old[0]:
            self._smoothed = window
        else:
            seconds = (elapsed if elapsed > 0 else _NOMINAL_NS) * 1e-9
            weight = -math.expm1(-seconds / self.time_constant)
            # A flame a hundred times hotter than the scene must not squeeze it to black within a few frames.
            limit = _WIDEST_STEP * max(old[1] - old[0], _least_span(old, dtype))
            low, high = (
                weight * min(max(new - was, -limit), limit) for new, was in zip(window, old, strict=True)
            )
            self._smoothed = (old[0] + low, old[1] + high)
        self._stamp_ns, self._dtype = stamp_ns, dtype
        return self._smoothed


def fill_non_finite(raw: np.ndarray) -> np.ndarray:
    """float32 (H, W) with NaN and infinities replaced by the smallest finite value.

    The same array when all is finite; ImageError("nan") when nothing is.
    """
    # The sum in double cannot overflow for float32 samples, so it is finite exactly when all of them are.
    if math.isfinite(cv2.sumElems(raw)[0]):
        return raw
    finite = np.isfinite(raw)
    if not finite.any():
        raise ImageError("nan", "the thermal image holds no finite value: the camera or its driver failed")
    return np.where(finite, raw, raw[finite].min())


def _percentiles(raw: np.ndarray, low: float, high: float) -> Window:
    """Two percentiles of a regular subsample."""
    stride = max(1, math.isqrt(raw.size // _SAMPLES))
    values = raw[stride // 2 :: stride, stride // 2 :: stride].ravel()
    if values.size == 0:  # a strip thinner than half a stride
        values = raw.ravel()
    at = [round((values.size - 1) * p / 100.0) for p in (low, high)]
    values = np.partition(values, at)
    return float(values[at[0]]), float(values[at[1]])


def _widened(window: Window, dtype: np.dtype[np.generic]) -> Window:
    """The window, opened about its centre to the narrowest one that makes sense for the type."""
    low, high = window
    least = _least_span(window, dtype)
    if high - low >= least:
        return window
    centre = 0.5 * (low + high)
    return centre - 0.5 * least, centre + 0.5 * least


def _least_span(window: Window, dtype: np.dtype[np.generic]) -> float:
    return _MIN_SPAN.get(np.dtype(dtype), _MIN_SPAN_FLOAT * max(abs(window[0]), abs(window[1]), 1e-6))


class FreezeDetector:
    """Tells a frozen thermal camera (flat-field correction, stuck driver) by identical frames.

    A working microbolometer has noise in every frame; frames equal in every value for longer than `timeout`
    seconds of stamp time mean that nothing is being measured. A timeout of 0 switches it off. Give it raw
    values without telemetry rows, whose counters run on. Not thread safe.
    """

    def __init__(self, timeout: float = 0.5) -> None:
        self.timeout = float(timeout)
        self._last: np.ndarray | None = None
        self._sample: np.ndarray | None = None
        self._since_ns = 0
        self._latest_ns = 0

    @property
    def frozen_for(self) -> float:
        """Seconds of stamp time over which frames have been identical."""
        return (self._latest_ns - self._since_ns) * 1e-9

    def reset(self) -> None:
        """Forget the last frame."""
        self._last = self._sample = None
        self._since_ns = self._latest_ns = 0

    def update(self, raw: np.ndarray, stamp_ns: int) -> bool:
        """Take the frame (H, W) of any type at a stamp in nanoseconds; True while the camera is frozen."""
        stamp_ns = int(stamp_ns)
        if not self._same(raw):
            self._last = raw.copy()
            step = max(1, math.isqrt(max(1, raw.size // 1024)))
            self._sample = self._last[::step, ::step].copy()
            self._since_ns = stamp_ns
        elif stamp_ns < self._latest_ns:  # time went backwards: count from here
            self._since_ns = stamp_ns
        self._latest_ns = stamp_ns
        return self.timeout > 0.0 and self.frozen_for >= self.timeout

    def _same(self, raw: np.ndarray) -> bool:
        """Equality with the last frame; almost always decided by a thousand pixels."""
        last, sample = self._last, self._sample
        if last is None or sample is None or last.shape != raw.shape or last.dtype != raw.dtype:
            return False
        step = max(1, math.isqrt(max(1, raw.size // 1024)))
        view = raw[::step, ::step]
        # Bytes, not values: NaN equals itself here.
        if view.tobytes() != sample.tobytes():
            return False
        return bool(np.array_equal(_bits(raw), _bits(last)))


def _bits(raw: np.ndarray) -> np.ndarray:
    """The array's bytes as rows, without comparing NaN by value."""
    return raw if raw.dtype != np.float32 else np.ascontiguousarray(raw).view(np.uint32)
