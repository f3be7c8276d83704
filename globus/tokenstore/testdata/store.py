"""Reads or writes a token store with globus_sdk, for interop_test.go.

store.py sqlite|json PATH NAMESPACE read      prints the tokens, as JSON
store.py sqlite|json PATH NAMESPACE write     stores the tokens given on stdin
store.py sqlite|json PATH NAMESPACE rewrite   stores what it reads
store.py sqlite|json PATH NAMESPACE raw       prints what the file holds
"""

import json
import sqlite3
import sys

from globus_sdk.token_storage import JSONTokenStorage, SQLiteTokenStorage, TokenStorageData

kind, path, namespace, verb = sys.argv[1:]
if verb == "raw":
    if kind == "json":
        print(open(path, encoding="utf-8").read())
    else:
        db = sqlite3.connect(path)
        for row in db.execute("SELECT * FROM token_storage ORDER BY namespace, resource_server"):
            print(*row)
        for row in db.execute("SELECT * FROM sdk_storage_adapter_internal ORDER BY attribute"):
            print(*row)
        for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"):
            print(" ".join(row[0].split()))
        print(*db.execute("PRAGMA journal_mode").fetchone(), *db.execute("PRAGMA integrity_check").fetchone())
    sys.exit()

store = {"sqlite": SQLiteTokenStorage, "json": JSONTokenStorage}[kind](path, namespace=namespace)
if verb == "write":
    store.store_token_data_by_resource_server(
        {name: TokenStorageData.from_dict(data) for name, data in json.load(sys.stdin).items()}
    )
elif verb == "rewrite":
    store.store_token_data_by_resource_server(store.get_token_data_by_resource_server())
else:
    json.dump({name: data.to_dict() for name, data in store.get_token_data_by_resource_server().items()}, sys.stdout)
