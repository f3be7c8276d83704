"""Runs tasks with the real SDK on one endpoint and prints what came of them as
JSON: {"<pool>": {"<task>": outcome}, ..., "polled": ..., "reloaded": ...}."""

import json
import sys

from globus_compute_sdk import Client, Executor


def add(a, b):
    return a + b


def fail():
    raise ValueError("as ordered")


def say():
    print("to the worker's output")
    return "said"


def slow():
    import time

    time.sleep(1)
    return "slow"


def big():
    return "x" * 300_000


def pid():
    import os

    return os.getppid()


def outcome(future):
    try:
        value = future.result(timeout=900)
    except Exception as e:
        return [type(e).__name__, "ValueError: as ordered" in str(e)]
    return len(value) if isinstance(value, str) and len(value) > 1000 else value


endpoint = sys.argv[1]
pools = {}
for pool in sys.argv[2:]:
    pools[pool] = Executor(endpoint_id=endpoint, user_endpoint_config={"pool": pool})
futures = {
    pool: {
        "add": ex.submit(add, 1, 2),
        "fail": ex.submit(fail),
        "say": ex.submit(say),
        "slow": ex.submit(slow),
        "big": ex.submit(big),
        "argument": ex.submit(len, "y" * 200_000),
    }
    for pool, ex in pools.items()
}
report = {pool: {k: outcome(f) for k, f in fs.items()} for pool, fs in futures.items()}
first = next(iter(pools.values()), None)
if first:
    again = Executor(endpoint_id=endpoint, task_group_id=first.task_group_id)
    report["reloaded"] = len(list(again.reload_tasks()))
    again.shutdown(wait=False)
for ex in pools.values():
    ex.shutdown()

client = Client()
if hasattr(client, "register_source_code"):
    function = client.register_source_code("def two(): return 2", "two")
else:
    function = client.register_function(lambda: 2)
batch = client.create_batch(user_endpoint_config={"pool": sys.argv[2]})
batch.add(function)
task = client.batch_run(endpoint, batch)["tasks"][function][0]
for _ in range(300):
    if not client.get_task(task)["pending"]:
        break
    import time

    time.sleep(0.2)
report["polled"] = client.get_result(task)
print(json.dumps(report))
