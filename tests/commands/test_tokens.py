import errno
import json
import os
from pathlib import Path
from typing import Any

import apsw
import click
import pytest
from twisted.web.client import ResponseNeverReceived

from tests.commands.stand_ins import House
from ttgateway.commands.tokens import token, tokens_table
from ttgateway.store import opening


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "state")


def test_a_created_secret_is_the_last_line_and_opens_the_gateway_at_once(house: House) -> None:
    result = house.invoke(token, "create", "kitchen display 2")
    assert result.exit_code == 0
    secret = result.stdout.splitlines()[-1]
    assert len(secret) == 48
    known = house.gateway.secrets.check(secret, "10.0.0.7")
    assert known is not None
    assert known.name == "kitchen display 2"
    assert "valid at once" in result.stderr
    assert result.stdout == f"{secret}\n"


@pytest.mark.parametrize("there", [True, False])
def test_a_secret_that_could_not_be_printed_is_taken_back(
    house: House, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    echo = click.echo

    def full(text: str, *, err: bool = False, **options: Any) -> None:
        if not err:
            raise OSError(errno.ENOSPC, "No space left on device")
        echo(text, err=True, **options)

    if not there:
        house.stop_daemon()
    with monkeypatch.context() as patch:
        patch.setattr(click, "echo", full)
        result = house.invoke(token, "create", "lost")
    assert (result.exit_code, result.stdout) == (1, "")
    last = result.stderr.splitlines()[-1]
    assert last == "ttgateway: the secret cannot be printed (No space left on device), and was revoked"
    assert json.loads(house.invoke(token, "list", "--json").stdout) == []


def test_one_that_could_not_be_taken_back_either_is_said_to_be_valid(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(text: str, *, err: bool = False, **options: Any) -> None:
        if not err:
            house.control.down = ResponseNeverReceived([])
            raise OSError(errno.ENOSPC, "No space left on device")
        told.append(text)

    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(click, "echo", full)
        assert house.invoke(token, "create", "lost").exit_code == 1
    assert told[-1].startswith("ttgateway: the secret cannot be printed (No space left on device), but is valid: ")
    assert house.names() == ["lost"]


def test_a_key_is_a_uuid(house: House) -> None:
    assert house.invoke(token, "create", "pos", "--key").stdout.count("-") == 4


def test_without_a_daemon_the_secret_is_in_the_file(house: House) -> None:
    house.stop_daemon()
    result = house.invoke(token, "create", "pos")
    assert result.exit_code == 0
    assert len(result.stdout.strip()) == 48
    assert "starts" in result.stderr
    assert house.names() == []
    listed = house.invoke(token, "list", "--json")
    assert [one["name"] for one in json.loads(listed.stdout)] == ["pos"]
    assert house.invoke(token, "revoke", "pos").exit_code == 0
    assert json.loads(house.invoke(token, "list", "--json").stdout) == []


def test_a_name_that_cannot_be_is_refused_in_one_line(house: House) -> None:
    for there in (True, False):
        result = house.invoke(token, "create", "a/b")
        assert result.exit_code == 2
        assert result.stderr.startswith("ttgateway: Invalid token name.")
        assert result.stderr.count("\n") == 1
        if there:
            house.stop_daemon()


@pytest.mark.parametrize("name", ["pos", ".", "..", "a b.c"])
def test_a_secret_is_revoked_by_its_name(house: House, name: str) -> None:
    for _ in range(2):
        house.invoke(token, "create", name)
    result = house.invoke(token, "revoke", name)
    assert result.exit_code == 0
    assert "2 secrets" in result.stdout
    assert house.names() == []


def test_a_secret_is_revoked_by_its_id(house: House) -> None:
    house.invoke(token, "create", "pos")
    house.invoke(token, "create", "pos")
    first = json.loads(house.invoke(token, "list", "--json").stdout)[0]["id"]
    assert house.invoke(token, "revoke", first).exit_code == 0
    assert house.names() == ["pos"]


@pytest.mark.parametrize("wanted", ["nobody", "", "a/b", "?"])
def test_revoking_what_is_not_there_fails_in_one_line(house: House, wanted: str) -> None:
    result = house.invoke(token, "revoke", wanted)
    assert result.exit_code == 1
    assert result.stderr == f"ttgateway: no secret has the id or name {wanted!r} (ttgateway token list)\n"


def test_a_state_directory_that_is_held_without_an_answer_is_told_within_seconds(house: House) -> None:
    house.stop_daemon()
    held = opening.lock(house.console.state_dir)
    try:
        began = house.reactor.seconds()
        result = house.invoke(token, "create", "pos")
    finally:
        os.close(held)
    assert result.exit_code == 1
    assert "holds this state directory" in result.stderr
    assert house.reactor.seconds() - began < 8


def test_a_daemon_that_is_just_starting_is_waited_for(house: House) -> None:
    house.stop_daemon()
    held = opening.lock(house.console.state_dir)
    house.reactor.callLater(1.0, lambda: setattr(house.control, "down", None))
    try:
        result = house.invoke(token, "create", "pos")
    finally:
        os.close(held)
    assert result.exit_code == 0
    assert house.names() == ["pos"]


def test_listing_where_no_gateway_ever_was_makes_no_folder(house: House) -> None:
    house.stop_daemon()
    result = house.invoke(token, "list")
    assert result.exit_code == 1
    assert "no gateway has its state there" in result.stderr
    assert not house.console.state_dir.exists()


def test_a_file_that_is_no_store_is_told_in_one_line_and_left_alone(house: House) -> None:
    house.stop_daemon()
    house.console.state_dir.mkdir()
    path = house.console.state_dir / opening.FILE
    path.write_bytes(b"not a database" * 100)
    result = house.invoke(token, "create", "pos")
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert path.read_bytes() == b"not a database" * 100


def test_a_file_of_a_newer_gateway_is_told_in_one_line(house: House) -> None:
    house.stop_daemon()
    house.invoke(token, "create", "pos")
    db = apsw.Connection(str(house.console.state_dir / opening.FILE))
    db.pragma("user_version", 99)
    db.close()
    result = house.invoke(token, "list")
    assert result.exit_code == 1
    assert "newer ttgateway" in result.stderr


def test_the_list_fits_eighty_columns() -> None:
    one = {
        "id": "0123456789ab",
        "name": "kitchen display",
        "kind": "token",
        "created": "2016-09-22T19:08:52",
        "lastUsed": None,
        "ipAddress": None,
        "ends": None,
    }
    used = {**one, "lastUsed": "2016-09-22T19:08:52", "ipAddress": "10.0.0.7"}
    text = tokens_table([one, {**used, "name": "pos"}, {**used, "name": "page", "ends": "2016-09-23T07:08:52"}])
    assert text.splitlines() == [
        "ID            NAME             KIND     CREATED           LAST USED         FROM",
        "0123456789ab  kitchen display  token    2016-09-22 19:08  never",
        "0123456789ab  pos              token    2016-09-22 19:08  2016-09-22 19:08  10.0.0.7",
        "0123456789ab  page             session  2016-09-22 19:08  2016-09-22 19:08  10.0.0.7",
    ]


def test_an_empty_list_says_how_to_make_a_secret(house: House) -> None:
    assert "token create NAME" in house.invoke(token, "list").stdout
