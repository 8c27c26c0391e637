"""`textdifuse calibrate`: a registration file from points marked in both images, and a picture of it."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.point_pairs import read_points
from textdifuse_ros.imaging.calibration import CalibrationError, Fit, fit_homography, registration_yaml
from textdifuse_ros.imaging.encodings import ImageError
from textdifuse_ros.imaging.overlay import draw_overlay
from textdifuse_ros.imaging.registration import Registration, RegistrationError
from textdifuse_ros.imaging.thermal import ThermalNormaliser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--points",
        type=Path,
        required=True,
        metavar="FILE",
        help="CSV or YAML of u_thermal,v_thermal,u_rgb,v_rgb in pixels; at least 4 pairs, better 8 or more",
    )
    parser.add_argument("--rgb", type=Path, required=True, metavar="IMAGE", help="image of the RGB camera")
    parser.add_argument(
        "--thermal",
        type=Path,
        required=True,
        metavar="IMAGE",
        help="image of the thermal camera, 8 or 16 bits, without telemetry rows",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="registration YAML to write"
    )
    parser.add_argument(
        "--overlay", type=Path, metavar="PNG", help="picture to judge by; default: OUTPUT with .overlay.png"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=3.0,
        metavar="PIXELS",
        help="RGB pixels by which a pair may miss and still count (default 3)",
    )


def run(args: argparse.Namespace) -> int:
    """Fit, report every point, write both files or neither. Raises CliError."""
    overlay_path = args.overlay or args.output.with_suffix(".overlay.png")
    check_outputs(args, overlay_path)
    points = read_points(args.points)
    rgb, thermal = read_rgb(args.rgb), read_thermal(args.thermal)
    rgb_size, thermal_size = (rgb.shape[1], rgb.shape[0]), (thermal.shape[1], thermal.shape[0])
    try:
        fit = fit_homography(points, thermal_size, rgb_size, args.threshold)
    except CalibrationError as error:
        raise CliError(f"{args.points}: {error}") from None
    text = registration_yaml(fit, thermal_size, rgb_size)
    picture = draw_overlay(rgb, thermal, fit)
    ok, png = cv2.imencode(".png", picture)
    if not ok:
        raise CliError(f"{overlay_path}: the picture cannot be encoded as PNG")
    write_together({args.output: text.encode(), overlay_path: png.tobytes()}, verify=args.output)
    print(report(fit))
    print(f"registration: {args.output}\noverlay: {overlay_path}")
    return 0


def check_outputs(args: argparse.Namespace, overlay: Path) -> None:
    """Refuse before any work what could not be written at the end."""
    if not args.threshold > 0.0:
        raise CliError(f"--threshold {args.threshold:g}: must be positive")
    if overlay.resolve() == args.output.resolve():
        raise CliError(f"{overlay}: registration and overlay are the same file")
    inputs = {path.resolve() for path in (args.points, args.rgb, args.thermal)}
    for path in (args.output, overlay):
        if path.is_dir():
            raise CliError(f"{path}: is a folder, give a file name")
        if not path.resolve().parent.is_dir():
            raise CliError(f"{path}: its folder does not exist")
        if path.resolve() in inputs:
            raise CliError(f"{path}: would overwrite an input")


def read_rgb(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB of an image file."""
    return cv2.cvtColor(_read_image(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_thermal(path: Path) -> np.ndarray:
    """(H, W) uint8, percentile-stretched, of an 8- or 16-bit or float image file."""
    image = _read_image(path, cv2.IMREAD_UNCHANGED)
    if image.ndim == 3:
        image = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY)
    if image.dtype not in (np.uint8, np.uint16):
        image = image.astype(np.float32)
    try:
        return ThermalNormaliser("percentile").normalise(np.ascontiguousarray(image), 0)
    except ImageError as error:
        raise CliError(f"{path}: {error}") from None


def _read_image(path: Path, flags: int) -> np.ndarray:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise CliError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        image = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise CliError(f"{path}: is not an image that can be read")
    return image


def report(fit: Fit) -> str:
    """One line a point pair, then the summary, in words."""
    lines = ["pair  thermal px         rgb px             error px"]
    for index, (row, error, used) in enumerate(
        zip(fit.points, fit.errors, fit.inliers, strict=True), start=1
    ):
        mark = "" if used else "  left out: look at this pair again"
        lines.append(
            f"{index:4d}  ({row[0]:7.1f},{row[1]:7.1f})  ({row[2]:7.1f},{row[3]:7.1f})  {error:8.2f}{mark}"
        )
    used_errors = fit.errors[fit.inliers]
    lines.append(
        f"{int(fit.inliers.sum())} of {len(fit.points)} pairs used, "
        f"error rms {np.sqrt((used_errors**2).mean()):.2f} px, largest {used_errors.max():.2f} px"
    )
    if fit.inliers.sum() == 4:
        lines.append(
            "four pairs are always met exactly: the error says nothing, add more pairs to check them"
        )
    return "\n".join(lines)


def write_together(files: dict[Path, bytes], verify: Path) -> None:
    """Write files beside their places, check that the registration loads, then rename; or leave nothing."""
    waiting: dict[Path, Path] = {}
    path = verify
    try:
        for path, content in files.items():
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.resolve().parent)
            waiting[path] = Path(name)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(name, 0o666 & ~_umask())
        Registration.load(waiting[verify])
        for path in files:
            os.replace(waiting[path], path)
            del waiting[path]
    except RegistrationError as error:
        raise CliError(f"{verify}: {error}") from None
    except OSError as error:
        raise CliError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
