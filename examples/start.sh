#!/bin/sh
# Lists the endpoints and starts one, over JSON-RPC with one object a line:
#
#   examples/start.sh NAME
#
# Both calls are written at once; they are answered one after the other. Needs
# jq, and chiltepin on PATH.
set -eu
{
  jq -nc '{jsonrpc: "2.0", id: 1, method: "endpoint/list"}'
  jq -nc --arg name "$1" '{jsonrpc: "2.0", id: 2, method: "endpoint/start", params: {name: $name}}'
} | chiltepin rpc | jq -r '
  def step: "next: " + (.do // "\(.method) \(.params // {})") + (if .why then "  # \(.why)" else "" end);
  if .error then
    ["\(.error.data.code): \(.error.message)", (.error.data.next[]? | step), ""] | join("\n") | halt_error(1)
  elif .id == 1 then
    .result.endpoints[] | "\(.name)\t\(.status)"
  else
    "\(.result.name) is \(.result.status) as \(.result.id)"
  end'
