"""The embedded localiser: what it knows and refuses, and where it finds what a phrase names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from textdifuse_ros.evaluation.location import Overlap, read_known, read_unrelated, robustness
from textdifuse_ros.simulation.sequence import StreetSequence
from textdifuse_ros.text import embedded_weights
from textdifuse_ros.text.concepts import CONCEPTS, SEEN
from textdifuse_ros.text.embedded import EmbeddedLocaliser, concepts_of, reduced
from textdifuse_ros.text.grammar import PromptError, parse
from textdifuse_ros.text.heat import HeatLocaliser
from textdifuse_ros.text.localiser import LocaliserError, localiser_names, make_localiser
from textdifuse_ros.text.meanings import Meanings, shared_words
from textdifuse_ros.text.reading import read_prompt
from textdifuse_ros.text.sentence import EncoderMissing, SentenceEncoder, find_encoder, shared_encoder
from textdifuse_ros.text.wishes import compile_prompt
from textdifuse_ros.train.vocabulary import read_vocabulary, same_words

Bytes = NDArray[np.uint8]

try:
    find_encoder()
except EncoderMissing:
    pytest.skip("needs the encoder (requirements-words.txt)", allow_module_level=True)


@pytest.fixture(scope="module")
def localiser() -> EmbeddedLocaliser:
    made = make_localiser()
    assert isinstance(made, EmbeddedLocaliser)
    return made


def strongest(phrase: str) -> str:
    return next(iter(concepts_of(phrase)), "")


def street(smoke: float) -> tuple[Bytes, Bytes, Bytes]:
    """A rendered street that never trained: rgb, thermal, mask of class ids (1 person, 2 car)."""
    shot = StreetSequence(320, 240, seed=900, smoke=smoke).render(6.0)
    low, high = np.percentile(shot.temperature, (0.5, 99.8))
    thermal = np.clip((shot.temperature - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return shot.rgb, thermal, shot.mask


def test_it_is_the_default() -> None:
    assert localiser_names()[0] == "embedded"


@pytest.mark.parametrize(
    ("phrase", "concepts"),
    [
        ("person", {"person"}), ("pedestrians behind the smoke", {"person"}), ("parked cars", {"car"}),
        ("vehicles", {"car", "bus", "truck", "motorcycle"}), ("cyclists", {"person", "bicycle"}),
        ("the sky", {"sky"}), ("hot engine", {"warm"}), ("warm things", {"warm"}), ("cold objects", {"cold"}),
    ],
)  # fmt: skip
def test_phrases_name_their_concepts(phrase: str, concepts: set[str]) -> None:
    named = concepts_of(phrase)
    assert {name for name, share in named.items() if share >= 0.5} == concepts


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("hide the sky behind the people", {"sky"}), ("no cars near people", {"car"}),
        ("no people in cars", {"person"}), ("people against the sky", {"person"}),
        ("people on the road", {"person"}), ("women on bikes", {"person", "bicycle"}),
        ("man next to the car", {"person"}), ("person on a bicycle", {"person", "bicycle"}),
    ],
)  # fmt: skip
def test_what_is_near_a_thing_is_not_meant(
    localiser: EmbeddedLocaliser, text: str, concepts: set[str]
) -> None:
    ((_, named),) = localiser.compile(parse(text)).parts
    assert set(named) == concepts


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("a dog on the road", "dog"), ("trees near the road", "trees"), ("birds in the sky", "birds"),
        ("planes against the sky", "planes"), ("dog in the car", "dog"), ("deer crossing", "deer"),
        ("a dog crossing the road", "dog"), ("no birds in the sky", "birds"),
        ("debris on the road", "debris"),
        ("animals near people", "animals"), ("hide the wires against the sky", "wires"),
    ],
)  # fmt: skip
def test_an_unknown_thing_never_becomes_the_place_where_it_is(
    localiser: EmbeddedLocaliser, text: str, thing: str
) -> None:
    with pytest.raises(PromptError, match=f"^'{thing}' cannot be located") as caught:
        localiser.compile(parse(text))
    assert caught.value.phrase == thing


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pedestrains", "pedestrians"), ("firefigthers", "firefighters"), ("peple", "people"),
        ("pepole behind smoke", "people behind smoke"), ("persn", "person"), ("cylists", "cyclists"),
        ("bycicles", "bicycles"), ("truks", "trucks"),
    ],
)  # fmt: skip
def test_a_typing_error_is_refused_with_what_was_meant(
    localiser: EmbeddedLocaliser, typed: str, meant: str
) -> None:
    with pytest.raises(PromptError, match=f"as it is spelt: write '{meant}'"):
        localiser.compile(parse(typed))
    localiser.compile(parse(meant))


@pytest.mark.parametrize(
    "text", ["minivans", "hatchbacks", "passers-by", "ambulances", "motorcyclists", "man raking leaves"]
)
def test_rare_words_are_no_typing_errors(localiser: EmbeddedLocaliser, text: str) -> None:
    localiser.compile(parse(text))


@pytest.mark.parametrize("text", ["static objects", "moving", "ignore stationary things"])
def test_what_says_only_what_a_thing_is_like_is_refused(localiser: EmbeddedLocaliser, text: str) -> None:
    with pytest.raises(PromptError, match="what a thing is like and not what it is"):
        localiser.compile(parse(text))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("workers without helmets", "workers"), ("sky without clouds", "sky"),
        ("cars except parked cars", "cars"), ("people without cars", "people, no cars"),
    ],
)  # fmt: skip
def test_what_a_refusal_says_to_type_is_what_the_localiser_takes(
    localiser: EmbeddedLocaliser, text: str, advice: str
) -> None:
    with pytest.raises(PromptError, match=rf"write '{advice}' \(at"):
        read_prompt(localiser, text)
    read_prompt(localiser, advice)


@pytest.mark.parametrize(
    "text", ["survivors, no rescuers", "no children*2, people*2", "warm things, no hot engines"]
)
def test_phrases_that_are_the_same_to_it_do_not_undo_each_other(
    localiser: EmbeddedLocaliser, text: str
) -> None:
    with pytest.raises(
        PromptError, match=r"would undo what stands in front of it: .* both are (person|warm)"
    ):
        localiser.compile(parse(text))


def test_a_part_of_what_stands_out_can_be_kept_calm(localiser: EmbeddedLocaliser) -> None:
    assert len(localiser.compile(parse("vehicles, no trucks, people*0, no children")).parts) == 3


@pytest.mark.parametrize("phrase", ["a red balloon", "unicorns", "democracy", "zxqwv"])
def test_what_it_does_not_know_is_refused_with_the_nearest_phrase_and_the_alternative(
    localiser: EmbeddedLocaliser, phrase: str
) -> None:
    with pytest.raises(PromptError) as caught:
        localiser.compile(parse(f"person, {phrase}"))
    text = str(caught.value)
    assert f"'{caught.value.phrase}' cannot be located" in text and "'clip'" in text
    nearest = text.split("nearest phrase that it knows is '")[1].split("'")[0]
    assert nearest in read_vocabulary().known()
    assert "far from it (it knows people, vehicles, the sky, roads, and what is warm or cold)" in text
    assert caught.value.position > 0


@pytest.mark.parametrize(
    ("phrase", "near"), [("headlights", "car with headlights"), ("cables", "hot cables")]
)
def test_a_near_phrase_is_told_alone(localiser: EmbeddedLocaliser, phrase: str, near: str) -> None:
    with pytest.raises(PromptError, match=f"phrase that it knows is '{near}'; to name anything else"):
        localiser.compile(parse(phrase))


@pytest.mark.parametrize(
    "phrase",
    [
        "kids playing football", "workers welding pipes on the bridge", "a child flying a kite",
        "someone playing the guitar", "people feeding ducks at the pond",
    ],
)  # fmt: skip
def test_persons_are_persons_whatever_they_do(localiser: EmbeddedLocaliser, phrase: str) -> None:
    ((_, found),) = localiser.compile(parse(phrase)).parts
    assert next(iter(found)) == "person"


@pytest.mark.parametrize(
    "phrase", ["car washing machine", "driver training school", "deer crossing the road"]
)
def test_a_thing_is_none_of_what_its_name_begins_with(localiser: EmbeddedLocaliser, phrase: str) -> None:
    with pytest.raises(PromptError, match="cannot be located"):
        localiser.compile(parse(phrase))


@pytest.mark.parametrize("phrase", ["deer on the road", "no dogs", "wild boar", "some cows", "animals"])
def test_animals_are_refused_with_what_their_heat_is_found_by(
    localiser: EmbeddedLocaliser, phrase: str
) -> None:
    with pytest.raises(PromptError, match="nearest phrase that it knows is 'warm animals'"):
        localiser.compile(parse(phrase))
    localiser.compile(parse("warm animals"))


def test_a_long_sentence_is_understood(localiser: EmbeddedLocaliser) -> None:
    prompt = parse("make the pedestrians behind the smoke stand out, keep the sky calm")
    (wanted, persons), (calm, sky) = localiser.compile(prompt).parts
    assert (wanted, next(iter(persons))) == (1.0, "person")
    assert (calm, next(iter(sky))) == (-1.0, "sky")


def test_regions_of_wishes_are_located_too(localiser: EmbeddedLocaliser) -> None:
    (wish,) = compile_prompt(localiser, parse("brighten the cars")).wishes
    assert wish.region is not None and wish.region.localiser == "embedded"
    with pytest.raises(PromptError, match="unicorn"):
        compile_prompt(localiser, parse("brighten the unicorn"))


def test_all_texts_of_a_prompt_are_encoded_in_one_batch(
    localiser: EmbeddedLocaliser, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[str]] = []
    encode_all = SentenceEncoder.encode_all

    def noted(encoder: SentenceEncoder, texts: list[str]) -> NDArray[np.float32]:
        batches.append(list(texts))
        return encode_all(encoder, texts)

    monkeypatch.setattr(SentenceEncoder, "encode_all", noted)
    text = "nine people on the wet road, no grey sky behind ten men, brighten the two vans, warm objects"
    compile_prompt(localiser, parse(text))
    assert [texts for texts in batches if texts] == [
        ["nine people", "the wet road", "nine people on the wet road", "grey sky", "two vans"]
    ]
    compile_prompt(localiser, parse(text))
    assert len([texts for texts in batches if texts]) == 1


def test_texts_mean_the_same_together_alone_and_again() -> None:
    texts = ["people on the road", "trucks", "unicorns", "trucks", "a woman who rides a bicycle", "the sky"]
    meanings = Meanings(shared_encoder(), shared_words())
    together = meanings.together(texts)
    assert [meanings(text) for text in texts] == together
    for text, named in zip(texts, together, strict=True):
        alone = shared_words().concepts(shared_encoder().encode(text))
        assert list(named) == list(alone)
        assert list(named.values()) == pytest.approx(list(alone.values()), abs=1e-3)
    assert together[2] == {}


def test_held_out_phrases_are_known_or_refused_as_they_should_be() -> None:
    # docs/prompts.md has the numbers; the goal is 0.9 for both.
    result = robustness(strongest)
    assert result.right >= 0.9, result.wrong
    assert result.refused >= 0.9, result.accepted


def test_a_prompt_of_a_held_out_phrase_is_understood_as_the_phrase_is(localiser: EmbeddedLocaliser) -> None:
    def understood(phrase: str) -> str:
        try:
            (named,) = read_prompt(localiser, phrase).taken_for
        except PromptError:
            return ""
        return next(iter(named))

    whole, phrases = robustness(understood), robustness(strongest)
    assert (whole.right, whole.wrong) == (phrases.right, phrases.wrong)
    assert whole.refused >= phrases.refused


def test_held_out_phrases_do_not_train() -> None:
    vocabulary = read_vocabulary()
    trained = {same_words(phrase) for phrase in vocabulary.phrases}
    trained |= {same_words(m.format(p)) for m in vocabulary.modifiers for p in vocabulary.phrases}
    known, unrelated = read_known(), read_unrelated()
    assert (len(known), len(unrelated)) == (60, 60)
    assert [phrase for phrase in (*known, *unrelated) if same_words(phrase) in trained] == []
    assert set().union(*known.values()) <= set(CONCEPTS)


@pytest.mark.parametrize("smoke", [0.0, 2.0])
@pytest.mark.parametrize(("phrase", "number"), [("person", 1), ("car", 2)])
def test_objects_are_found_also_behind_smoke(
    localiser: EmbeddedLocaliser, phrase: str, number: int, smoke: float
) -> None:
    rgb, thermal, mask = street(smoke)
    relevance = localiser.relevance(localiser.compile(parse(phrase)), rgb, thermal)
    assert relevance.shape == thermal.shape and relevance.dtype == np.float32
    assert relevance.min() >= 0 and relevance.max() <= 1
    assert relevance[mask == number].mean() > 5 * relevance[mask == 0].mean()


def test_a_person_is_found_by_heat_alone_and_nothing_is_found_in_the_dark(
    localiser: EmbeddedLocaliser,
) -> None:
    rgb, thermal, mask = street(0.0)
    prompt = localiser.compile(parse("person"))
    relevance = localiser.relevance(prompt, np.zeros_like(rgb), thermal)
    assert relevance[mask == 1].mean() > 5 * relevance[mask == 0].mean()
    nothing = localiser.relevance(prompt, np.zeros_like(rgb), np.zeros_like(thermal))
    assert nothing.max() < 0.5


@pytest.mark.parametrize("level", [0, 1, 2])
def test_every_level_of_the_shipped_network_reaches_the_maps(level: int) -> None:
    """A level whose features have died out looks well in a loss: nobody misses it."""
    network = embedded_weights.load_network()
    rgb, thermal, _ = street(0.0)
    small = torch.from_numpy(reduced(rgb, thermal, network.config.short_side, network.config.multiple))
    cameras = small[None].permute(0, 3, 1, 2) / 255 - 0.5
    with torch.inference_mode():
        whole = torch.sigmoid(network(cameras))
        torch.nn.init.zeros_(network.lateral[level].weight)  # type: ignore[arg-type]
        assert (torch.sigmoid(network(cameras)) - whole).abs().max() > 0.1


def test_biases_that_hold_what_never_changes_leave_the_maps_as_they_are() -> None:
    """To the bit, but for the branch's own concepts: a layer with more outputs may sum in another order."""
    cameras = torch.rand(1, 4, 64, 96, generator=torch.Generator().manual_seed(3)) - 0.5
    with torch.inference_mode():
        plain = embedded_weights.load_network()(cameras)
        network = embedded_weights.load_network().settled()
        settled = network(cameras)
        branched = [name in network.config.branch for name in network.config.concepts]
        assert 0 < sum(branched) < len(branched)
        others = ~torch.tensor(branched)
        assert torch.equal(settled[:, others], plain[:, others])
        torch.testing.assert_close(settled, plain, rtol=0, atol=1e-4)  # logits
        assert not [name for name, _ in network.named_parameters() if "modulation" in name]


def test_weights_have_their_sign_and_zero_means_nothing(localiser: EmbeddedLocaliser) -> None:
    rgb, thermal, _ = street(0.0)

    def look(text: str) -> NDArray[np.float32]:
        return localiser.relevance(localiser.compile(parse(text)), rgb, thermal)

    np.testing.assert_allclose(look("no person*0.5"), -0.5 * look("person"), atol=1e-6)
    assert not look("person*0").any()
    assert look("person*2").max() <= 1
    assert look("person, no sky").min() < 0
    np.testing.assert_array_equal(look("person"), look("person"))


def test_heat_is_found_where_the_localiser_heat_finds_it(localiser: EmbeddedLocaliser) -> None:
    rgb, thermal, _ = street(0.0)
    prompt, heat = parse("warm objects, no cold areas"), HeatLocaliser()
    np.testing.assert_allclose(
        localiser.relevance(localiser.compile(prompt), rgb, thermal),
        heat.relevance(heat.compile(prompt), rgb, thermal),
        atol=1e-6,
    )


def test_a_prompt_of_another_localiser_is_not_taken(localiser: EmbeddedLocaliser) -> None:
    other = HeatLocaliser().compile(parse("hot"))
    with pytest.raises(ValueError, match="compiled by 'heat'"):
        localiser.relevance(other, np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8))


@pytest.mark.parametrize(
    ("size", "small"),
    [((480, 640), (192, 256)), ((120, 160), (192, 256)), ((1024, 1280), (192, 240)), ((640, 480), (256, 192)),
     ((100, 900), (192, 576))],
)  # fmt: skip
def test_frames_are_reduced_in_their_proportions(size: tuple[int, int], small: tuple[int, int]) -> None:
    both = reduced(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8), 192, 16)
    assert both.shape == (*small, 4)
    localiser = EmbeddedLocaliser()
    relevance = localiser.relevance(
        localiser.compile(parse("car")), np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)
    )
    assert relevance.shape == size


def test_the_weight_file_is_small_half_precision_and_has_a_card() -> None:
    file = embedded_weights.SHIPPED
    assert file.stat().st_size <= 16 * 2**20
    halves = {name for name, value in load_file(file).items() if value.dtype == torch.float16}
    assert set(load_file(file)) - halves == {"words.coefficients"}
    assert file.with_suffix(".md").is_file()
    assert embedded_weights.load_network().config.concepts == SEEN
    assert len(embedded_weights.identity()) == 12


@pytest.mark.parametrize("load", [embedded_weights.load_words, embedded_weights.load_network])
def test_a_weight_file_that_cannot_be_used_is_named(load: object, tmp_path: Path) -> None:
    assert callable(load)
    path = tmp_path / "other.safetensors"
    with pytest.raises(LocaliserError, match="missing"):
        load(path)
    path.write_bytes(b"not one")
    with pytest.raises(LocaliserError, match="not a readable safetensors file"):
        load(path)
    save_file({"a": torch.zeros(1)}, str(path), metadata={"format": "other"})
    with pytest.raises(LocaliserError, match="format is 'other'"):
        load(path)


def test_words_and_network_come_back_as_they_were_stored(tmp_path: Path) -> None:
    words, network = shared_words(), embedded_weights.load_network()
    embedded_weights.save(network, words, tmp_path / "copy.safetensors")
    again = embedded_weights.load_words(tmp_path / "copy.safetensors")
    assert (again.phrases, again.threshold) == (words.phrases, pytest.approx(words.threshold, abs=1e-4))
    np.testing.assert_array_equal(again.embeddings, words.embeddings)
    np.testing.assert_array_equal(again.coefficients, words.coefficients)
    copy = embedded_weights.load_network(tmp_path / "copy.safetensors")
    pixels = torch.rand(1, 4, 64, 64) - 0.5
    assert torch.equal(copy(pixels), network(pixels))


def test_overlap_counts_pixels() -> None:
    overlap = Overlap()
    there = np.array([[True, True, False, False]])
    overlap.add(np.array([[0.9, 0.2, 0.7, 0.0]], np.float32), there, np.ones_like(there))
    assert overlap.iou == pytest.approx(1 / 3)
    assert overlap.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    overlap.add(np.ones((1, 4), np.float32), ~there, np.zeros_like(there))  # unknown pixels do not count
    assert overlap.iou == pytest.approx(1 / 3)
