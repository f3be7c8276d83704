"""A program of a user who checks types."""

from collections.abc import Mapping, Sequence
from typing import assert_type

import chiltepin.endpoint
import chiltepin_endpoint as endpoint
from chiltepin_endpoint.types import Endpoint, LogLine, Progress


def show(progress: Progress) -> None:
    print(progress["message"])


assert_type(endpoint.show(), dict[str, Endpoint])
assert_type(endpoint.show()["mesa"]["id"], str | None)
assert_type(endpoint.login_required(), bool)
assert_type(endpoint.logs("mesa")["lines"], list[LogLine])
assert_type(chiltepin.endpoint.configure("mesa", timeout=5), bool)
endpoint.start("mesa", timeout=60, progress=show)
try:
    endpoint.stop("mesa", config_dir="/tmp", progress=True)
except endpoint.EndpointError as e:
    assert_type(e.code, str)
    assert_type(e.next, str | None)
    steps: Sequence[Mapping[str, object]] = e.next_steps
endpoint.start(5)  # type: ignore[arg-type]
