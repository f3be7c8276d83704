"""A plugin of pytest that has chiltepin_endpoint in the place of
chiltepin.endpoint, and writes the outcome of each test into $OUTCOMES.
"""

import os
import sys

import chiltepin
import chiltepin_endpoint

sys.modules["chiltepin.endpoint"] = chiltepin_endpoint
chiltepin.endpoint = chiltepin_endpoint

outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report):
    if report.outcome != "passed" or report.when == "call":
        outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish():
    with open(os.environ["OUTCOMES"], "w") as file:
        for name, outcome in outcomes.items():
            print(outcome, name, file=file)
