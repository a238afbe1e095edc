import inspect

import pytest

from ttgateway import refusals
from ttgateway.api.codes import ERRORS, Ack, Endpoint
from ttgateway.orders import errors


def kinds(module: object, base: type[Exception]) -> list[type[Exception]]:
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass)]
    return [kind for kind in found if issubclass(kind, base) and kind is not base]


@pytest.mark.parametrize("kind", kinds(errors, errors.OrderError) + kinds(refusals, refusals.Refusal))
def test_every_error_that_can_be_raised_has_a_reply(kind: type[Exception]) -> None:
    status, code = ERRORS[kind]
    assert 400 <= status < 600
    assert code < 0


def test_the_numbers_are_those_of_the_protocol() -> None:
    assert [code.value for code in Endpoint] == [*range(1, 20), 901, 902]
    assert {code.name: code.value for code in Ack} == {
        "TOKEN_DELETED": 1001,
        "PAGING_CANCELED": 1002,
        "NOTHING_TO_CANCEL": 1003,
        "SETTINGS_CHANGED": 1004,
        "REGISTERED": 1005,
        "REPEATERS_CLEARED": 1006,
        "TRACKERS_CLEARED": 1007,
        "ALREADY_STARTED": 1009,
        "ALREADY_LOCATED": 1010,
        "PAIRING_ON": 1012,
        "PAIRING_OFF": 1013,
        "LISTENER_REMOVED": 1901,
        "RESYNC_QUEUED": 1902,
        "REPLAY_QUEUED": 1903,
    }


def test_every_error_number_of_the_protocol_is_in_the_table() -> None:
    unused = {-5, -26}  # -5 is told by the routes themselves, -26 is not assigned
    assert {code for _, code in ERRORS.values()} >= set(range(-1, -33, -1)) - unused
    assert {code for _, code in ERRORS.values()} >= {-901, -902, -903, -904}


def test_only_a_full_disk_is_507() -> None:
    assert ERRORS[refusals.DiskFull] == (507, -904)
    assert ERRORS[refusals.NotNow] == (503, -904)
    assert [kind for kind, (status, _) in ERRORS.items() if status == 507] == [refusals.DiskFull]
