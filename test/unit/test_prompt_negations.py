"""A prompt never does the opposite of what it says: it is understood, or refused with what to type."""

from __future__ import annotations

import pytest

from textdifuse_ros.text import lexicon
from textdifuse_ros.text.grammar import format_prompt, parse
from textdifuse_ros.text.prompt import PromptError


def _plain(text: str) -> str:
    return format_prompt(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "cars should not stand out", "the cars must not stand out", "cars must not be visible",
        "cars shall not be clearly visible", "the cars shouldn't stand out", "cars dont stand out",
        "cars should be calm", "the cars must stay in the background", "cars must disappear", "cars calm",
        "make sure the cars are not visible", "make the cars darker", "make the cars less bright",
        "make the cars dark", "make cars not stand out", "darken cars", "don't look at the cars",
        "don’t show me the cars", "never highlight cars", "stop highlighting cars", "avoid showing the cars",
        "I do not want to see cars", "we don't need the cars", "I don't want you to show the cars",
        "I don't want the cars to stand out", "please do not keep an eye on the cars", "exclude the cars",
        "turn off the cars", "keep the cars out of focus", "put the cars in the background",
        "the cars are unimportant", "cars are less important", "the cars distract me", "cars are boring",
        "I'm not interested in cars", "I don't like cars", "no longer show the cars", "take the cars away",
        "make sure the cars are invisible", "make sure the cars cannot be seen", "plz hide cars",
        "fade cars out", "get cars out of my sight", "cars as little as possible", "rid of cars", "nix cars",
        "black-out the cars", "go easy on the cars", "little emphasis on cars",
    ],
)  # fmt: skip
def test_a_no_in_many_words_keeps_calm(text: str) -> None:
    assert _plain(text) == "no cars"


@pytest.mark.parametrize(
    "text",
    [
        "cars should stand out", "the cars must be visible", "cars shall be highlighted",
        "keep the cars visible", "keep cars in view", "let the cars stand out", "make the cars bright",
        "don't hide the cars", "never ignore cars", "do not forget the cars", "show nothing but cars",
        "only the cars", "cars and nothing else", "I'm looking for cars", "cars are hard to see",
        "the cars are important", "show the cars better", "I have to see the cars", "can we see the cars?",
    ],
)  # fmt: skip
def test_a_wish_in_many_words_lets_stand_out(text: str) -> None:
    assert _plain(text) == "cars"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("people should stand out and cars should be calm", "people, no cars"),
        ("people stand out and the cars must not stand out", "people, no cars"),
        ("make people stand out and cars disappear", "people, no cars"),
        ("make the people brighter and the cars darker", "people, no cars"),
        ("hide things that stand out and cars that stand out", "no things that, no cars that"),
        ("hide the cars and a lot of people", "no cars, no lot of people"),
        ("hide the cars and clear sky", "no cars, no clear sky"),
        ("people and a bit less noise", "people, a bit less noise"),
    ],
)
def test_two_halves_of_a_sentence_are_told_apart(text: str, plain: str) -> None:
    assert _plain(text) == plain


_APART = "as in 'people, no cars'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ignore everything but people", "write 'people' to let it stand out, or 'no people'"),
        ("all but the sky", "write 'sky' to let it stand out, or 'no sky'"),
        ("hide everything except people", "holds 'except', which may turn its meaning round: write 'people'"),
        ("everything except the sky", "write 'no sky'"),
        ("fade cars", "can be meant either way: write 'no cars' to keep it calm, or 'show cars'"),
        ("desaturate people", "can be meant either way: write 'no people' to keep it calm, or 'show people'"),
        ("cars begone", "holds 'begone', which may turn its meaning round: write 'no cars'"),
        ("cars transparent", "holds 'transparent', which may turn its meaning round: write 'no cars'"),
        ("people hardly visible", "holds 'hardly visible', which may turn its meaning round"),
        ("0 cars", "holds a 0: write 'no cars' to keep it calm"),
        ("people 0", "holds a 0: write 'no people' to keep it calm"),
        ("people are hidden behind cars", f"turn its meaning round: write what must stand out and what must "
                                          f"not as phrases of their own, {_APART}"),
        ("people without cars", "'people without cars' holds 'without', which may turn its meaning round: "
                                "write 'people, no cars'"),
        ("people instead of cars", "write 'people, no cars'"),
        ("people rather than the cars", "write 'people, no cars'"),
        ("vehicles other than cars", "write 'vehicles, no cars'"),
        ("people hide the sky", "write 'people, no sky'"),
        ("hide the sky show people", "write 'no sky, people'"),
        ("people less sky", _APART),
        ("people that are not in cars", _APART),
        ("cars should not be calm", _APART),
        ("do not touch the cars", _APART),
        ("stop turning the cars down", _APART),
        ("people but the cars", "write 'people, no cars'"),
        ("the sky is too cold", _APART),
        ("cars off", _APART),
        ("make the people bright and the cars dark", "says two things"),
        ("show people and the cars should be calm", "says two things"),
        ("hide the sky and the cars should stand out", "says two things"),
        ("do not make the sky calm", "says no twice"),
        ("don't make the cars darker", "says no twice"),
        ("I don't want the people to be dark", "says no twice"),
        ("dim sky", "can be meant either way: write 'no sky' to keep it calm, or 'show sky'"),
        ("everything", "is no object in the image"),
        ("hide the image", "is no object in the image"),
        ("show the thermal image", "both cameras always have their part"),
        ("denoise but not thermal", "write 'denoise in the rgb image'"),
        ("hide the cars but not the people", "write 'no people' or 'show people'"),
        ("hide the cars, not the people", "write 'no people' or 'show people'"),
        ("keep the sky calm but not the people", "write 'no people' or 'show people'"),
        ("remove noise but not haze", "write 'no haze' or 'keep the haze'"),
        ("remove haze, not noise", "write 'no noise' or 'keep the noise'"),
        ("brighten the people but not the cars", "'not the cars' behind 'brighten the people' asks"),
        ("the image is dark but not noisy", "write 'denoise' or 'keep the noise'"),
        ("the people are not visible", "write 'no people' to keep it calm, or 'show people'"),
        ("the people are invisible", "write 'no people' to keep it calm, or 'show people'"),
        ("the people are darker", "write 'no people' to keep it calm, or 'show people'"),
        ("show people that are not visible", _APART),
        ("no cars only people", "write 'no cars, people'"),
        ("people with no cars", "write 'people, no cars'"),
        ("nobody", "may turn its meaning round"),
        ("sky away", "write 'no sky'"),
        ("i see no people", _APART),
        ("areas free of people", "holds 'free of', which may turn its meaning round: write 'areas, no p"),
        ("turn on people and off cars", "'off', which may turn its meaning round: write 'no cars'"),
        ("turn on people and off the cars", "write 'no cars'"),
        ("sky stays dark", "holds 'stays dark', which may turn its meaning round: write 'no sky'"),
        ("the cars keep low", "write 'no cars'"),
        ("cars stay hidden", "write 'no cars'"),
    ],
)  # fmt: skip
def test_what_would_do_the_opposite_is_refused_with_what_to_type(text: str, words: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert words in caught.value.reason


@pytest.mark.parametrize("word", lexicon.TURNING)
def test_no_word_that_turns_a_meaning_round_is_left_in_an_object(word: str) -> None:
    for text in (f"people {word} cars", f"people {word} the big cars", f"show people {word} cars"):
        try:
            phrases = parse(text).phrases
        except PromptError:
            continue
        assert len(phrases) > 1 and all(f" {word} " not in f" {phrase.text} " for phrase in phrases)


@pytest.mark.parametrize(
    "text",
    [
        "stop sign", "bus stop", "push bicycle", "clear sky", "off-road cars", "non-moving cars",
        "no-parking sign", "turn signals", "people in the thermal image", "objects warmer than the road",
        "people hidden by smoke", "cars to avoid", "invisible people", "people in the background",
        "unmarked van", "antique car", "anti-aircraft gun", "wireless mast", "cordless drill",
        "homeless person", "driverless car", "non-slip mat", "hands-free device", "childless couple",
        "unknown people", "union worker", "unicycle rider", "nonstop bus", "free people", "off road vehicle",
        "off-duty officer", "people stay bright",
    ],
)  # fmt: skip
def test_an_object_keeps_words_that_only_look_like_a_no(text: str) -> None:
    (phrase,) = parse(text).phrases
    assert not phrase.suppressed
    assert phrase.text == text


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("non-people", "no people"), ("show non-people", "no people"), ("non-human", "no human"),
        ("nonhuman objects", "no human"), ("no-people", "no people"), ("un-people", "no people"),
        ("anti-people", "no people"), ("people-free areas", "no people"), ("car-free zone", "no car"),
        ("carless road", "no car"), ("child\N{EN DASH}free zone", "no child"),
        ("non-vehicles", "no vehicles"),
        ("heatless objects", "no warm objects"), ("unheated buildings", "no warm objects"),
        ("non-warm objects", "no warm objects"), ("uncooled pipes", "no cold objects"),
        ("hide non-people", "people"), ("no non-people", "people"), ("no heatless objects", "warm objects"),
        ("haze-free area", "remove the haze"),
    ],
)  # fmt: skip
def test_a_word_whose_first_or_last_part_says_no_is_refused_with_what_to_type(text: str, mend: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert "which turns its meaning round" in caught.value.reason
    assert f"write '{mend}'" in caught.value.reason
    parse(mend)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("red and blue cars", "red cars, blue cars"),
        ("show the red and the blue cars*1.5", "red cars, blue cars"),
        ("hide red and blue cars", "no red cars, no blue cars"),
        ("no red or dark blue cars", "no red cars, no dark blue cars"),
        ("moving and parked cars, people", "moving cars, parked cars"),
        ("big and small hot objects", "big hot objects, small hot objects"),
    ],
)
def test_what_a_thing_is_like_is_no_object_beside_its_name(text: str, mend: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert caught.value.reason.endswith(f"write '{mend}'")
    parse(mend)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("cars and red trucks", "cars, red trucks"),
        ("black and white cars", "black and white cars"),
        ("red and blue", "red, blue"),
        ("warm and cold objects", "warm, cold objects"),
        ("red cars and blue cars", "red cars, blue cars"),
    ],
)
def test_a_list_of_names_needs_no_name_twice(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("no doubt people", "write 'people' to let it stand out"),
        ("without a doubt the people", "write 'people' to let it stand out"),
        ("people, no doubt", "leave it out"),
    ],
)
def test_what_only_says_how_sure_it_is_keeps_nothing_calm(text: str, hint: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert caught.value.reason.endswith(hint)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("people, brighten them", "brighten the people"),
        ("brighten them", "brighten the people"),
        ("cars and make them sharper", "make the people sharper"),
        ("people, denoise them all", "denoise the people all"),
        ("brighten all of these", "brighten all of the people"),
    ],
)
def test_a_wish_for_what_is_not_named_is_refused(text: str, mend: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert caught.value.reason.endswith(f"name it, as in '{mend}'")


def test_a_wish_for_what_a_word_turns_round_is_refused() -> None:
    for text in ("brighten the non-people", "denoise the car-free zone"):
        with pytest.raises(PromptError, match="turns its meaning round: a wish holds for the whole image"):
            parse(text)
    assert _plain("smoke-free view") == "smoke-free view"  # is a wish itself


def test_a_wish_for_the_picture_needs_no_name() -> None:
    assert _plain("people, brighten it") == "people, brighten it"
    assert _plain("brighten those people") == "brighten those people"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ignroe cars", "no cars"), ("hdie cars", "no cars"), ("remve the sky", "no sky"),
        ("supppress cars and the sky", "no cars, no sky"), ("people but nto cars", "people, no cars"),
        ("do not shwo cars", "no cars"), ("hihglight people", "people"),
        ("brigthen the dark", "brigthen the dark"),
    ],
)  # fmt: skip
def test_a_typing_error_in_a_verb_does_not_turn_it_round(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize("text", ["wide cars", "remote cars", "side mirrors", "reduced cars", "knot"])
def test_words_that_only_resemble_a_verb_are_names(text: str) -> None:
    assert _plain(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("I would like the sky to be dark", "no sky"),
        ("I'd like the people to be clearly visible and the sky to be dark", "people, no sky"),
        ("I want to see the people and I don't want to see the cars", "people, no cars"),
        ("sky is useless", "no sky"),
        ("people whilst muting cars", "people, no cars"),
        ("hide cars while showing people", "no cars, people"),
        ("half the weight on cars", "cars*0.5"),
        ("people have top priority", "people*1.5"),
        ("do not lose sight of the people", "people"),
        ("where are the people?", "people"),
        ("i wanna see people thx", "people"),
    ],
)
def test_sentences_do_what_they_say(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("I'm flying over a burning building", "tells of you and names no object: leave it out"),
        ("above everything highlight people", "write a comma in front of 'highlight people'"),
        ("everything else can stay dark", "speaks of the rest, which stays as it is: leave it out"),
        ("dim everything except people", "write 'people' to let it stand out, or 'no people'"),
        ("people but only on the road", "write 'people on the road'"),
        ("people, but only the ones on the road", "does not say what 'ones' is"),
        ("people take precedence over cars", "write 'people*1.5, cars*0.5' to weigh them"),
        ("the road should be brighter than the sky", "write 'road*1.5, sky*0.5' to weigh them"),
        ("weight 2 for people", "write it as 'people*2'"),
    ],
)
def test_what_a_sentence_says_beyond_a_name_is_refused(text: str, hint: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert hint in caught.value.reason


@pytest.mark.parametrize(
    "tail",
    [
        "unwanted", "forbidden", "banned", "prohibited", "rejected", "undesired", "useless", "superfluous",
        "nope", "nothing", "filtered out", "masked", "blacked out", "greyed out", "deleted", "disabled",
        "unhighlighted", "see-through", "no longer", "to the back", "turned down", "lower", "blank",
    ],
)  # fmt: skip
def test_a_no_behind_a_name_is_refused_with_the_no_to_write(tail: str) -> None:
    for name in ("cars", "sky", "the parked cars"):
        with pytest.raises(PromptError, match=f"write 'no {name.removeprefix('the ')}'"):
            parse(f"{name} {tail}")


@pytest.mark.parametrize("text", ["people gloomified", "cars erblo", "paint cars black", "sky meh"])
def test_what_nobody_knows_behind_a_known_name_is_refused(text: str) -> None:
    name = text.split()[-2]
    with pytest.raises(PromptError, match=f"write '{name}' to let it stand out, or 'no {name}' to keep it c"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "people walking", "cars parked outside", "people who are hard to see",
        "people who are hidden by smoke", "cars with their lights on",
        "people the robot sees", "vehicles ahead", "cars still running", "people carrier",
        "people in thermal",
    ],
)  # fmt: skip
def test_what_a_known_thing_does_or_is_like_stays_a_part_of_its_name(text: str) -> None:
    assert _plain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "get cars out of the picture", "get the cars out of here", "take cars out of the image",
        "go away cars", "min cars", "lower weight for cars", "lowest priority for the cars",
        "let the cars stand out less", "move the cars to the back", "turn cars invisible",
        "keep the cars as calm as possible", "don't let the cars dominate", "less weight for cars",
    ],
)  # fmt: skip
def test_what_is_to_recede_keeps_calm(text: str) -> None:
    assert _plain(text) == "no cars"


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("nothing hot", "no hot"), ("no-one on the road", "no people"), ("noone", "no people"),
        ("quiet sky", "no sky"), ("faded sky", "no sky"), ("cars with low weight", "no cars"),
        ("ignore anything that is not a person", "person"), ("everything warm except cars", "warm, no cars"),
        ("sharpen all except the sky", "sharpen the people"), ("people 2 cars 1", "people*2, cars*1"),
        ("people 80 percent", "people*0.8"), ("emphasise people by a factor of 2", "people*2"),
        ("2x people", "people*2"), ("remove noise stripes and haze", "no noise, no stripes"),
        ("anything above 60 degrees", "warm objects"), ("temperature below 10", "cold objects"),
        ("denoise dehaze deblur", "denoise, dehaze, deblur"), ("thermal is bad", "denoise"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_what_to_type(text: str, mend: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert f"'{mend}'" in caught.value.reason
    parse(mend)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("at night, show people", "people"), ("in the smoke, find people", "people"),
        ("focus on the road, not on the cars", "road, no cars"), ("do not dim the cars", "cars"),
        ("stop hiding the cars", "cars"), ("we look for survivors", "survivors"),
        ("max people, min cars", "people*2, no cars"), ("give people double weight", "people*2"),
        ("people twice as strong", "people*2"), ("cars half strength", "cars*0.5"),
        ("twice as many people", "people*2"), ("double the people", "people*2"),
        ("double weight for people", "people*2"), ("a bit of cars", "cars*0.5"),
        ("strongly people, slightly cars", "people*1.5, cars*0.5"),
        ("people thank you very much", "people"), ("show people thanks a lot", "people"),
    ],
)  # fmt: skip
def test_when_where_and_how_far_are_no_part_of_a_name(text: str, plain: str) -> None:
    assert _plain(text) == plain
