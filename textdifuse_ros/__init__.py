"""Prompt-steered fusion of a thermal and an RGB camera into one better camera."""

import os
from pkgutil import extend_path

# The generated message bindings may lie in another folder of sys.path (development install).
__path__ = extend_path(__path__, __name__)
__version__ = "0.1.0"

# Threads of the network sleep while they wait for each other, instead of spinning. On a robot the cores are
# shared: with three other busy processes on two cores, spinning made a step up to six times slower. OpenMP
# reads this once, when torch is loaded, so it stands here; a value that is set already is left alone.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
