"""Remaps that are wrong although every topic has a publisher: the graph shows them, the images do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rclpy.node import Node

from textdifuse_ros.nodes.loss import RGB, THERMAL, other
from textdifuse_ros.nodes.outputs import IMAGE_TOPICS

_COMPRESSED = "/compressed"


def wrong_input(camera: str, topics: Mapping[str, str], own: Sequence[str]) -> str:
    """What is wrong with the topic of this camera, "" if nothing is. ``topics``: resolved names of both
    cameras' images; ``own``: of the images that this node publishes."""
    topic = topics[camera]
    bare = {name: each.removesuffix(_COMPRESSED) for name, each in topics.items()}
    if bare[camera] in own:
        return (
            f"{topic} is this node's own output: remap {camera}/image_raw to the {camera} camera, "
            "or the output to another name"
        )
    if camera == THERMAL and bare[RGB] == bare[THERMAL]:  # said once, of the camera that is rarely right then
        return (
            f"{topic} is the topic of the {other(camera)} camera as well: remap rgb/image_raw and "
            "thermal/image_raw to one camera each"
        )
    return ""


def shared_output(topic: str, publishers: Sequence[str]) -> str:
    """What is wrong with an output that has these publishers, of which this node is one; "" if nothing is."""
    if len(publishers) < 2:
        return ""
    return (
        f"{topic} has {len(publishers)} publishers ({', '.join(sorted(publishers))}), whose images mix: "
        "stop the others, or start this node in a namespace of its own"
    )


def own_images(node: Node) -> list[str]:
    """Resolved names of the images that the fusion node publishes."""
    return [node.resolve_topic_name(topic) for topic in IMAGE_TOPICS]


def publishers_of(node: Node, topic: str) -> list[str]:
    """Fully qualified names of the nodes that publish the topic, one for each publisher."""
    if node.count_publishers(topic) < 2:  # the usual case, and much cheaper than to ask who they are
        return []
    infos = node.get_publishers_info_by_topic(topic)
    return [f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos]
