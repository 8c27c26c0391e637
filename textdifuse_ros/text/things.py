"""What prompts are mostly about, by the names that the grammar itself knows; a localiser knows many more."""

from __future__ import annotations

PERSONS = (
    "people", "persons", "humans", "men", "women", "pedestrians", "cyclists", "bicyclists", "motorcyclists",
    "riders", "bikers", "drivers", "passengers", "workers", "children", "kids", "adults", "walkers",
    "runners", "soldiers", "firefighters", "rescuers", "survivors", "victims", "casualties", "intruders",
    "figures", "everybody", "everyone", "somebody", "someone", "anybody", "anyone",
)  # fmt: skip
VEHICLES = (
    "vehicles", "cars", "trucks", "lorries", "buses", "vans", "bikes", "bicycles", "motorcycles",
    "motorbikes", "scooters", "taxis", "automobiles",
)  # fmt: skip
SURROUNDINGS = ("sky", "skies", "road", "roads", "street", "streets", "ground", "background")
SEVERAL = (*PERSONS, *VEHICLES, "roads", "streets", "buildings", "trees", "animals", "objects", "things")
ONE = (
    "person", "human", "man", "woman", "pedestrian", "cyclist", "animal", "vehicle", "vehicular", "car",
    "truck", "lorry", "bus", "van", "bike", "bicycle", "motorcycle", "motorbike", "traffic", "sky", "road",
    "street", "building", "tree", "kid",
)  # fmt: skip
