"""What the ROS graph suggests while a camera's topic stays silent."""

from __future__ import annotations

from rclpy.node import Node

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"


def hint_for_silence(node: Node, camera: str, topic: str, compressed: bool) -> str:
    """What to do: asks the graph, so only while nothing arrives.

    ``topic`` is the resolved name that is subscribed.
    """
    wanted = COMPRESSED if compressed else IMAGE
    endpoints = node.get_publishers_info_by_topic(topic)
    right = [endpoint for endpoint in endpoints if endpoint.topic_type == wanted]
    wrong = sorted({endpoint.topic_type for endpoint in endpoints} - {wanted})
    if wrong and not right:
        types = ", ".join(wrong)
        return f"it is published as {types}, not as {wanted}: set {camera}.transport or the remap"
    if right:
        return "it is there but sends nothing: check the camera and its driver"
    return _elsewhere(node, camera, topic, compressed)


def _elsewhere(node: Node, camera: str, topic: str, compressed: bool) -> str:
    published = {
        name: types for name, types in node.get_topic_names_and_types() if node.count_publishers(name) > 0
    }
    other_transport = topic.removesuffix("/compressed") if compressed else topic + "/compressed"
    if other_transport in published:
        right = "raw" if compressed else "compressed"
        return f"{other_transport} is published: set {camera}.transport to {right}"
    wanted = COMPRESSED if compressed else IMAGE
    own = node.resolve_topic_name("fused/image_raw"), node.resolve_topic_name("fused/salience")
    images = sorted(name for name, types in published.items() if wanted in types and name not in own)
    if images:
        return f"check the topic name; published images: {', '.join(images[:6])}"
    return "check the topic name, and that the camera's driver runs in this ROS domain"
