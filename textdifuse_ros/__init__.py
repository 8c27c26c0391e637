"""Prompt-steered fusion of a thermal and an RGB camera into one better camera."""

import os
from pkgutil import extend_path

# The generated message bindings may lie in another folder of sys.path (development install).
__path__ = extend_path(__path__, __name__)
__version__ = "0.1.0"

# Threads of the network that wait for each other spin for a moment and then sleep. By default they spin much
# longer, which is right on idle cores and wrong on a robot's: with three other busy processes on two cores a
# step took 2.1 s, with this 0.5 s, at a cost of 6 % where the cores are idle. OpenMP reads this once, when
# torch is loaded, so it stands here; whoever has set either variable is left alone.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
