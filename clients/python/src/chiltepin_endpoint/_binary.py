"""Finding the program ``chiltepin``."""

from __future__ import annotations

import os

from .errors import UnsupportedError

_NEXT = (
    "install chiltepin on PATH, or set CHILTEPIN_BIN to its path, or install "
    "a wheel of chiltepin-endpoint that carries it"
)


def find(environ: os._Environ[str] | dict[str, str]) -> str:
    """Return the absolute path of the program.

    It is the one that CHILTEPIN_BIN names; else the one that the wheel brought,
    which fits this module; else the first on PATH. On PATH the command of
    Python Chiltepin has the same name, and is passed over.
    """
    named = environ.get("CHILTEPIN_BIN")
    if named:
        path = os.path.abspath(os.path.expanduser(named))
        if not _executable(path):
            raise UnsupportedError(
                f"CHILTEPIN_BIN is {named!r}, which is no program that can be run",
                next="set it to the path of chiltepin, or unset it",
            )
        if _is_python_chiltepin(path):
            raise UnsupportedError(
                f"CHILTEPIN_BIN is {named!r}, the command of Python Chiltepin",
                next="set it to the path of the chiltepin that this module belongs to",
            )
        return path
    carried = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "chiltepin")
    if _executable(carried):
        return carried
    passed: str | None = None
    for directory in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.abspath(os.path.join(directory, "chiltepin"))
        if not _executable(path):
            continue
        if _is_python_chiltepin(path):
            passed = passed or path
            continue
        return path
    if passed:
        raise UnsupportedError(
            f"the program chiltepin was not found; {passed} is the command of Python Chiltepin",
            next=_NEXT,
        )
    raise UnsupportedError("the program chiltepin was not found", next=_NEXT)


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_python_chiltepin(path: str) -> bool:
    """Tell whether a file is the script that pip makes for Python Chiltepin."""
    try:
        with open(path, "rb") as file:
            head = file.read(2048)
    except OSError:
        return False
    return head.startswith(b"#!") and b"chiltepin.cli" in head
