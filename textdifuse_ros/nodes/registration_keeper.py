"""The registration in use: built and checked when a parameter is set, swapped between two frames. No ROS."""

from __future__ import annotations

from textdifuse_ros.imaging.registration import Registration
from textdifuse_ros.nodes.parameters import ParameterError, Settings

_NAMES = ("registration.mode", "registration.file", "registration.plane_depth")


def build(settings: Settings) -> Registration:
    """The registration that these settings ask for. Raises ParameterError with the reason."""
    mode, path = settings.text("registration.mode"), settings.text("registration.file")
    if mode == "none":
        return Registration()
    try:
        return Registration.load(path, mode=mode, plane_depth=settings.number("registration.plane_depth"))
    except (OSError, ValueError) as error:
        raise ParameterError("registration.file", " ".join(str(error).split())) from error


class RegistrationKeeper:
    """``current`` is read once a frame by the worker."""

    def __init__(self) -> None:
        self.current = Registration()
        self._vetted: tuple[tuple[object, ...], Registration] | None = None

    def vet(self, candidate: Settings, changed: set[str]) -> None:
        if changed & set(_NAMES):
            self._vetted = (_key(candidate), build(candidate))

    def apply(self, accepted: Settings, changed: set[str]) -> None:
        if not changed & set(_NAMES):
            return
        vetted = self._vetted
        self.current = vetted[1] if vetted and vetted[0] == _key(accepted) else build(accepted)


def _key(settings: Settings) -> tuple[object, ...]:
    return tuple(settings[name] for name in _NAMES)
