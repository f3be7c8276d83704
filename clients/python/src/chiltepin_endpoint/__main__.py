"""``python -m chiltepin_endpoint …`` is ``chiltepin …``.

A wheel carries the program but installs no command of that name: Python
Chiltepin has one.
"""

import os
import sys

from ._binary import find
from .errors import EndpointError


def main() -> None:
    try:
        program = find(os.environ)
    except EndpointError as e:
        sys.exit(f"chiltepin_endpoint: {e}")
    os.execv(program, [program, *sys.argv[1:]])


main()
