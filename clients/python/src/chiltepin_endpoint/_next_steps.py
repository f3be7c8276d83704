"""Wording what to do next as calls of this module.

The server says it as data: a list of ``{"method", "params", "why"}`` where an
operation helps, and of ``{"do"}`` where none does, with the ``host`` and the
``user`` that have to do it where those are others.
"""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The functions by the methods that they call, with the parameters that each
# takes beside the name. Other operations have no function here.
_FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "login": ("login", ()),
    "logout": ("logout", ("force",)),
    "endpoint/configure": ("configure", ("name", "config_dir", "email", "display_name")),
    "endpoint/delete": ("delete", ("name", "config_dir", "timeout", "force", "local_only")),
    "endpoint/list": ("show", ("config_dir",)),
    "endpoint/logs": (
        "logs",
        ("name", "config_dir", "tail", "since", "level", "grep", "cursor", "user_endpoint"),
    ),
    "endpoint/restart": ("restart", ("name", "config_dir", "timeout", "now")),
    "endpoint/start": ("start", ("name", "config_dir", "timeout")),
    "endpoint/status": ("status", ("name", "config_dir", "offline")),
    "endpoint/stop": ("stop", ("name", "config_dir", "timeout", "now")),
}

# What the command line takes without a flag.
_POSITIONAL = ("name", "file")

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def describe(steps: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> str | None:
    """Return what to do, one step a line; None for nothing.

    given are the arguments of the call that said so: a step in the same
    configuration directory names it.
    """
    lines = [line for step in steps if (line := _line(step, given))]
    return "\n".join(lines) or None


def _line(step: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    method = step.get("method")
    where = _where(step)
    if not method:
        return f"{where}: {step['do']}" if where and step.get("do") else str(step.get("do", ""))
    params = dict(step.get("params") or {})
    if method.startswith("endpoint/") and given.get("config_dir"):
        params.setdefault("config_dir", given["config_dir"])
    call = _call(method, params) or _command(method, params)
    comment = ": ".join(part for part in (where, step.get("why")) if part)
    return f"{call}  # {comment}" if comment else call


def _where(step: Mapping[str, Any]) -> str:
    parts = []
    if step.get("host"):
        parts.append(f"on {step['host']}")
    if step.get("user"):
        parts.append(f"as {step['user']}")
    return " ".join(parts)


def _call(method: str, params: Mapping[str, Any]) -> str | None:
    """Return the call of this module, None where it has no such function."""
    function, known = _FUNCTIONS.get(method, (None, ()))
    params = {k: v for k, v in params.items() if k != "confirm"}  # the functions do that
    if method == "login" and params.get("method") == "paste":
        del params["method"]  # as login() always does
    if function is None or not set(params) <= set(known):
        return None
    # In the order of its signature.
    arguments = []
    for name in known:
        if name in params:
            value = _seconds(params[name]) if name == "timeout" else params[name]
            arguments.append(_literal(value) if name == "name" else f"{name}={_literal(value)}")
    return f"{_module()}.{function}({', '.join(arguments)})"


def _command(method: str, params: Mapping[str, Any]) -> str:
    """Return the command of the program that does it."""
    words = [*method.split("/")]
    if params.get("config_dir"):
        words += ["-c", str(params["config_dir"])]
    for name, value in params.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif name not in _POSITIONAL and name != "config_dir" and value is not False:
            words += [flag, ",".join(value) if isinstance(value, list) else str(value)]
    positional = [str(params[name]) for name in _POSITIONAL if name in params]
    if any(word.startswith("-") for word in positional):
        words.append("--")
    return "python -m chiltepin_endpoint " + shlex.join(words + positional)


def _module() -> str:
    """Return the name under which the program that runs has this module."""
    ours = sys.modules[__name__.rpartition(".")[0]]
    return "chiltepin.endpoint" if sys.modules.get("chiltepin.endpoint") is ours else ours.__name__


def _literal(value: Any) -> str:
    """Return a value as it is written in a program, texts in double quotes."""
    if isinstance(value, str):
        text = repr(value)
        plain = '"' not in value and "'" not in value
        return f'"{text[1:-1]}"' if plain else text
    return repr(value)


def _seconds(span: Any) -> Any:
    """Return a span such as "1m30s" in seconds; other values as they are."""
    if not isinstance(span, str) or not re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", span):
        return span
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", span)
    total = sum((float(number) * _SECONDS[unit] for number, unit in parts), 0.0)
    return int(total) if total.is_integer() else total
