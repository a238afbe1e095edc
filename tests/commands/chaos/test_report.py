from tests.commands.chaos.runs import NOON, book_of
from ttgateway.commands.chaos.report import MOST_FINDINGS, Report, order_shown
from ttgateway.commands.chaos.script import Act, Fault
from ttgateway.commands.simulation.restaurant import Action, Step
from ttgateway.notifier.attempts.outcome import Reply, failed, judged
from ttgateway.notifier.delivery import Delivery
from ttgateway.orders.order import OrderType

PLAIN = Act(Delivery(7, b"{}", None), 6, 0.0)
SNAPSHOT = Act(Delivery(9, b"{}", None, flags="snapshot", mark=".end"), 8, 0.0, Fault.SNAPSHOT)
TAKEN = judged(Reply(200))


def test_each_fault_that_came_has_its_row() -> None:
    report = Report(tuple(Fault))
    report.answered(PLAIN, failed("timeout"), 10.0)
    report.answered(PLAIN, TAKEN, 0.002)
    report.answered(PLAIN, TAKEN, 0.004)
    report.answered(SNAPSHOT, None, 0.1)
    plain, snapshot = report.shown()
    assert plain == {
        "fault": "",
        "sent": 3,
        "broken_off": 0,
        "taken": 2,
        "again": 1,
        "not_taken": 0,
        "median_ms": 3.0,
        "slowest_ms": 4.0,
    }
    assert (snapshot["fault"], snapshot["broken_off"], snapshot["taken"]) == ("snapshot", 1, 0)
    assert report.sent == 4
    assert report.withstood
    assert report.text().splitlines()[1].split() == ["(none)", "3", "0", "2", "1", "0", "3", "ms", "4", "ms"]


def test_what_was_not_taken_is_told_in_words() -> None:
    report = Report(tuple(Fault))
    report.answered(SNAPSHOT, judged(Reply(404)), 0.1)
    report.given_up(SNAPSHOT, "it answered 404")
    assert not report.withstood
    assert report.findings == ["seq 9.end (snapshot, snapshot) was not taken: it answered 404"]
    assert report.text().endswith(report.findings[0])


def test_only_the_first_findings_are_told_and_all_are_counted() -> None:
    report = Report(())
    for _ in range(100):
        report.answered(PLAIN, judged(Reply(404)), 0.1)
        report.given_up(PLAIN, "it answered 404")
    assert len(report.findings) == MOST_FINDINGS
    assert report.shown()[0]["not_taken"] == 100


def test_an_order_is_shown_by_the_names_of_the_deliveries() -> None:
    book = book_of(1)
    book.write(Step(NOON, Action.START, "101", OrderType.ON_PREMISE, "7"))
    (order,) = book.orders
    assert order_shown(order) == {
        "uuid": order.uuid,
        "name": "101",
        "orderType": "ON_PREMISE",
        "locationName": "7",
        "state": "located",
        "paged": False,
        "seq": 1,
    }
