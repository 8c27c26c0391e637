"""For all tests: nothing is read from or left in the cache folder of the person who runs them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_folder_of_the_tests() -> Iterator[str]:
    """One folder for the session, also for the processes that tests start."""
    with tempfile.TemporaryDirectory(prefix="textdifuse-cache-") as folder:
        before = os.environ.get("TEXTDIFUSE_CACHE")
        os.environ["TEXTDIFUSE_CACHE"] = folder
        yield folder
        if before is None:
            del os.environ["TEXTDIFUSE_CACHE"]
        else:
            os.environ["TEXTDIFUSE_CACHE"] = before
