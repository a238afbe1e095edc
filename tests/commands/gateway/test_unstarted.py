from ipaddress import ip_address
from pathlib import Path

import pytest
from twisted.internet.defer import execute
from twisted.internet.task import Clock

from tests.support import result_of
from ttgateway.commands.gateway.unstarted import policy_of, resolver_of, settings_in
from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.openings import opening
from ttgateway.refusals import CallbackForbidden
from ttgateway.settings import Settings, parse


def test_settings_are_those_of_the_file_or_the_defaults(tmp_path: Path) -> None:
    assert settings_in(None) == Settings()
    (tmp_path / "settings.toml").write_text('name = "kitchen"')
    assert settings_in(tmp_path / "settings.toml").name == "kitchen"
    with pytest.raises(CommandFailed) as failed:
        settings_in(tmp_path / "gone.toml")
    assert failed.value.exit_code == 2


def test_the_policy_opens_what_settings_and_command_open() -> None:
    settings = parse('[callbacks]\nallow = ["198.51.100.0/24"]\nsource_only = true')
    policy = policy_of(settings, (opening("203.0.113.0/24"),), loopback=True, own_ports=[8000])
    for address in ("198.51.100.9", "203.0.113.9", "127.0.0.1"):
        policy.check(ip_address(address), 8001)
    assert policy.rules["sourceOnly"]
    with pytest.raises(CallbackForbidden, match="this gateway itself"):
        policy.check(ip_address("127.0.0.1"), 8000)


def test_names_are_looked_up_aside() -> None:
    resolver = resolver_of(lambda reactor, work: execute(work), Clock())
    assert ip_address("127.0.0.1") in result_of(resolver.resolve("localhost"))
