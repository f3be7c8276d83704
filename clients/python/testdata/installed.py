"""Prints what is installed: which file chiltepin.endpoint is, and the files of
each distribution, having checked them against its RECORD.
"""

import base64
import hashlib
import importlib.metadata
import importlib.util
import json

report = {"module": "", "files": {}}
try:
    spec = importlib.util.find_spec("chiltepin.endpoint")
    report["module"] = spec.origin if spec else ""
except ModuleNotFoundError:
    pass
for name in ("chiltepin", "chiltepin-endpoint"):
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        continue
    paths = []
    for file in distribution.files:
        if "__pycache__" in file.parts:
            continue
        paths.append(str(file.locate().resolve()))
        if file.hash is not None:
            digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, file
    report["files"][name] = paths
print(json.dumps(report))
