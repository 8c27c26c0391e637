"""What both managed nodes share, where it goes wrong: parameters at the wrong moment, a worker that does not
end, inputs that cannot be made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from managed_rig import ERROR, FAILURE, SUCCESS, ManagedRig, managed_rig
from waiting import DEADLINE

from textdifuse_ros.nodes.fusion import FusionNode
from textdifuse_ros.nodes.session import Session

pytestmark = pytest.mark.ros


@pytest.fixture
def fusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ManagedRig]:
    with managed_rig(FusionNode, tmp_path, monkeypatch) as rig:
        yield rig


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ManagedRig]:
    pytest.importorskip("vision_msgs.msg", reason="vision_msgs is neither installed nor stood in for")
    from textdifuse_ros.nodes.detector import DetectorNode

    with managed_rig(DetectorNode, tmp_path, monkeypatch) as rig:
        yield rig


@pytest.fixture(params=["fusion", "detector"])
def rig(request: pytest.FixtureRequest) -> Any:
    """Either node."""
    return request.getfixturevalue(request.param)


# -- parameters at the wrong moment --------------------


@pytest.mark.parametrize("transition", ["configure", "activate"])
def test_what_activate_reads_cannot_change_while_a_model_loads(fusion: ManagedRig, transition: str) -> None:
    answers: dict[str, Any] = {}

    def ask() -> None:
        for name, value in (("weights", "/other"), ("localiser", "heat"), ("rgb.transport", "compressed")):
            answers[name] = fusion.set(**{name: value})
        answers["steps"] = fusion.set(steps=2)

    if transition == "activate":
        fusion.activate()
        assert fusion.node.trigger_deactivate() == SUCCESS
    fusion.while_building = ask
    fusion.activate()
    assert answers.pop("steps").successful  # live parameters change at any time
    for name, answer in answers.items():
        assert not answer.successful
        assert answer.reason == (
            f"{name}: cannot change while the transition {transition} runs: "
            "try again when the node is active or inactive"
        )
    assert fusion.node.get_parameter("localiser").value == "embedded"
    assert "while the node is active" in fusion.set(localiser="heat").reason
    assert fusion.node.trigger_deactivate() == SUCCESS
    assert fusion.set(localiser="heat").successful


def test_a_transition_that_begins_while_a_parameter_is_checked_is_noticed(fusion: ManagedRig) -> None:
    loading, go = threading.Event(), threading.Event()
    configure = threading.Thread(target=fusion.node.trigger_configure)

    def build() -> None:
        loading.set()
        assert go.wait(DEADLINE)

    def vet(candidate: Any, changed: set[str]) -> None:
        if "localiser" not in changed:
            return
        configure.start()
        assert loading.wait(DEADLINE)

    fusion.while_building = build
    fusion.node.parameters.add_vet(vet)
    try:
        assert "configure runs" in fusion.set(localiser="heat").reason
    finally:
        go.set()
        configure.join(DEADLINE)
    assert fusion.node.trouble == ""


def test_a_transition_that_fails_leaves_the_parameters_free(fusion: ManagedRig) -> None:
    def fail() -> None:
        raise RuntimeError("no such file")

    fusion.while_building = fail
    assert fusion.node.trigger_configure() == FAILURE
    assert fusion.set(weights="").successful and fusion.set(device="cpu").successful


def test_the_transition_that_is_advised_after_a_failed_one_is_possible(rig: ManagedRig) -> None:
    def fail() -> None:
        raise RuntimeError("no memory")

    node = rig.node
    for state, advised in (("unconfigured", "configure"), ("inactive", "activate")):
        assert node._state_machine.current_state[1] == state
        rig.while_building = fail
        assert getattr(node, f"trigger_{advised}")() == FAILURE
        model = node.diagnostics.reports(0.0)["model"][1]
        assert model.message.endswith(f"no memory; set the parameter right and {advised} again")
        rig.while_building = lambda: None
        assert getattr(node, f"trigger_{advised}")() == SUCCESS
        if advised == "configure":
            node.model.release()  # as a deactivation does


def test_a_change_that_cannot_be_taken_over_is_answered_and_the_others_take_it(rig: ManagedRig) -> None:
    def fail(settings: Any, changed: set[str]) -> None:
        raise RuntimeError("a defect")

    taken: list[set[str]] = []
    rig.node.parameters.add_apply(fail)
    rig.node.parameters.add_apply(lambda settings, changed: taken.append(changed))
    assert rig.set(loss_timeout=2.0).successful
    assert rig.node.parameters.settings.number("loss_timeout") == 2.0
    assert taken == [{"loss_timeout"}]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bad topic!", "must not contain characters other than alphanumerics"),
        ("", "must not be empty"),
        ("boxes//found", "must not contain repeated '/'"),
        ("{camera}/found", "unknown substitution: {camera}"),
    ],
)
def test_what_is_no_name_of_a_topic_is_refused(rig: ManagedRig, name: str, reason: str) -> None:
    parameter = "detections_topic" if isinstance(rig.node, FusionNode) else "prompt_topic"
    answer = rig.set(**{parameter: name})
    assert not answer.successful
    assert answer.reason.startswith(f"{parameter}: {name!r} is no name of a topic: ")
    assert reason in answer.reason
    assert "\n" not in answer.reason and "/rcl/" not in answer.reason
    for good in ("~/found", "/front/found", "{node}/found", "found_2"):
        assert rig.set(**{parameter: good}).successful


# -- inputs that cannot be made --------------------


def test_inputs_that_fail_half_made_leave_no_subscription(
    rig: ManagedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    create = rig.node.create_subscription

    def create_one(kind: Any, topic: str, *arguments: Any, **more: Any) -> Any:
        if made:
            raise RuntimeError("no more")
        made.append(topic)
        return create(kind, topic, *arguments, **more)

    assert rig.node.trigger_configure() == SUCCESS
    with monkeypatch.context() as patch:
        patch.setattr(rig.node, "create_subscription", create_one)
        assert rig.node.trigger_activate() == ERROR
    assert made and rig.subscribed() == []
    assert rig.node.trouble == "activate failed: no more"
    rig.activate()
    assert len(set(rig.subscribed())) == len(rig.subscribed()) > 1


# -- a worker that does not end --------------------


def test_a_worker_that_does_not_end_keeps_its_model_to_itself(
    fusion: ManagedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, model = fusion.node, fusion.activate()
    stop = Session.stop
    with monkeypatch.context() as patch:
        patch.setattr(Session, "stop", lambda session, timeout: stop(session, 0.0))  # nobody waits here
        fusion.pair(0)
        assert model.began.wait(DEADLINE)
        assert node.trigger_deactivate() == SUCCESS
        assert not node.is_active()
        assert node.trigger_activate() == FAILURE
        assert "activate failed: the worker of the last activation is still busy" in node.trouble
        assert not node.release() and not node.release()
        assert node.trigger_cleanup() == SUCCESS
        assert node.trigger_configure() == FAILURE
        assert not model.closed and len(fusion.built) == 1
    model.go.set()
    assert node.release()
    assert model.closed
    assert fusion.activate() is not model


def test_an_activation_after_a_late_end_loads_the_model_anew(
    fusion: ManagedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, first = fusion.node, fusion.activate()
    stop = Session.stop
    fusion.pair(0)
    assert first.began.wait(DEADLINE)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "stop", lambda session, timeout: stop(session, 0.0))
        assert node.trigger_deactivate() == SUCCESS
    first.go.set()
    monkeypatch.setattr(Session, "stop", lambda session, timeout: stop(session, DEADLINE))
    second = fusion.activate()
    assert second is not first and first.closed and not second.closed


def test_the_process_does_not_close_a_model_that_is_in_use(
    fusion: ManagedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, stop = fusion.activate(), Session.stop
    asked: list[float] = []

    def give_up(session: Session, timeout: float) -> bool:
        asked.append(timeout)
        return stop(session, 0.0)

    fusion.pair(0)
    assert model.began.wait(DEADLINE)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "stop", give_up)
        assert not fusion.node.close()
    assert not model.closed and asked == [3.0]


# -- the detector's classes --------------------


def test_the_classes_of_a_model_are_known_as_long_as_it_is_there(detector: ManagedRig) -> None:
    node = detector.node
    detector.activate()
    assert not detector.set(classes="dog").successful
    assert node.trigger_deactivate() == SUCCESS
    assert node.classes.names == {}
    assert detector.set(classes="dog").successful  # of a model that is chosen next
    assert detector.set(classes="car").successful
    assert node.trigger_activate() == SUCCESS
    assert node.classes.current.indices == (1,)
    assert node.trigger_deactivate() == SUCCESS and node.trigger_cleanup() == SUCCESS
    assert node.trigger_configure() == SUCCESS and node.classes.names
    assert node.trigger_cleanup() == SUCCESS
    assert node.classes.names == {}


def test_another_model_may_be_chosen_together_with_its_classes(detector: ManagedRig) -> None:
    assert detector.node.trigger_configure() == SUCCESS
    assert "'dog' is not a class" in detector.set(classes="dog").reason
    assert detector.set(model="animals.pt").successful
    assert detector.set(classes="dog").successful
