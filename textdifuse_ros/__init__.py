"""Prompt-steered fusion of a thermal and an RGB camera into one better camera."""

from pkgutil import extend_path

# The generated message bindings may lie in another folder of sys.path (development install).
__path__ = extend_path(__path__, __name__)
__version__ = "0.1.0"
