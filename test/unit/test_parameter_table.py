"""The parameter table: defaults, refusals, coercion, and the reference made from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from textdifuse_ros.imaging.thermal import ThermalNormaliser
from textdifuse_ros.nodes import reference
from textdifuse_ros.nodes.parameters import BY_NAME, PARAMETERS, RANGE_LIMIT, ParameterError, Settings

ROOT = Path(__file__).resolve().parents[2]


def test_every_default_is_allowed_by_its_own_row() -> None:
    for spec in PARAMETERS:
        assert spec.validate(spec.default) == spec.default
    assert Settings().changed(dict(Settings())) == Settings()


def test_every_row_is_described_in_a_sentence() -> None:
    for spec in PARAMETERS:
        assert spec.description.rstrip(".").strip()
        assert spec.description[0].isupper() or spec.description.startswith("raw")
        assert spec.description.endswith("."), spec.name


@pytest.mark.parametrize("spec", [s for s in PARAMETERS if s.minimum is not None], ids=lambda s: s.name)
def test_a_range_includes_its_ends_and_nothing_beyond(spec) -> None:  # type: ignore[no-untyped-def]
    assert spec.validate(spec.kind(spec.minimum)) == spec.minimum
    with pytest.raises(ParameterError, match="too small"):
        spec.validate(spec.kind(spec.minimum - 1))
    if spec.maximum is not None:
        assert spec.validate(spec.kind(spec.maximum)) == spec.maximum
        with pytest.raises(ParameterError, match="too large"):
            spec.validate(spec.kind(spec.maximum + 1))


def test_the_thermal_ranges_that_are_accepted_are_those_of_the_normaliser() -> None:
    widest = Settings().changed({"thermal.range_min": -RANGE_LIMIT, "thermal.range_max": RANGE_LIMIT})
    ThermalNormaliser("fixed", widest.number("thermal.range_min"), widest.number("thermal.range_max"))
    with pytest.raises(ParameterError, match=r"thermal\.range_max: 1e\+31"):
        Settings().changed({"thermal.range_max": 10 * RANGE_LIMIT})


def test_a_truth_value_is_no_integer() -> None:
    with pytest.raises(ParameterError, match="integer"):
        BY_NAME["threads"].validate(True)


def test_off_read_as_false_is_understood_where_off_is_a_choice() -> None:
    assert BY_NAME["restore"].validate(False) == "off"
    with pytest.raises(ParameterError):
        BY_NAME["on_rgb_loss"].validate(False)


def test_a_refused_change_changes_nothing() -> None:
    before = Settings().changed({"steps": 2})
    with pytest.raises(ParameterError) as caught:
        before.changed({"prompt_strength": 0.5, "steps": 7})
    assert caught.value.name == "steps"
    assert before["prompt_strength"] == 1.0


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:11"])
def test_devices_that_are_names_of_devices(device: str) -> None:
    assert Settings().changed({"device": device}).text("device") == device


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:0", ""])
def test_devices_that_are_not(device: str) -> None:
    with pytest.raises(ParameterError, match="cuda:N"):
        Settings().changed({"device": device})


def test_the_generated_yaml_holds_every_parameter_with_its_default_and_type() -> None:
    content = yaml.safe_load(reference.yaml_text())["/**"]["ros__parameters"]
    assert content == dict(Settings())
    assert all(type(content[spec.name]) is spec.kind for spec in PARAMETERS)


def test_the_documentation_holds_the_table_as_it_is() -> None:
    page = (ROOT / "docs" / "node.md").read_text(encoding="utf-8")
    assert reference.update(page) == page, (
        "run: python -m textdifuse_ros.nodes.reference --update docs/node.md"
    )


def test_updating_a_file_without_markers_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain.md"
    plain.write_text("no markers here\n")
    assert reference.main(["--update", str(plain)]) == 2
    assert "plain.md" in capsys.readouterr().err
    assert plain.read_text() == "no markers here\n"
