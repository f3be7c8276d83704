"""Showing the progress of a call."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ._server import Watch
    from .types import Progress


@contextmanager
def watching(wanted: Callable[[Progress], object] | bool | None) -> Iterator[Watch | None]:
    """Give what takes the values of ``$/progress``, or None for nothing.

    wanted is a callback, or True for a line of tqdm where that is installed
    and for lines on standard error where it is not.
    """
    if wanted is None or wanted is False:
        yield None
    elif wanted is not True:
        yield _told(wanted)
    else:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            yield _told(lambda progress: print(progress["message"], file=sys.stderr))
            return
        with tqdm(total=100, bar_format="{desc} {elapsed}", file=sys.stderr) as bar:
            yield _told(lambda progress: bar.set_description_str(progress["message"]))


def _told(show: Callable[[Progress], object]) -> Watch:
    def watch(value: Mapping[str, Any]) -> None:
        message = value.get("message") or value.get("title")
        if message:
            progress = {"message": message}
            if "percentage" in value:
                progress["percentage"] = value["percentage"]
            show(cast("Progress", progress))

    return watch
