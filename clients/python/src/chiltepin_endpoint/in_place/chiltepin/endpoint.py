"""``chiltepin.endpoint`` where Python Chiltepin is not installed.

This folder is the last on sys.path, put there by chiltepin_endpoint.pth, and
has no ``__init__.py``: it is a portion of a namespace package (PEP 420). The
import system takes a package that has one instead, wherever it stands, and
Python Chiltepin has one. So this file is never seen beside it, and no file of
one is ever in the place of a file of the other.
"""

import sys

import chiltepin_endpoint
from chiltepin_endpoint import *  # noqa: F403

# One module under two names, so that what is set on one is set on the other.
sys.modules[__name__] = chiltepin_endpoint
