"""`pip install .`: the messages are generated and compiled by CMakeLists.txt, then packed into the wheel.

For a robot use colcon, for development `make setup`; `pip install -e` cannot place the type supports and is
refused. Needs what requirements-ros.txt lists: pip install --no-build-isolation .
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, find_packages, setup
from setuptools.command.build_py import build_py

NAME = "textdifuse_ros"
HERE = Path(__file__).resolve().parent


def version() -> str:
    """The version that the package states of itself."""
    for line in (HERE / NAME / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            return line.split('"')[1]
    raise RuntimeError(f"no __version__ in {NAME}/__init__.py")


class BuildWithMessages(build_py):
    """Runs CMake into a staging prefix, then hands the files to the wheel."""

    def run(self) -> None:
        if self.editable_mode:
            raise SystemExit("an editable install cannot hold the compiled messages: use `make setup`")
        super().run()
        build = Path(self.get_finalized_command("build").build_temp).resolve() / "ros"
        stage = build / "prefix"
        shutil.rmtree(stage, ignore_errors=True)
        self._cmake(build, stage)
        self._take_modules(stage)
        self._take_data(stage)

    def _cmake(self, build: Path, stage: Path) -> None:
        prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
        if sys.prefix not in prefixes:
            prefixes.append(sys.prefix)
        environment = dict(os.environ, AMENT_PREFIX_PATH=os.pathsep.join(prefixes))
        configure = [
            "cmake", "-S", str(HERE), "-B", str(build), "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_INSTALL_PREFIX={stage}", f"-DPython3_EXECUTABLE={sys.executable}",
            "-DCMAKE_PREFIX_PATH=" + ";".join(prefixes),
        ]  # fmt: skip
        subprocess.check_call(configure, env=environment)
        jobs = str(os.cpu_count() or 1)
        subprocess.check_call(
            ["cmake", "--build", str(build), "--target", "install", "-j", jobs], env=environment
        )

    def _take_modules(self, stage: Path) -> None:
        """Modules, type supports and package data, from the one list that CMake installs."""
        built = next(stage.glob(f"lib*/python*/*-packages/{NAME}"))
        for file in sorted(built.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".c":
                target = Path(self.build_lib) / NAME / file.relative_to(built)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, target)

    def _take_data(self, stage: Path) -> None:
        """Libraries, executables, launch files, configuration and the ament index."""
        data: dict[str, list[str]] = {}
        for top in ("lib", "share"):
            for file in sorted((stage / top).rglob("*")):
                if file.is_file() and not {"site-packages", "dist-packages"} & set(file.parts):
                    folder = str(file.parent.relative_to(stage))
                    data.setdefault(folder, []).append(os.path.relpath(file, HERE))
        self.distribution.data_files = list(data.items())


class BinaryDistribution(Distribution):
    """The wheel holds compiled type supports."""

    def has_ext_modules(self) -> bool:
        return True


setup(
    name=NAME,
    version=version(),
    description="Prompt-steered fusion of a thermal and an RGB camera for ROS 2",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    data_files=[("share/ament_index/resource_index/packages", [])],
    entry_points={
        "console_scripts": [
            "textdifuse = textdifuse_ros.cli.main:main",
            "fusion_node = textdifuse_ros.nodes.fusion_node:main",
            "fused_detector = textdifuse_ros.nodes.detector_node:main",
            "perception = textdifuse_ros.nodes.perception_node:main",
            "sim_cameras = textdifuse_ros.nodes.sim_cameras:main",
        ]
    },
    cmdclass={"build_py": BuildWithMessages},
    distclass=BinaryDistribution,
)
