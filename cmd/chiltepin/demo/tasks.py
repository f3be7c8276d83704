"""Two resource pools of one endpoint, as two executors of the Globus Compute SDK."""

import sys
import time

from globus_compute_sdk import Executor

POOLS = {
    "service": {"mpi": False, "provider": "localhost", "max_blocks": 1, "init_blocks": 1},
    "compute": {"mpi": False, "provider": "localhost", "max_blocks": 2, "init_blocks": 1},
}


def forecast(hours):
    import os
    import platform

    return {"hours": hours, "host": platform.node(), "pid": os.getpid()}


def main():
    endpoint = sys.argv[1]
    began = time.monotonic()
    executors = {
        name: Executor(endpoint_id=endpoint, user_endpoint_config=config)
        for name, config in POOLS.items()
    }
    try:
        futures = {
            name: [executor.submit(forecast, hours) for hours in (6, 12)]
            for name, executor in executors.items()
        }
        for name, tasks in futures.items():
            for task in tasks:
                result = task.result(timeout=120)
                print(f"{name:8} forecast({result['hours']:2}) ran as process {result['pid']}"
                      f" after {time.monotonic() - began:.1f} s")
    finally:
        for executor in executors.values():
            executor.shutdown(wait=False, cancel_futures=True)


if __name__ == "__main__":
    main()
