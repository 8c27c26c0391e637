"""TensorRT: a plan for each size and number of steps, built once on a machine and kept in the cache."""

from __future__ import annotations

from textdifuse_ros.engines import cache
from textdifuse_ros.engines import tensorrt_plan as plans
from textdifuse_ros.engines.accelerator import Accelerator
from textdifuse_ros.engines.graph import Graph
from textdifuse_ros.engines.program import check_exportable, export_on
from textdifuse_ros.engines.tensorrt_runtime import Libraries, PlanRunner, build
from textdifuse_ros.model.network import FusionNetwork


class TensorRtMaker:
    """Makes the graph a plan: from the cache in a second, else built in minutes.

    Raises EngineError for a teacher, and with what to install where TensorRT's libraries are missing.
    """

    name, quick = "tensorrt", False

    def __init__(self, network: FusionNetwork, accelerator: Accelerator, dtype: str) -> None:
        check_exportable(network)
        self._libraries = Libraries()
        self._accelerator, self._dtype = accelerator, dtype
        self._machine = self._libraries.machine(accelerator)
        self._weights = plans.weights_digest(network)
        self._progress = ""
        self._unkept = ""

    @property
    def progress(self) -> str:
        return self._progress

    @property
    def unkept(self) -> str:
        """Why the latest plan that was built will have to be built again, "" where it is in the cache."""
        return self._unkept

    def make(self, network: FusionNetwork, height: int, width: int, steps: int) -> Graph:
        self._unkept = ""
        key = plans.make_key(self._machine, self._weights, height, width, steps, self._dtype)
        try:
            return self._kept(key) or self._built(network, key)
        finally:
            self._progress = ""

    def _kept(self, key: plans.PlanKey) -> PlanRunner | None:
        """From the cache; None, so that it is built again, for what is not whole or not for here."""
        plan = plans.load(key)
        if plan is None:
            return None
        self._progress = "loading the plan"
        try:
            return PlanRunner(self._libraries, plan, self._accelerator, key.height, key.width)
        except RuntimeError as error:  # EngineError, and what the library itself has to say about the bytes
            cache.refuse(key.entry, " ".join(str(error).split()))
            return None

    def _built(self, network: FusionNetwork, key: plans.PlanKey) -> PlanRunner:
        self._progress = "exporting the graph"
        size, device = (key.height, key.width), self._accelerator.device
        program = export_on(network, key.steps, key.dtype, size, device, as_bytes=False)
        self._progress = "TensorRT is choosing its kernels"
        with plans.timings(self._machine) as timings:
            plan = build(self._libraries, program, key.height, key.width, str(device), timings)
        self._progress = "loading the plan"
        runner = PlanRunner(self._libraries, plan, self._accelerator, key.height, key.width)
        if not plans.store(key, plan):
            kept = (cache.folder() / key.entry).parent
            self._unkept = (
                f"engine tensorrt: the plan cannot be kept in {kept} and will be built again: make that a "
                "folder of this user's that no one else may write to, or set TEXTDIFUSE_CACHE to another"
            )
        return runner
