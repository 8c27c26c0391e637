"""Training of the embedded localiser: labels, examples, a run that is resumed, and the words."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_line import refused, textdifuse

from textdifuse_ros.model import weights
from textdifuse_ros.text import embedded_weights
from textdifuse_ros.text.concepts import CONCEPTS, SEEN
from textdifuse_ros.text.embedded_network import LocaliserConfig, LocaliserNetwork
from textdifuse_ros.text.words import Words
from textdifuse_ros.train import localiser as training
from textdifuse_ros.train import localiser_data, stills
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.fields import FieldError
from textdifuse_ros.train.localiser_config import LocaliserTraining
from textdifuse_ros.train.localiser_data import load_set, simulated
from textdifuse_ros.train.localiser_examples import HEIGHT, WIDTH, Frames, _one_of, _weight, draw, prepare
from textdifuse_ros.train.localiser_labels import add_box, add_surroundings, empty, here
from textdifuse_ros.train.localiser_words import calibrate
from textdifuse_ros.train.vocabulary import read_vocabulary, same_words

FEW = LocaliserTraining(
    iterations=2, batch=2, device="cpu", precision="fp32", simulated=0, checkpoint_every=1
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A pair with a bright, warm person in each folder; thermal or visible alone where a set has no more."""
    root = tmp_path / "data"
    for each in localiser_data.SETS:
        folder = root / each.name
        (folder / "boxes").mkdir(parents=True)
        (folder / "classes.txt").write_text("person\nbicycle\ncar\n")
        (folder / "boxes" / "a.txt").write_text("0 0.5 0.5 0.2 0.5\n")
        for camera, there in (("vis", each.vis), ("ir", each.ir)):
            if there:
                (folder / camera).mkdir()
                picture = np.full((120, 160, 3), 40, np.uint8)
                picture[35:85, 68:92] = 200
                cv2.imwrite(str(folder / camera / "a.png"), picture)
    return root


@pytest.fixture(autouse=True)
def no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words(("person",), np.ones((1, 384), np.float32), np.zeros((1, len(CONCEPTS)), np.float32), 0.5)
    monkeypatch.setattr(training, "train_words", lambda seed: words)
    monkeypatch.setattr(training, "_BALANCED", 4)  # examples: enough to see that it happens


def test_a_box_becomes_the_object_in_it_and_nobody_knows_about_the_rest_of_it() -> None:
    view = np.full((100, 100, 3), 30, np.uint8)
    view[30:70, 40:55] = 220
    labels = empty(100, 100)
    add_box(labels, "person", (35, 25, 60, 75), view)
    there, unknown = here(labels, "person")
    assert there[32:68, 42:53].all() and not there[26:29, 36:39].any()
    assert unknown[26:29, 36:39].all() and not (there & unknown).any()
    assert not there[:20].any() and not unknown[:20].any()


def test_sky_is_cold_and_up_there_and_an_object_is_neither_sky_nor_road() -> None:
    thermal = np.full((120, 160), 120, np.uint8)
    thermal[:40] = 10
    labels = empty(120, 160)
    add_box(labels, "car", (60, 80, 100, 119), np.repeat(thermal[..., None], 3, axis=2))
    add_surroundings(labels, thermal, sky=True)
    sky, _ = here(labels, "sky")
    road, unknown = here(labels, "road")
    assert sky[5:30, 10:150].all() and not sky[50:].any()
    assert road[110, 50] and not road[110, 80] and not unknown[110, 80]
    assert not road[:30].any() and not unknown[:30].any()


def test_frames_of_the_validation_list_never_train(data: Path) -> None:
    each = localiser_data.SETS[0]
    stem = next(n.split("/")[1] for n in localiser_data.held_out() if n.startswith(f"{each.name}/"))
    for part, end in (("vis", "png"), ("ir", "png"), ("boxes", "txt")):
        file = data / each.name / part / f"a.{end}"
        file.with_stem(stem).write_bytes(file.read_bytes())
    assert [frame.name for frame in load_set(data, each)] == [f"{each.name}/a"]
    assert [frame.name for frame in load_set(data, each, validation=True)] == [f"{each.name}/{stem}"]


def test_the_simulator_says_where_persons_cars_sky_and_road_are() -> None:
    (frame,) = simulated((900,), (6.0,))
    for concept in ("person", "car", "sky", "road"):
        there, unknown = here(frame.labels, concept)
        assert there.any() and not unknown.any(), concept
    rows = {concept: np.nonzero(here(frame.labels, concept)[0])[0].mean() for concept in ("sky", "road")}
    assert rows["sky"] < rows["road"]


def test_examples_are_the_same_for_the_same_numbers_and_single_cameras_stay_black(
    data: Path, tmp_path: Path
) -> None:
    frames = prepare(data, tmp_path / "out", FEW)
    one, two = (draw(frames, FEW, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one.cameras, two.cameras) and torch.equal(one.target, two.target)
    assert one.cameras.shape == (2, 4, HEIGHT, WIDTH)
    assert one.target.shape == one.known.shape == (2, len(SEEN), HEIGHT // 4, WIDTH // 4)
    thermal_only = Frames.of({"msrs_thermal": frames.by_folder["msrs_thermal"]})
    assert (draw(thermal_only, FEW, np.random.default_rng(1)).cameras[:, :3] == -0.5).all()
    rgb_only = Frames.of({"pennfudan": frames.by_folder["pennfudan"]})
    assert (draw(rgb_only, FEW, np.random.default_rng(1)).cameras[:, 3] == -0.5).all()
    again = prepare(data, tmp_path / "out", FEW)
    names = [[frame.name for rows in each.by_folder.values() for frame in rows] for each in (frames, again)]
    assert names[0] == names[1]


def test_a_rare_and_hard_kind_of_object_is_drawn_more_often_than_a_common_one(
    data: Path, tmp_path: Path
) -> None:
    (data / "msrs" / "boxes" / "a.txt").write_text("1 0.5 0.5 0.2 0.5\n")
    frames = prepare(data, tmp_path / "out", FEW)
    assert {name: len(rows) for name, rows in frames.by_object.items()} == {
        "person": 7,
        "bicycle": 1,
    }  # folders
    many = LocaliserTraining(**{**vars(FEW), "batch": 40})
    batch = draw(frames, many, np.random.default_rng(5), rare=1.0)
    there = batch.target[:, SEEN.index("bicycle")].amax(dim=(1, 2)) >= 0.5
    assert 22 <= int(there.sum()) <= 38  # three for every person, which is in seven frames of eight


def test_what_few_frames_of_a_folder_show_is_not_lost_among_the_many_of_another(
    data: Path, tmp_path: Path
) -> None:
    frames = prepare(data, tmp_path / "out", FEW)
    many = {"msrs128": 50 * frames.by_folder["msrs128"], "roadscene": frames.by_folder["roadscene"]}
    rng = np.random.default_rng(5)
    drawn = [_one_of(many, rng).name for _ in range(400)]
    assert 0.27 < drawn.count("roadscene/a") / 400 < 0.43  # 0.16 of 0.46, and not 1 of 51


def test_a_finer_thermal_image_of_the_same_frame_takes_the_coarse_one_s_place(data: Path) -> None:
    each = next(each for each in localiser_data.SETS if each.finer)
    fine = np.full((240, 320, 3), 77, np.uint8)
    cv2.imwrite(str(data / each.finer / "ir" / "a.png"), fine)
    (frame,) = load_set(data, each)
    assert (frame.thermal == 77).all() and (frame.rgb == 200).any()


def test_a_training_can_be_continued_and_what_it_exports_can_be_used(data: Path, tmp_path: Path) -> None:
    first = training.train(data, tmp_path / "out", FEW, weights.load())
    more = LocaliserTraining(**{**vars(FEW), "iterations": 4})
    second = training.train(data, tmp_path / "out", more, weights.load())
    assert first == second == tmp_path / "out" / "localiser.safetensors"
    network = embedded_weights.load_network(second)
    assert network(torch.zeros(1, 4, 64, 64)).shape == (1, len(SEEN), 16, 16)
    assert embedded_weights.load_words(second).phrases == ("person",)
    steps = [line.split('"step": ')[1].split(",")[0] for line in (tmp_path / "out" / "log.jsonl").open()]
    assert steps == ["1", "2", "3", "4"]
    (tmp_path / "out" / "checkpoint.pt").write_bytes(b"broken")
    with pytest.raises(TrainingError, match=r"not a checkpoint of this training"):
        training.train(data, tmp_path / "out", more, weights.load())


def test_a_localiser_can_be_trained_on(data: Path, tmp_path: Path) -> None:
    shipped = embedded_weights.load_network()
    path = training.train(
        data, tmp_path / "out", LocaliserTraining(**{**vars(FEW), "learning_rate": 1e-9}), shipped
    )
    after = embedded_weights.load_network(path)
    cameras = torch.rand(1, 4, 64, 64, generator=torch.Generator().manual_seed(1)) - 0.5
    with torch.no_grad():
        apart = after(cameras) - shipped(cameras)
    # Nothing was learnt: all that may differ is where a concept counts as found.
    assert (apart - apart.mean(dim=(2, 3), keepdim=True)).abs().max() < 0.05
    other = LocaliserNetwork(LocaliserConfig(SEEN[:3]))
    with pytest.raises(TrainingError, match=r"--initial: a localiser of .*; one of .* is trained"):
        training.starting(other)


def test_what_is_taught_alone_gets_a_branch_and_all_other_maps_stay_the_same_bits(
    data: Path, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    before = LocaliserNetwork(LocaliserConfig(SEEN)).eval()
    bicycles = LocaliserTraining(**{**vars(FEW), "taught": "bicycle", "learning_rate": 0.05})
    path = training.train(data, tmp_path / "out", bicycles, before)
    after = embedded_weights.load_network(path)
    embedded_weights.save(before, embedded_weights.load_words(path), tmp_path / "before.safetensors")
    before = embedded_weights.load_network(tmp_path / "before.safetensors")  # in half precision as well
    assert after.config.branch == ("bicycle",)
    bicycle = SEEN.index("bicycle")
    cameras = torch.rand(1, 4, 64, 64, generator=torch.Generator().manual_seed(1)) - 0.5
    with torch.no_grad():
        old, new = before(cameras), after(cameras)
    for concept in range(len(SEEN)):
        if concept != bicycle:
            assert torch.equal(new[:, concept], old[:, concept])
    moved = new[:, bicycle] - old[:, bicycle]
    assert moved.std() > 1e-3  # more than a shift

    with pytest.raises(TrainingError, match=r"taught: the branch of --initial is for bicycle; teach these"):
        training.starting(after, ("car",))
    again = training.starting(after, ("bicycle",))
    assert torch.equal(again.branch.last.weight * 2, after.branch.last.weight)  # type: ignore[union-attr]


def test_what_is_to_be_taught_alone_needs_a_localiser_to_start_from_and_a_name_that_it_knows(
    data: Path, tmp_path: Path
) -> None:
    bicycles = LocaliserTraining(**{**vars(FEW), "taught": "bicycle"})
    with pytest.raises(TrainingError, match=r"taught: .* give one to --initial"):
        training.train(data, tmp_path / "out", bicycles, weights.load())
    with pytest.raises(FieldError, match=r"taught: cow: not among person, bicycle"):
        LocaliserTraining(taught="bicycle, cow")


def test_frames_are_labelled_anew_when_what_they_were_made_of_has_changed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def names() -> set[str]:
        capsys.readouterr()
        frames = prepare(data, tmp_path / "out", FEW)
        return {frame.name for frame in frames.by_object["bicycle"].get("msrs", [])}

    def anew() -> bool:
        return "frames.safetensors: is of other data" in capsys.readouterr().err

    prepare(data, tmp_path / "out", FEW)
    (data / "msrs" / "boxes" / "a.txt").write_text("1 0.5 0.5 0.2 0.5\n")
    assert names() == {"msrs/a"} and anew()
    assert names() == {"msrs/a"} and not anew()
    (data / "llvip" / "classes.txt").write_text("bicycle\nperson\n")
    assert names() == {"msrs/a"} and anew()
    held = tmp_path / "validation.txt"
    held.write_text("msrs/a\n")
    monkeypatch.setattr(stills, "VALIDATION_LIST", held)
    assert names() == set() and anew()


def test_rendered_streets_alone_are_no_data(tmp_path: Path) -> None:
    streets = LocaliserTraining(**{**vars(FEW), "simulated": 1})
    (tmp_path / "msrs" / "vis").mkdir(parents=True)
    for prepared in (
        lambda: prepare(tmp_path, tmp_path / "out", streets),
        lambda: training.train(tmp_path, tmp_path / "out", streets, weights.load()),
    ):
        with pytest.raises(
            TrainingError, match=r"no labelled frames; one of msrs128, msrs, .* must lie there"
        ):
            prepared()
    assert not (tmp_path / "out").exists()


def test_wrong_words_on_the_command_line_cost_one_line(data: Path, tmp_path: Path) -> None:
    out = ("--output", tmp_path / "out")
    done = textdifuse("train-localiser", "--data", tmp_path / "none", *out)
    refused(done, "no such folder")
    done = textdifuse("train-localiser", "--data", data, *out, "--set", "batches=3")
    refused(done, "did you mean batch")


def test_the_threshold_is_where_both_mistakes_are_as_frequent() -> None:
    memberships = np.array([0.1, 0.2, 0.6, 0.3, 0.7, 0.8, 0.9, 0.95], np.float32)
    known = np.array([False, False, False, False, True, True, True, True])
    assert 0.6 < calibrate(memberships, known) <= 0.7


def test_a_vocabulary_says_where_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(
        "# words\n[person]\nman, Woman\n[car bus]\nthings\n[nothing]\ntree\n[modifiers]\nred {}\n"
    )
    vocabulary = read_vocabulary(file)
    assert vocabulary.phrases["woman"] == {"person"} and vocabulary.phrases["things"] == {"car", "bus"}
    assert vocabulary.known() == ("man", "woman", "things") and vocabulary.modifiers == ("red {}",)
    for text, message in (
        ("[persn]\n", "no concept persn"), ("man\n", "before the first"),
        ("[car]\nx\n[bus]\nx\n", "two meanings"),
    ):  # fmt: skip
        file.write_text(text)
        with pytest.raises(TrainingError, match=message):
            read_vocabulary(file)


def test_spellings_of_the_same_words_are_one() -> None:
    assert same_words("The Parked Cars") == same_words("a parked car")
    assert same_words("buses") != same_words("car")


def test_cells_of_small_objects_count_more_and_those_of_large_ones_and_of_nothing_once() -> None:
    target = np.zeros((20, 30), np.float32)
    target[1:3, 1:5] = 0.7  # 8 cells
    target[10, 2] = 1.0
    target[8:18, 10:25] = 1.0
    weight = _weight(target, 4.0)
    assert weight[1, 1] == pytest.approx(2.0) and weight[10, 2] == pytest.approx(4.0)
    assert (_weight(target, 1.0) == 1).all()
    assert weight[12, 15] == 1 and weight[0, 0] == 1
    assert (_weight(0 * target, 4.0) == 1).all()
