"""Read the stand-in's journal and say what the demo proved; fail where it did not."""

import json
import sys


def main():
    with open(sys.argv[1]) as lines:
        journal = [json.loads(line) for line in lines]
    http = [e for e in journal if e["kind"] == "http"]

    def asked(method, path, status=range(200, 300)):
        return [e for e in http if e["method"] == method and e["path"].startswith(path) and e["status"] in status]

    def events(name):
        return [e for e in journal if e.get("event") == name]

    issued = {label for e in http for label in e.get("issued", ()) if label.startswith(("access", "refresh"))}
    revoked = {label for e in http for label in e.get("revoked", ())}
    codes = [e for e in http if e.get("grant") == "authorization_code" and e["status"] == 200]
    registered = asked("POST", "/v3/endpoints")
    registered = [e for e in registered if e["path"].rstrip("/") == "/v3/endpoints"]
    pools = {e["user_endpoint"] for e in events("result") if e.get("user_endpoint")}
    checks = {
        "every code was bound to a PKCE challenge": codes and all(e.get("pkce") for e in codes),
        "the first start registered the endpoint with one POST": len(registered) == 1,
        "the second start renewed it with one PUT": len(asked("PUT", "/v3/endpoints/")) == 1,
        "heartbeats arrived": events("heartbeat"),
        "tasks of both resource pools gave results": len(pools) == 2,
        "the endpoint was deregistered with one DELETE": len(asked("DELETE", "/v2/endpoints/")) == 1,
        "every token that was issued was revoked": issued and issued <= revoked,
    }
    failed = [claim for claim, holds in checks.items() if not holds]
    if failed:
        sys.exit("demo: not proven: " + "; ".join(failed))
    print(f"\nProven, by {len(journal)} entries of the stand-in's journal: " + ", ".join(checks) + ".")


if __name__ == "__main__":
    main()
