"""What the launch files decide, as plain data: arguments, parameters, remaps, environment.

The files in launch/ only turn these objects into actions, so everything here is tested on machines that have
no launch system, and a node can be started with the same command line without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = "textdifuse_ros"
DRIVERS = ("flir_boson", "hikmicro", "lepton_uvc", "optris", "seek", "spinnaker")
PROFILE_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
SHIPPED = "shipped"

Value = bool | int | float | str


@dataclass(frozen=True)
class Argument:
    """A launch argument; values are always text. An empty default leaves the matter to the params file."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeSpec:
    """One node to start. `parameters` win over `params_files`, later files over earlier ones."""

    executable: str
    name: str
    namespace: str = ""
    params_files: tuple[str, ...] = ()
    parameters: Mapping[str, Value] = field(default_factory=dict)
    remappings: tuple[tuple[str, str], ...] = ()
    log_level: str = "info"

    def ros_arguments(self) -> list[str]:
        """The arguments behind the executable that mean the same as this object."""
        return ["--ros-args", *self.own_arguments(), "--log-level", self.log_level]

    def own_arguments(self) -> list[str]:
        """Those of them that are about this node, not about its process."""
        words = ["-r", f"__node:={self.name}"]
        if self.namespace:
            words += ["-r", f"__ns:={absolute_namespace(self.namespace)}"]
        for source, target in self.remappings:
            words += ["-r", f"{source}:={target}"]
        for file in self.params_files:
            words += ["--params-file", file]
        for name, value in self.parameters.items():
            words += ["-p", f"{name}:={literal(value)}"]
        return words

    def overrides(self) -> str:
        """`parameters` as the text of a params file."""
        lines = ["/**:", "  ros__parameters:"]
        lines += [f"    {name}: {literal(value)}" for name, value in self.parameters.items()]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Composition:
    """Several nodes in one process: `executable` takes what is meant for one of them behind its option."""

    executable: str
    nodes: Mapping[str, NodeSpec]  # by option
    log_level: str = "info"

    def arguments(self) -> list[str]:
        """The arguments behind the executable, without those of ROS for the whole process."""
        return [word for option, node in self.nodes.items() for word in (option, *node.own_arguments())]


def literal(value: Value) -> str:
    """`value` as YAML that no reader can mistake: text stays text even when it reads `5`, `yes` or `1e3`.

    JSON is such YAML: its text is in double quotes. (What PyYAML writes is not: it leaves 1e3 and y bare,
    which ROS reads as a number and as true.)
    """
    return json.dumps(value, ensure_ascii=False)


FALSE_TRUE = ("", "false", "true")
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")

RIG_ARGUMENTS: tuple[Argument, ...] = (
    Argument(
        "params_file",
        "",
        "YAML file with parameters of the fusion node. Empty: config/fusion.yaml of this package, which "
        "holds every parameter with its default.",
    ),
    Argument(
        "driver",
        "",
        "Take the settings for this thermal camera's driver, config/drivers/<driver>.yaml; params_file wins.",
        ("", *DRIVERS),
    ),
    Argument(
        "prompt",
        "",
        "What must stand out, for example prompt:='warm objects*1.5, no hot spots'. Always text, even when "
        "it looks like a number. Empty: as in the params file.",
    ),
    Argument(
        "device", "", "Where the network runs: auto, cpu, cuda or cuda:N. Empty: as in the params file."
    ),
    Argument(
        "use_sim_time", "", "Take the time from /clock. Empty: as in the params file (false).", FALSE_TRUE
    ),
    Argument(
        "autostart",
        "",
        "Configure and activate without being asked; false waits for a lifecycle manager. Empty: as in the "
        "params file (true).",
        FALSE_TRUE,
    ),
    Argument("log_level", "info", "Least severe messages to log.", LOG_LEVELS),
    Argument(
        "fastdds_profile",
        SHIPPED,
        "Fast DDS profile with a shared-memory segment larger than an image; camera drivers need it as well. "
        "'shipped' is config/fastdds_shm.xml, a path is another file, empty sets none. Not applied when "
        f"{PROFILE_VARIABLE} is already set.",
    ),
)

TOPIC_ARGUMENTS: tuple[Argument, ...] = (
    Argument("rgb_topic", "rgb/image_raw", "RGB images (without /compressed, also for compressed ones)."),
    Argument("thermal_topic", "thermal/image_raw", "Thermal images (without /compressed)."),
    Argument("rgb_info_topic", "rgb/camera_info", "CameraInfo of the RGB camera; it need not exist."),
    Argument(
        "thermal_info_topic", "thermal/camera_info", "CameraInfo of the thermal camera; it need not exist."
    ),
)

NAMESPACE_ARGUMENT = Argument(
    "namespace", "", "Namespace of the node and of all its relative topics, for example rig_front."
)

FUSION_ARGUMENTS: tuple[Argument, ...] = (*TOPIC_ARGUMENTS, NAMESPACE_ARGUMENT, *RIG_ARGUMENTS)

_SIM_OWN: tuple[Argument, ...] = (
    Argument(
        "sim_params_file",
        "",
        "YAML file with parameters of the simulated cameras. Empty: config/sim.yaml of this package.",
    ),
    Argument("seed", "", "Which street, people and noise. Empty: as in sim_params_file."),
    Argument("rate", "", "RGB images a second. Empty: as in sim_params_file."),
)
SIM_ARGUMENTS: tuple[Argument, ...] = (NAMESPACE_ARGUMENT, *RIG_ARGUMENTS, *_SIM_OWN)

TWO_RIG_ARGUMENTS: tuple[Argument, ...] = (
    Argument("rigs", "front,rear", "Namespaces of the rigs, separated by commas; one fusion node for each."),
    Argument("simulate", "false", "Start simulated cameras in each namespace as well.", ("false", "true")),
    *RIG_ARGUMENTS,
    *_SIM_OWN,
)


def absolute_namespace(namespace: str) -> str:
    """`namespace` as `__ns` wants it: one leading slash, none at the end."""
    return "/" + namespace.strip("/")


def defaults(arguments: Sequence[Argument]) -> dict[str, str]:
    """Each argument's default."""
    return {argument.name: argument.default for argument in arguments}


def fusion_node(values: Mapping[str, str], share: Path) -> NodeSpec:
    """The fusion node for launch arguments `values`; `share` is the folder that holds config/.

    Raises ValueError, with a sentence for the user, for a file that does not exist.
    """
    parameters: dict[str, Value] = {}
    for name in ("prompt", "device"):
        if values[name]:
            parameters[name] = values[name]
    for name in ("use_sim_time", "autostart"):
        if values[name]:
            parameters[name] = values[name] == "true"
    return NodeSpec(
        executable="fusion_node",
        name="textdifuse",
        namespace=values.get("namespace", ""),
        params_files=_fusion_files(values, share),
        parameters=parameters,
        remappings=_remappings(values),
        log_level=values["log_level"],
    )


def sim_cameras(values: Mapping[str, str], share: Path, seed_offset: int = 0) -> NodeSpec:
    """The simulated cameras; `seed_offset` makes the streets of several rigs different."""
    file = values["sim_params_file"] or str(share / "config" / "sim.yaml")
    parameters: dict[str, Value] = {}
    if values["seed"] or seed_offset:
        parameters["seed"] = _number(int, "seed", values["seed"] or "0") + seed_offset
    if values["rate"]:
        parameters["rate"] = float(_number(float, "rate", values["rate"]))
    return NodeSpec(
        executable="sim_cameras",
        name="sim_cameras",
        namespace=values.get("namespace", ""),
        params_files=(existing(file, "sim_params_file"),),
        parameters=parameters,
        log_level=values["log_level"],
    )


def simulation(values: Mapping[str, str], share: Path) -> list[NodeSpec]:
    """sim.launch.py: simulated cameras and a fusion node that sees them."""
    return [sim_cameras(values, share), fusion_node(values, share)]


def rigs(values: Mapping[str, str], share: Path) -> list[NodeSpec]:
    """two_camera_rig.launch.py: a fusion node in each namespace, with its own cameras when simulating."""
    names = [name.strip().strip("/") for name in values["rigs"].split(",") if name.strip().strip("/")]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"rigs:={values['rigs']!r} must name at least one rig, each of them once")
    nodes = []
    for index, name in enumerate(names):
        own = {**values, "namespace": name}
        if values["simulate"] == "true":
            nodes.append(sim_cameras(own, share, seed_offset=index))
        nodes.append(fusion_node(own, share))
    return nodes


def environment(values: Mapping[str, str], share: Path, current: Mapping[str, str]) -> dict[str, str]:
    """Variables to set for the nodes, given those that are set already."""
    profile = values["fastdds_profile"]
    if not profile or current.get(PROFILE_VARIABLE):
        return {}
    file = str(share / "config" / "fastdds_shm.xml") if profile == SHIPPED else profile
    return {PROFILE_VARIABLE: existing(file, "fastdds_profile")}


def existing(file: str, argument: str) -> str:
    """`file`, which must exist; raises ValueError naming the launch argument that asked for it."""
    if not Path(file).is_file():
        raise ValueError(f"{argument}: there is no file {file}")
    return file


def _fusion_files(values: Mapping[str, str], share: Path) -> tuple[str, ...]:
    """Files from the most general to the most particular."""
    config = share / "config"
    files = []
    if not values["params_file"]:
        files.append(existing(str(config / "fusion.yaml"), "params_file"))
    if values["driver"]:
        files.append(existing(str(config / "drivers" / f"{values['driver']}.yaml"), "driver"))
    if values["params_file"]:
        files.append(existing(values["params_file"], "params_file"))
    return tuple(files)


def _remappings(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    rules = []
    for argument in TOPIC_ARGUMENTS:
        topic = values.get(argument.name, argument.default)
        if topic == argument.default:
            continue
        rules.append((argument.default, topic))
        if argument.default.endswith("image_raw"):
            # Transport compressed subscribes below the image's topic.
            rules.append((f"{argument.default}/compressed", f"{topic}/compressed"))
    return tuple(rules)


def _number(kind: type, name: str, text: str) -> int:
    try:
        return kind(text)  # type: ignore[no-any-return]
    except ValueError:
        raise ValueError(f"{name}:={text} is not a number") from None
