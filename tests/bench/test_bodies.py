"""What peers send, and what the daemon is fed."""

import json

from bench import bodies, daemon


def test_bodies_are_lines_of_json_with_their_seq() -> None:
    lines = bodies.lines(3, 2).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [bodies.FIRST + 3, bodies.FIRST + 4]
    assert 285 <= len(lines[0]) <= 295


def test_each_line_for_the_bridge_moves_a_tracker() -> None:
    tables: dict[str, str] = {}
    for line in daemon.moves(0, 5 * daemon.TRACKERS).splitlines():
        report = json.loads(line)
        assert tables.get(report["tracker"]) != report["location"]
        tables[report["tracker"]] = report["location"]
    assert len(tables) == daemon.TRACKERS


def test_lines_go_on_where_they_ended() -> None:
    whole = daemon.moves(0, 1000)
    assert whole == daemon.moves(0, 150) + daemon.moves(150, 1) + daemon.moves(151, 849)
    assert daemon.moves(150, 0) == b""
