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
    assert {code.name: code.value for code in Endpoint} == {
        "ACCESS_TOKEN": 1,
        "ACCESS_TOKEN_GENERATE": 2,
        "ACCESS_TOKEN_ALL": 3,
        "ACTIVE_ORDERS": 5,
        "ACTIVE_ORDER": 6,
        "ACTIVE_ORDER_PAGE": 7,
        "GATEWAY": 11,
        "REGISTER": 19,
    }
    assert {code.name: code.value for code in Ack} == {
        "TOKEN_DELETED": 1001,
        "PAGING_CANCELED": 1002,
        "NOTHING_TO_CANCEL": 1003,
        "REGISTERED": 1005,
        "ALREADY_STARTED": 1009,
        "ALREADY_LOCATED": 1010,
        "LISTENER_REMOVED": 1901,
    }


def test_only_a_full_disk_is_507() -> None:
    assert ERRORS[refusals.DiskFull] == (507, -904)
    assert ERRORS[refusals.NotNow] == (503, -904)
    assert [kind for kind, (status, _) in ERRORS.items() if status == 507] == [refusals.DiskFull]
