"""`textdifuse explain`: a prompt as it is understood, or why it is refused."""

from __future__ import annotations

import argparse

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.text.localiser import localiser_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", metavar="TEXT", help="a prompt; one that starts with a dash needs -- before it"
    )
    parser.add_argument(
        "--localiser", choices=localiser_names(), default=localiser_names()[0], help="(%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Print a line for each phrase. Raises CliError for a prompt that is refused."""
    from textdifuse_ros.text.explained import lines
    from textdifuse_ros.text.localiser import LocaliserError, make_localiser, stands_in
    from textdifuse_ros.text.prompt import PromptError
    from textdifuse_ros.text.reading import read_prompt

    try:
        localiser = make_localiser(args.localiser)
        compiled = read_prompt(localiser, args.text)
    except (PromptError, LocaliserError) as error:
        raise CliError(str(error)) from error
    if stands_in(localiser):
        print(stands_in(localiser))
    for line in lines(compiled) or ["plain fusion: the prompt is empty, or asks for nothing"]:
        print(line)
    return 0
