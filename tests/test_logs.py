import io
import json
from typing import Any

import pytest
from twisted.logger import LogEvent, Logger, LogLevel
from twisted.python.failure import Failure

from ttgateway.logs import log_observer
from ttgateway.settings import Format, Level


def written(*events: LogEvent, form: Format = "plain", level: Level = "info", journal: bool = False) -> str:
    stream = io.StringIO()
    observer = log_observer(stream, form, level, journal=journal)
    for event in events:
        observer(event)
    return stream.getvalue()


def event(text: str = "{url} is back", level: LogLevel = LogLevel.info, **fields: Any) -> LogEvent:
    return {"log_format": text, "log_level": level, "log_namespace": "ttgateway.x", "log_time": 0.0, **fields}


def failed() -> Failure:
    try:
        raise ValueError("broken")
    except ValueError:
        return Failure()


FAILED = event("It {how}", LogLevel.critical, how="broke", log_failure=failed())


def test_a_plain_line_has_the_time_who_says_it_and_the_level() -> None:
    line = written(event(url="http://10.0.0.2/"))
    assert line.endswith(" [ttgateway.x#info] http://10.0.0.2/ is back\n")
    assert line[:2] in ("19", "20")


def test_in_the_journal_each_line_begins_with_its_priority_and_has_no_time() -> None:
    assert written(event(url="a"), journal=True) == "<6>[ttgateway.x#info] a is back\n"
    lines = written(FAILED, journal=True).splitlines()
    assert lines[0] == "<2>[ttgateway.x#critical] It broke"
    assert len(lines) > 3
    assert all(line.startswith("<2>\t") for line in lines[1:])


@pytest.mark.parametrize("journal", [False, True])
@pytest.mark.parametrize("form", ["plain", "json"])
def test_what_others_send_makes_no_line_that_looks_like_ours(form: Format, journal: bool) -> None:
    text = written(event(url="a\n<2>[ttgateway.x#critical] b"), form=form, journal=journal)
    assert (
        len([line for line in text.splitlines() if line.startswith(("<2>[", "<6>[", "[", "20", "19", "{", "<6>{"))])
        == 1
    )


def test_json_is_one_object_a_line_with_what_the_message_names_and_no_more() -> None:
    line = written(event(url="http://10.0.0.2/", secret="whsec_x", count=3), form="json")
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "ttgateway.x",
        "message": "http://10.0.0.2/ is back",
        "url": "http://10.0.0.2/",
    }
    assert written(event("{it.x}", it=event), form="json", journal=True).startswith("<6>{")


def test_json_has_the_traceback_in_its_line() -> None:
    text = written(FAILED, form="json")
    assert text.count("\n") == 1
    said = json.loads(text)
    assert (said["message"], said["level"], said["how"]) == ("It broke", "critical", "broke")
    assert "ValueError: broken" in said["traceback"]


def test_a_field_of_the_message_does_not_take_the_place_of_ours() -> None:
    assert json.loads(written(event("{level}", level_=0, time="never"), form="json"))["time"].startswith("1970")


def test_a_text_of_the_old_kind_with_braces_is_written_as_it_is() -> None:
    said = json.loads(written(event("{log_text}", log_text="a {b"), form="json"))
    assert said["message"] == "a {b"
    assert set(said) == {"time", "level", "logger", "message"}


@pytest.mark.parametrize("form", ["plain", "json"])
def test_an_event_that_says_nothing_is_no_line(form: Format) -> None:
    assert written({"log_time": 0.0}, form=form) == ""


def test_what_is_below_the_level_is_not_written() -> None:
    events = [event(level, LogLevel.levelWithName(level)) for level in ("debug", "info", "warn", "error", "critical")]
    assert written(*events, level="warn").count("\n") == 3
    assert written(*events, level="debug").count("\n") == 5


def test_it_serves_as_a_loggers_observer() -> None:
    stream = io.StringIO()
    Logger("ttgateway.y", observer=log_observer(stream, "plain", "info", journal=True)).warn("look {here}", here=1)
    assert stream.getvalue() == "<4>[ttgateway.y#warn] look 1\n"
