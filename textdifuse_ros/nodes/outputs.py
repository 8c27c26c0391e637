"""The publishers of the fusion node, and the messages that they send."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.qos import DurabilityPolicy
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image

from textdifuse_ros.imaging.encodings import fill_image, from_rgb8
from textdifuse_ros.msg import FusionStatus, PromptPhrase, PromptState
from textdifuse_ros.nodes import camera_info, qos
from textdifuse_ros.nodes.frames import Outcome
from textdifuse_ros.nodes.model_holder import ModelState
from textdifuse_ros.nodes.prompts import PromptRecord
from textdifuse_ros.nodes.session import Session
from textdifuse_ros.text.explained import Explained, explain

IMAGE_TOPICS = ("fused/image_raw", "fused/salience")


class Outputs:
    """Created by configure, destroyed by cleanup. Images and status are lifecycle publishers: silent while
    the node is inactive. ~/prompt is latched and speaks in every state."""

    def __init__(self, node: Any, incompatible: Callable[[str, int], None]) -> None:
        self._node = node
        self.camera_infos: dict[str, CameraInfo] = {}

        def image_publisher(topic: str) -> Any:
            name = node.resolve_topic_name(topic)
            events = PublisherEventCallbacks(incompatible_qos=lambda e: incompatible(name, qos.policy_of(e)))
            return node.create_lifecycle_publisher(
                Image,
                topic,
                qos.image_output(),
                event_callbacks=events,
                qos_overriding_options=qos.overridable(),
            )

        self.image, self.salience = (image_publisher(topic) for topic in IMAGE_TOPICS)
        self.info = node.create_lifecycle_publisher(
            CameraInfo, "fused/camera_info", qos.image_output(), qos_overriding_options=qos.overridable()
        )
        self.status = node.create_lifecycle_publisher(FusionStatus, "~/status", qos.status_output())

    def destroy(self) -> None:
        for publisher in (self.image, self.salience, self.info, self.status):
            self._node.destroy_lifecycle_publisher(publisher)

    def subscribers(self) -> int:
        """Subscribers to the fused image that are matched."""
        try:
            return int(self.image.get_subscription_count())
        except InvalidHandle:  # being destroyed by a transition at this moment
            return 0

    def salience_wanted(self) -> bool:
        return bool(self.salience.get_subscription_count() > 0)

    def publish(self, outcome: Outcome, encoding: str, session: Session, model: ModelState) -> None:
        """Send the image first, then what belongs to it. Runs in the worker's thread."""
        began = time.monotonic()
        assert outcome.image is not None
        if self._image_wanted():
            self.image.publish(image_message(outcome.image, encoding, outcome.header))
        now = time.monotonic()
        outcome.timings.publish = (now - began) * 1e3
        outcome.timings.total = (now - outcome.taken) * 1e3
        age_ms = age(self._node.get_clock().now(), outcome.header.stamp)
        self._publish_info(outcome)
        if outcome.salience is not None and self.salience_wanted():
            self.salience.publish(grey_message(outcome.salience, outcome.header))
        session.measured(outcome, age_ms)
        self.status.publish(status_message(outcome, age_ms, session, model))

    def _image_wanted(self) -> bool:
        """Whether somebody gets the image, now or (transient local) later: if not, it is not serialised."""
        return self.image.qos_profile.durability != DurabilityPolicy.VOLATILE or self.subscribers() > 0

    def _publish_info(self, outcome: Outcome) -> None:
        known = self.camera_infos.get(outcome.camera)
        if known is None or outcome.image is None:
            return
        height, width = outcome.image.shape[:2]
        self.info.publish(camera_info.for_image(known, outcome.header, width, height))


def image_message(image: np.ndarray, encoding: str, header: Any) -> Image:
    """(H, W, 3) RGB or (H, W) grey, uint8, as a message in the output encoding."""
    if image.ndim == 2:
        if encoding == "mono8":
            return grey_message(image, header)
        converted = np.repeat(image[:, :, None], 3, axis=2)  # grey is the same in rgb8 and bgr8
    else:
        converted = from_rgb8(image, encoding)
    message = Image(header=header)
    fill_image(message, converted, encoding)
    return message


def grey_message(image: np.ndarray, header: Any) -> Image:
    """(H, W) uint8 as mono8."""
    message = Image(header=header)
    fill_image(message, image, "mono8")
    return message


def age(now: Time, stamp: Any) -> float:
    """Milliseconds from the stamp to now in the node's clock; NaN while a simulated clock is not running."""
    if now.nanoseconds == 0:
        return float("nan")
    return (now.nanoseconds - (stamp.sec * 1_000_000_000 + stamp.nanosec)) / 1e6


def status_message(outcome: Outcome, age_ms: float, session: Session, model: ModelState) -> FusionStatus:
    view = session.mailbox.view()
    timings, counters = outcome.timings, view.counters
    return FusionStatus(
        header=outcome.header,
        mode=outcome.action.value,
        prompt=outcome.prompt,
        prompt_strength=float(outcome.strength),
        steps=outcome.steps,
        engine=model.engine,
        device=model.device,
        pair_dt_ms=outcome.dt_ns / 1e6,
        age_ms=age_ms,
        wait_ms=timings.wait,
        convert_ms=timings.convert,
        model_ms=timings.model,
        publish_ms=timings.publish,
        total_ms=timings.total,
        frames_published=session.published.total,
        dropped_superseded=counters["superseded"],
        dropped_unmatched_rgb=counters["unmatched_rgb"],
        dropped_unmatched_thermal=counters["unmatched_thermal"],
        dropped_late=counters["late"],
        dropped_duplicate=counters["duplicate"],
        dropped_invalid=session.dropped_invalid(),
        dropped_by_policy=session.dropped_by_policy,
        resets=counters["reset"],
    )


def prompt_message(record: PromptRecord) -> PromptState:
    message = PromptState(
        prompt=record.text,
        strength=float(record.strength),
        localiser=record.localiser,
        in_force=record.in_force,
        last_refused=record.last_refused,
        last_reason=record.last_reason,
    )
    if record.header is not None:
        message.header = record.header
    message.phrases = [phrase_message(each) for each in explain(record.compiled)]
    return message


def phrase_message(each: Explained) -> PromptPhrase:
    """A phrase with what it is taken for, as ~/prompt lists it."""
    phrase, wish = each.phrase, each.wish
    message = PromptPhrase(
        text=phrase.text,
        weight=float(phrase.weight),
        suppressed=bool(phrase.suppressed),
        kind=phrase.kind,
        concepts=list(each.concepts),
    )
    if wish is not None:
        message.degradation, message.camera, message.region = wish.degradation, wish.camera, wish.region
        message.degree = float(wish.degree)
    return message
