import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.application.service import IServiceMaker
from twisted.internet import reactor  # noqa: TID251  # makeService puts it on the steady clock
from twisted.plugin import getPlugins

from ttgateway.options import Options
from ttgateway.tap import GatewayService, makeService


@pytest.fixture(autouse=True)
def clock_put_back() -> Iterator[None]:
    seconds, interval = reactor.seconds, sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)
    reactor.seconds = seconds  # type: ignore[method-assign]


def options(*arguments: str) -> Options:
    parsed = Options()  # type: ignore[no-untyped-call]
    parsed.parseOptions(list(arguments))  # type: ignore[no-untyped-call]
    return parsed


def test_twistd_finds_the_plugin() -> None:
    (plugin,) = [plugin for plugin in getPlugins(IServiceMaker) if plugin.tapname == "ttgateway"]
    assert plugin.options is Options
    assert plugin.makeService is makeService


def test_without_options_the_gateway_serves_the_network_on_port_8000() -> None:
    assert options()["listen"] == "tcp:8000"
    assert isinstance(makeService(options()), GatewayService)


def test_the_reactor_counts_on_the_monotonic_clock_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    makeService(options())
    before = reactor.seconds()
    monkeypatch.setattr("time.time", lambda: 0.0)  # an hour, or fifty years, back
    assert 0 <= reactor.seconds() - before < 60


def test_no_thread_waits_long_for_another_that_is_busy() -> None:
    makeService(options())
    assert sys.getswitchinterval() <= 0.001


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("port = 1", "port: no such key"),
        ("[journal]\nkeep_days = 'x'", "journal.keep_days = 'x': expected `int`, got `str`"),
        ("[callbacks]\nca_file = '/nowhere.pem'", "callbacks.ca_file = '/nowhere.pem'"),
        (None, "cannot be read"),
    ],
)
def test_settings_that_cannot_be_used_end_the_start_with_one_line_and_code_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], toml: str | None, line: str
) -> None:
    config = tmp_path / "ttgateway.toml"
    if toml is not None:
        config.write_text(toml)
    with pytest.raises(SystemExit) as ended:
        makeService(options("--config", str(config)))
    assert ended.value.code == 2
    said = capfd.readouterr().err
    assert line in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("listen", ["nonsense", "tcp:x", "tcp:", "tcp:1:2:3:4:5:6:7", ""])
def test_what_cannot_be_listened_on_ends_the_start_with_one_line_and_code_2(
    capfd: pytest.CaptureFixture[str], listen: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        makeService(options("--listen", listen))
    assert ended.value.code == 2
    said = capfd.readouterr().err
    assert listen in said
    assert "like tcp:8000 or tcp:8000:interface=127.0.0.1" in said
    assert said.count("\n") == 1
