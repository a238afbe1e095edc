import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.commands.receiving.deliveries import HEAD, Deliveries, Delivery, Judgement, delivery_of, happened, line

BODY: dict[str, object] = {
    "elapsedTime": 9,
    "uuid": "147e7ccd-c17f-45b4-b5d4-bf14e9c0e244",
    "seq": 196,
    "created": "2015-05-05T13:40:09",
    "orderType": "ON_PREMISE",
    "locationName": "22",
    "state": "located",
    "stateStarted": "2015-05-05T13:40:18",
    "type": "ORDER_MODIFIED",
    "name": "66",
}


def told(seq: int, previous: int, *, epoch: str = "e1", flags: str = "", mark: str = "") -> Delivery:
    headers = {
        "webhook-id": f"{epoch}.{seq}{mark}",
        "ttgateway-previous": str(previous),
        "ttgateway-attempt": "1",
        "ttgateway-flags": flags,
    }
    return delivery_of({**BODY, "seq": seq}, headers.get)


def judged(*deliveries: Delivery) -> list[Judgement]:
    known = Deliveries()
    return [known.judge(delivery) for delivery in deliveries]


FINE = Judgement(False)
AGAIN = Judgement(True)


def test_changes_in_order_are_fine_also_when_some_are_left_out() -> None:
    assert judged(told(5, 3), told(6, 5), told(9, 6, flags="coalesced")) == [FINE] * 3


def test_the_same_webhook_id_was_told_before() -> None:
    assert judged(told(5, 0), told(6, 5), told(5, 0), told(6, 5), told(7, 6)) == [FINE, FINE, AGAIN, AGAIN, FINE]


def test_a_seq_that_goes_back_is_a_fault() -> None:
    assert judged(told(5, 0), told(4, 5, epoch="e1", mark=".x"))[1].faults == ("seq goes back: 4 after 5",)


def test_another_previous_than_the_last_is_a_gap() -> None:
    (fault,) = judged(told(5, 0), told(8, 7))[1].faults
    assert fault == "gap: before 8 the gateway told 7 here, but this listener last saw 5"


def test_a_snapshot_may_go_back_and_its_marks_share_a_seq() -> None:
    assert (
        judged(
            told(3, 0),
            told(9, 3, flags="snapshot", mark=".begin"),
            told(4, 9, flags="snapshot"),
            told(9, 4, flags="snapshot"),
            told(9, 9, flags="snapshot", mark=".end"),
            told(10, 9),
        )
        == [FINE] * 6
    )


def test_a_replay_changes_nothing_of_what_comes_next() -> None:
    assert judged(told(5, 0), told(2, 0, flags="replay"), told(5, 0, flags="replay"), told(6, 5)) == [FINE] * 4


def test_a_new_journal_is_told_once() -> None:
    first, second, third = judged(told(5, 0), told(10_006, 5, epoch="e2"), told(10_007, 10_006, epoch="e2"))
    assert (first, third) == (FINE, FINE)
    assert second.faults == ("the gateway began a new journal (epoch e2, before: e1)",)


@pytest.mark.parametrize("seq", [None, "5", True, 1.5])
def test_what_has_no_seq_is_no_delivery_of_ours(seq: object) -> None:
    assert judged(delivery_of({"seq": seq}, lambda name: None))[0].faults


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttgateway.commands.receiving.deliveries.REMEMBERED", 3)
    known = Deliveries()
    for seq in range(1, 100):
        known.judge(told(seq, seq - 1))
    assert len(known._known) == 3


def test_a_line_says_what_happened_under_the_heads() -> None:
    text = line(told(196, 195), "13:40:18")
    assert HEAD == "TIME          SEQ  ORDER  CHANGE    STATE    TABLE  TYPE        PAGED      AGE"
    assert text == "13:40:18      196     66  modified  located     22  ON_PREMISE             9 s"
    assert len(HEAD) <= 80


def test_a_line_ends_with_what_is_special() -> None:
    headers = {"webhook-id": "e1.196", "ttgateway-attempt": "3", "ttgateway-flags": "coalesced"}
    got = delivery_of({**BODY, "paged": True, "type": "ORDER_PAGED"}, headers.get)
    assert line(got, "13:40:18", ("told before",)).endswith(
        "paged     located     22  ON_PREMISE  paged      9 s  (coalesced, attempt 3, told before)"
    )


def test_the_marks_of_a_snapshot_have_a_line_of_their_own() -> None:
    got = delivery_of({"type": "SNAPSHOT_END", "seq": 9, "count": 4}, {"ttgateway-flags": "snapshot"}.get)
    assert line(got, "13:40:18") == "13:40:18        9  snapshot end, 4 orders  (snapshot)"
    assert not got.is_change


@given(
    st.dictionaries(
        st.sampled_from([*BODY, "paged", "count"]), st.none() | st.booleans() | st.integers() | st.text() | st.floats()
    ),
    st.dictionaries(
        st.sampled_from(["webhook-id", "ttgateway-previous", "ttgateway-attempt", "ttgateway-flags"]), st.text()
    ),
)
def test_whatever_is_posted_makes_one_printable_line(body: dict[str, object], headers: dict[str, str]) -> None:
    got = delivery_of(body, headers.get)
    judgement = Deliveries().judge(got)
    text = line(got, "13:40:18", judgement.faults)
    assert text.isprintable()
    assert not re.search(r"[\r\n]", text)


@pytest.mark.parametrize(
    ("body", "time"),
    [
        ({"created": "2015-05-05T13:40:09", "stateChanged": "2015-05-05T13:40:18", "elapsedTime": 9}, "13:40:18"),
        # Both parts of the sum are cut to whole seconds.
        ({"created": "2015-05-05T13:40:09", "stateChanged": "2015-05-05T13:40:19", "elapsedTime": 9}, "13:40:19"),
        # Paging changes no state.
        ({"created": "2015-05-05T13:40:09", "stateChanged": "2015-05-05T13:40:18", "elapsedTime": 70}, "13:41:19"),
        ({"created": "2015-05-05T23:59:59", "stateChanged": "2015-05-05T23:59:59", "elapsedTime": 2}, "00:00:01"),
    ],
)
def test_when_a_change_happened_is_told_by_its_order(body: dict[str, object], time: str) -> None:
    assert happened(body) == time


@pytest.mark.parametrize("name", ["created", "stateChanged", "elapsedTime"])
@pytest.mark.parametrize("value", [None, "soon", {}, 1 << 70, "2015-05-05T13:40:18+02:00"])
def test_a_change_that_does_not_tell_it_properly_has_no_time(name: str, value: object) -> None:
    body = {"created": "2015-05-05T13:40:09", "stateChanged": "2015-05-05T13:40:18", "elapsedTime": 9}
    assert happened({**body, name: value}) == ""
