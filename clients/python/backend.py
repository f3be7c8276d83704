"""Builds the wheels of chiltepin-endpoint, with Python's own library only.

As a build backend (PEP 517) it makes the wheel for any machine, which looks for
the program on PATH:

    pip install ./clients/python

As a command, which `make wheel` runs, it makes one that carries the program:

    python3 backend.py --binary bin/chiltepin --arch amd64 --version v1.2.3 OUT

The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = "chiltepin_endpoint"

# A static program runs with every C library: both families of tags.
TAGS = {
    "amd64": "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    "arm64": "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
}
# e_machine of the ELF header.
MACHINES = {"amd64": 62, "arm64": 183}

# A folder of the wheel at the end of sys.path; what is in it says why.
PTH = f"{NAME}/in_place\n"

METADATA = """\
Metadata-Version: 2.1
Name: chiltepin-endpoint
Version: {version}
Summary: Manage Globus Compute endpoints from Python, as chiltepin.endpoint does
License: Apache-2.0
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Programming Language :: Python :: 3 :: Only
Classifier: Typing :: Typed
Requires-Python: >=3.10
Description-Content-Type: text/markdown

{description}"""


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, object] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Build the wheel that carries no program; the hook of PEP 517."""
    return write(Path(wheel_directory), version(os.environ.get("CHILTEPIN_VERSION") or described()), None, "")


def build_sdist(sdist_directory: str, config_settings: dict[str, object] | None = None) -> str:
    """Refuse: the clone is the source; the hook of PEP 517."""
    raise NotImplementedError("there is no source distribution: build a wheel of the clone")


def described() -> str:
    """Return what git calls this commit, "" where there is no git."""
    try:
        out = subprocess.run(
            ["git", "describe", "--tags", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return out.stdout.strip()


def version(described: str) -> str:
    """Turn what git describe says into a version of PEP 440.

    >>> version("v1.2.3"), version("v1.2.3-4-gabcdef0-dirty"), version("abcdef0"), version("")
    ('1.2.3', '1.2.3.post4+gabcdef0.dirty', '0.0.0+gabcdef0', '0.0.0')
    """
    dirty = described.endswith("-dirty")
    described = described.removesuffix("-dirty")
    local: list[str] = []
    if m := re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:-(\d+)-g([0-9a-f]+))?", described):
        public = m[1] + (f".post{m[2]}" if m[2] else "")
        local = [f"g{m[3]}"] if m[3] else []
        if "." not in m[1] and not m[2] and len(m[1]) >= 7:  # a hash of digits only
            public, local = "0.0.0", [f"g{m[1]}"]
    else:
        public = "0.0.0"
        if re.fullmatch(r"[0-9a-f]+", described):
            local = [f"g{described}"]
    if dirty:
        local.append("dirty")
    return public + ("+" + ".".join(local) if local else "")


def check(binary: bytes, arch: str) -> None:
    """Refuse a program that would not run where the wheel may be installed."""
    if binary[:6] != b"\x7fELF\x02\x01":
        raise ValueError("it is no 64-bit program for Linux")
    try:
        machine, offset = struct.unpack_from("<H", binary, 18)[0], struct.unpack_from("<Q", binary, 32)[0]
        size, count = struct.unpack_from("<HH", binary, 54)
        segments = [struct.unpack_from("<I", binary, offset + i * size)[0] for i in range(count)]
    except struct.error:
        raise ValueError("it is no program that is whole") from None
    if machine != MACHINES[arch]:
        raise ValueError(f"it is not for {arch}")
    if 3 in segments:  # PT_INTERP
        raise ValueError("it is not static: build it with CGO_ENABLED=0")


def write(out: Path, version: str, binary: bytes | None, arch: str) -> str:
    """Write a wheel into a directory and return its name."""
    tag = f"py3-none-{TAGS[arch]}" if binary else "py3-none-any"
    info = f"{NAME}-{version}.dist-info"
    files: dict[str, bytes] = {f"{NAME}.pth": PTH.encode()}
    for path in sorted((HERE / "src").rglob("*")):
        if path.suffix in (".py", ".typed"):
            files[path.relative_to(HERE / "src").as_posix()] = path.read_bytes()
    if binary:
        files[f"{NAME}/bin/chiltepin"] = binary
    description = (HERE / "README.md").read_text()
    files[f"{info}/METADATA"] = METADATA.format(version=version, description=description).encode()
    tags = "".join(f"Tag: py3-none-{p}\n" for p in tag.removeprefix("py3-none-").split("."))
    pure = "false" if binary else "true"
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: chiltepin\nRoot-Is-Purelib: {pure}\n{tags}".encode()
    files[f"{info}/licenses/LICENSE"] = (HERE.parent.parent / "LICENSE").read_bytes()
    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()

    out.mkdir(parents=True, exist_ok=True)
    name = f"{NAME}-{version}-{tag}.whl"
    part = out / f".{name}.part"
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path_in, data in files.items():
            entry = zipfile.ZipInfo(path_in, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (0o100755 if "/bin/" in path_in else 0o100644) << 16
            archive.writestr(entry, data)
    part.replace(out / name)
    return name


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def main() -> None:
    parser = argparse.ArgumentParser(description="Build a wheel that carries chiltepin.")
    parser.add_argument("--binary", required=True, type=Path, help="the program, static, for Linux")
    parser.add_argument("--arch", required=True, choices=sorted(TAGS), help="the processor, as Go calls it")
    parser.add_argument("--version", default="", help="what git describe says")
    parser.add_argument("out", type=Path, help="the directory that gets the wheel")
    args = parser.parse_args()
    binary = args.binary.read_bytes()
    try:
        check(binary, args.arch)
    except ValueError as e:
        sys.exit(f"backend.py: {args.binary}: {e}")
    print(args.out / write(args.out, version(args.version), binary, args.arch))


if __name__ == "__main__":
    main()
