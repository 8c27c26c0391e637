"""What the ROS graph suggests while a camera's topic stays silent."""

from __future__ import annotations

from rclpy.node import Node

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"


def hint_for_silence(node: Node, topic: str, compressed: bool, transport: str = "") -> str:
    """What to do: asks the graph, so only while nothing arrives.

    ``topic`` is the resolved name that is subscribed; ``transport`` the parameter that chooses between raw
    and compressed images, "" where there is none.
    """
    wanted = COMPRESSED if compressed else IMAGE
    endpoints = node.get_publishers_info_by_topic(topic)
    right = [endpoint for endpoint in endpoints if endpoint.topic_type == wanted]
    wrong = sorted({endpoint.topic_type for endpoint in endpoints} - {wanted})
    if wrong and not right:
        types = ", ".join(wrong)
        mend = f"set {transport} or the remap" if transport else "remap it to a topic of that type"
        return f"it is published as {types}, not as {wanted}: {mend}"
    if right:
        return "it is there but sends nothing: check the camera and its driver"
    return _elsewhere(node, topic, compressed, transport)


def _elsewhere(node: Node, topic: str, compressed: bool, transport: str) -> str:
    published = {
        name: types for name, types in node.get_topic_names_and_types() if node.count_publishers(name) > 0
    }
    other_transport = topic.removesuffix("/compressed") if compressed else topic + "/compressed"
    if other_transport in published:
        right = "raw" if compressed else "compressed"
        mend = (
            f"set {transport} to {right}"
            if transport
            else "republish it raw (ros2 run image_transport republish)"
        )
        return f"{other_transport} is published: {mend}"
    wanted = COMPRESSED if compressed else IMAGE
    own = {
        name for name, _ in node.get_publisher_names_and_types_by_node(node.get_name(), node.get_namespace())
    }
    images = sorted(name for name, types in published.items() if wanted in types and name not in own)
    if images:
        return f"check the topic name; published images: {', '.join(images[:6])}"
    return "check the topic name, and that the camera's driver runs in this ROS domain"
