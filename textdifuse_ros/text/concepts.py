"""What the embedded localiser can find, by name (no torch)."""

from __future__ import annotations

# Found by the network, in the order of its outputs.
SEEN = ("person", "bicycle", "motorcycle", "car", "bus", "truck", "sky", "road")
# Found by the thermal contrast (contrast.py).
FELT = ("warm", "cold")
CONCEPTS = (*SEEN, *FELT)
