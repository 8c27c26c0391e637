"""What the node publishes for a pair: image, header, CameraInfo, status, salience."""

from __future__ import annotations

import numpy as np
import pytest
from harness import (
    Cameras,
    Image,
    Rig,
    at,
    stamp_of,
)

from textdifuse_ros.imaging.encodings import to_array
from textdifuse_ros.msg import FusionStatus

pytestmark = pytest.mark.ros


def test_a_pair_becomes_one_fused_image_with_the_rgb_header(rig: Rig) -> None:
    fused, status = rig.listen("/fused/image_raw", Image), rig.listen("/textdifuse/status", FusionStatus)
    rig.start()
    cameras = Cameras(rig).ready()
    cameras.thermal(at(3))
    sent = cameras.rgb(at(0))
    got = fused.wait(lambda m: stamp_of(m) == at(0))
    assert (got.width, got.height, got.encoding, got.step) == (160, 120, "rgb8", 480)
    assert got.header == sent.header
    assert np.ptp(to_array(got)) > 20  # a picture, not a flat field
    state = status.wait(lambda m: stamp_of(m) == at(0))
    assert state.mode == FusionStatus.FUSED
    assert state.steps == 1
    assert state.frames_published == 1
    assert state.pair_dt_ms == pytest.approx(3.0)
    assert state.model_ms > 0
    assert state.total_ms >= state.model_ms
