"""Every route, the page's included: nobody reads what is not theirs, and none fails."""

import re

import pytest

from benchmarks.routes import WHO, table, wrong

# Who may use the routes of a conversation; the others are told who is expected.
OWN = {"the customer", "program"}
AGENTS = {"another agent": "409", "the agent": "200"}


@pytest.mark.slow
def test_every_route_gives_to_each_what_is_theirs(tmp_path):
    rows = dict(table(str(tmp_path)))
    assert not {route: given for route, given in rows.items() if wrong(given)}
    for route, given in rows.items():
        statuses = {who: status.partition(",")[0] for who, status in given.items()}
        if "/v1/conversations/" in route and "stream" not in statuses["nobody"]:
            assert {w for w, s in statuses.items() if s not in ("401", "403")} == OWN, route
        # Any agent may look at a conversation; "the agent" has given it away when it ends.
        elif re.search(r"/v1/handoffs/\{number\}(/(?!close|give|presence)|$)", route):
            assert {w: statuses[w] for w in AGENTS} == AGENTS, route
            assert {statuses[w] for w in WHO if w not in AGENTS} == {"401", "403"}, route
    assert rows["GET /v1/handoffs"]["the customer"] == "403"
    assert rows["GET /metrics"]["nobody"] == "401"
    closed = (
        "POST /gradio_api/upload",
        "POST /gradio_api/call/{api_name}",
        "GET /monitoring/summary",
    )
    assert all(set(rows[route].values()) == {"404"} for route in closed)
