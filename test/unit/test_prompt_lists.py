"""What is said in front of a list reaches its other items, and what is polite reaches none."""

from __future__ import annotations

import pytest

from textdifuse_ros.text.grammar import format_prompt, parse
from textdifuse_ros.text.prompt import PromptError


def _plain(text: str) -> str:
    return format_prompt(parse(text))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("hide the sky, road and cars", "no sky, no road, no cars"),
        ("hide the sky, the road, the trees and the cars", "no sky, no road, no trees, no cars"),
        ("hide cars, trucks, and buses", "no cars, no trucks, no buses"),
        ("hide the sky, and the road", "no sky, no road"),
        ("please ignore the sky, road & cars, people", "no sky, no road, no cars, people"),
        ("show people, hide the sky, road and cars, show trucks",
         "people, no sky, no road, no cars, trucks"),
        ("hide sky*0.5, road and cars*2", "no sky*0.5, no road*2, no cars*2"),
        ("hide the sky, please, road and cars", "no sky, no road, no cars"),
        ("neither sky, road nor cars", "no sky, no road, no cars"),
        ("do not highlight cars, trucks and buses", "no cars, no trucks, no buses"),
        ("don't make the cars, the trucks or the buses stand out", "no cars, no trucks, no buses"),
        ("no sky, road or cars", "no sky, no road, no cars"),
        ("keep the sky, the road and the cars calm", "no sky, no road, no cars"),
        ("keep sky, road calm, people", "no sky, no road, people"),
        ("leave the sky, the road and the cars alone", "no sky, no road, no cars"),
        ("put the sky, the road and the cars in the background", "no sky, no road, no cars"),
    ],
)  # fmt: skip
def test_a_verb_in_front_of_a_list_reaches_all_of_it(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("no sky, people", "no sky, people"),
        ("no sky; people and cars", "no sky, people, cars"),
        ("no noise, people and cars", "no noise, people, cars"),
        ("-sky, people and cars", "no sky, people, cars"),
        ("hide the sky and the road, people", "no sky, no road, people"),
        ("hide the sky; people and cars", "no sky, people, cars"),
        ("Hide the sky. People and cars!", "no sky, People, cars"),
        ("hide the sky, the people must stand out", "no sky, people"),
        ("hide the sky, show people and cars", "no sky, people, cars"),
        ("hide the sky, but people", "no sky, people"),
        ("keep the sky calm, people and cars", "no sky, people, cars"),
        ("keep the night look, people and cars", "keep the night look, people, cars"),
        ("people, cars and trucks, hide the sky", "people, cars, trucks, no sky"),
        ("make people stand out, sky calm", "people, no sky"),
        ("people, sky calm", "people, no sky"),
        ("show people, the sky and the road should be calm", "people, no sky, no road"),
        ("make the people bright, the sky and the road dark", "people, no sky, no road"),
    ],
)
def test_what_is_no_item_of_a_list_speaks_for_itself(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("remove noise, haze", "remove noise, no haze"),
        ("remove noise, haze and blur", "remove noise, no haze, no blur"),
        ("no noise, haze", "no noise, no haze"),
        ("fix the noise and the stripes, blur", "fix the noise, no stripes, no blur"),
        ("reduce noise in the thermal image and haze in the rgb image",
         "no noise in the thermal image, no haze in the rgb image"),
        ("remove noise, people", "remove noise, people"),
    ],
)  # fmt: skip
def test_a_verb_of_removal_reaches_the_other_faults(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("no cars, trucks and buses", 9, "'trucks and buses' behind 'no cars' can be meant either way"),
        ("person, no sky, cars and trucks", 16, "'cars and trucks' behind 'no sky' can be meant either way"),
        ("ignore sky, road", 12, "'road' behind 'ignore sky' can be meant either way: "
                                 "write 'no road' or 'show road'"),
        ("hide the sky, the people", 14, "write 'no people' or 'show people'"),
        ("hide the sky and the road, people and cars", 27, "write 'no people and cars' or 'show people"),
        ("remove noise, people and cars", 14, "either way"),
        ("make people red, sky and road dark", 17, "either way"),
        ("the sky, the road and the cars should be calm", 0,
         "'sky' in front of 'the road and the cars should be calm' can be meant either way: write 'no sky'"),
        ("keep the sky", 0, "'keep the sky' can be meant either way: write 'no sky' to keep it calm, or"),
        ("leave the cars", 0, "either way"),
        ("keep the sky, people", 0, "either way"),
        ("haze", 0, "'haze' is a fault of the image, no object: write 'no haze' to remove it, or 'keep the"),
        ("keep the noise, haze", 16, "write 'no haze'"),
        ("show me the thermal noise", 12, "write 'no thermal noise'"),
    ],
)  # fmt: skip
def test_what_can_be_meant_either_way_is_refused(text: str, position: int, words: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert words in caught.value.reason
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("show me people, please", "people"),
        ("no cars, please", "no cars"),
        ("make the people stand out, please.", "people"),
        ("ok, people", "people"),
        ("please, people", "people"),
        ("Thank you, show people, thanks!", "people"),
        ("people, nothing else", "people"),
    ],
)
def test_polite_words_between_commas_are_no_phrase(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize("text", ["please", "ok, thanks", "please, please"])
def test_polite_words_alone_name_nothing(text: str) -> None:
    with pytest.raises(PromptError, match="names nothing"):
        parse(text)
