import ipaddress

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock

from tests.notifier.network import FakeDial, fake_network, pass_time
from tests.support import Names, open_policy
from ttgateway.notifier.attempts.attempt import IDLE, Deadlines, Destination
from ttgateway.notifier.attempts.outcome import Outcome, Reply, Verdict, failed, judged
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.openings import opening

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


class Try:
    """One destination, and the outcomes of the attempts at it."""

    def __init__(
        self, url: str = "http://10.0.0.2/", *, names: Names | None = None, policy: CallPolicy | None = None
    ) -> None:
        self.timers = Clock()
        self.dial = FakeDial()
        self.names = names or Names()
        self.network = fake_network(self.timers, dial=self.dial, names=self.names, policy=policy)
        self.destination = Destination(CallbackURL.parse(url), self.network)
        self.outcomes: list[Outcome] = []

    def start(self, *, head: bool = False) -> Destination:
        self.destination.attempt(REQUEST, self.outcomes.append, Deadlines(), head=head)
        return self.destination

    def wait(self, seconds: float) -> None:
        pass_time(self.timers, seconds)

    def close(self) -> None:
        self.destination.close()
        self.network.sweep.stop()


def outcome(status: int) -> Outcome:
    verdict = Verdict.DELIVERED if status < 300 else Verdict.REFUSED if status < 500 else Verdict.DOWN
    return Outcome(verdict, str(status), status)


def test_an_answer_is_the_outcome_and_the_connection_serves_the_next_attempt() -> None:
    this = Try()
    for _ in range(3):
        this.start()
        assert this.dial.peer.received() == REQUEST
        this.dial.peer.answer(204)
    assert this.outcomes == [outcome(204)] * 3
    assert len(this.dial.peers) == 1
    this.close()


def test_an_idle_connection_is_closed_before_usual_servers_do_and_leaves_no_timer() -> None:
    this = Try()
    this.start()
    this.dial.peer.answer()
    this.wait(IDLE - 0.2)
    assert this.dial.peer.open
    this.wait(0.4)
    assert not this.dial.peer.open
    assert not this.dial.peer.transport.aborted  # a reset would look like a fault to the listener
    assert this.timers.getDelayedCalls() == []


def test_a_connection_that_answers_close_is_not_used_again() -> None:
    this = Try()
    this.start()
    this.dial.peer.answer(200, "Connection: close")
    this.start()
    assert len(this.dial.peers) == 2
    this.dial.peer.answer()
    this.close()


def test_a_kept_connection_that_dies_unheard_is_replaced_at_once_and_that_does_not_count() -> None:
    this = Try()
    this.start()
    this.dial.peer.answer()
    this.start()
    this.dial.peer.lose(ConnectionDone())
    assert this.outcomes == [outcome(200)]
    assert len(this.dial.peers) == 2
    assert this.dial.peer.received() == REQUEST
    this.dial.peer.answer()
    assert this.outcomes == [outcome(200), outcome(200)]
    this.close()


def test_a_kept_connection_that_dies_after_a_byte_counts() -> None:
    this = Try()
    this.start()
    this.dial.peer.answer()
    this.start()
    this.dial.peer.send(b"H")
    this.dial.peer.lose()
    assert this.outcomes[1:] == [failed("protocol")]
    this.network.sweep.stop()


def test_a_fresh_connection_that_dies_unheard_counts() -> None:
    this = Try()
    this.start()
    this.dial.peer.lose()
    assert this.outcomes == [failed("protocol")]
    this.network.sweep.stop()


def test_who_does_not_accept_is_given_up_after_three_seconds() -> None:
    this = Try()
    this.dial.silent.add("10.0.0.2")
    this.start()
    this.wait(2.8)
    assert this.outcomes == []
    this.wait(0.4)
    assert this.outcomes == [failed("timeout")]
    assert this.dial.cancelled == 1
    assert this.timers.getDelayedCalls() == []


def test_who_accepts_and_says_nothing_is_given_up_after_five_seconds() -> None:
    this = Try()
    this.start()
    this.wait(4.8)
    assert this.outcomes == []
    this.wait(0.4)
    assert this.outcomes == [failed("timeout")]
    assert this.dial.peer.transport.aborted


@pytest.mark.parametrize(
    ("first", "drip", "expected"),
    [
        (b"HTTP/1.1 ", b"2", failed("timeout")),
        (b"HTTP/1.1 200 OK\r\n", b"X", outcome(200)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x", outcome(200)),
        (b"HTTP/1.1 503 No\r\nContent-Length: 900\r\n\r\n", b"x", outcome(503)),
    ],
    ids=["status line", "headers", "body of a success", "body of a failure"],
)
def test_who_drips_is_given_up_within_ten_seconds_and_a_status_line_counts(
    first: bytes, drip: bytes, expected: Outcome
) -> None:
    this = Try()
    this.start()
    this.dial.peer.send(first)
    for second in range(10):
        assert this.outcomes == [] or second > 8
        this.wait(1.0)
        if this.dial.peer.open and second % 3 == 0:
            this.dial.peer.send(drip)
    assert this.outcomes == [expected]
    assert not this.dial.peer.open
    assert this.timers.getDelayedCalls() == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_reply_without_an_end_counts_after_a_second(kept: bool) -> None:
    this = Try()
    if kept:
        this.start()
        this.dial.peer.answer()
    this.start()
    this.dial.peer.send(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n")
    this.wait(0.8)
    this.dial.peer.send(b"one moment")
    assert len(this.outcomes) == kept
    this.wait(0.6)
    assert this.outcomes[-1] == judged(Reply(503, b"7"))
    assert not this.dial.peer.open
    this.network.sweep.stop()


def test_a_name_is_looked_up_and_its_address_dialled() -> None:
    this = Try("http://kds.local/x", names=Names(**{"kds.local": (ipaddress.ip_address("10.0.0.9"),)}))
    this.start()
    assert this.dial.dialled == ["10.0.0.9"]
    this.dial.peer.answer()
    this.close()


def test_a_name_that_nobody_knows_is_a_dns_failure() -> None:
    this = Try("http://kds.local/x")
    this.start()
    assert this.outcomes == [failed("dns")]
    this.network.sweep.stop()


def test_all_addresses_of_a_name_are_tried_in_turn_and_then_the_name_is_doubted() -> None:
    addresses = tuple(ipaddress.ip_address(f"10.0.0.{last}") for last in (1, 2, 3))
    this = Try("http://kds.local/x", names=Names(**{"kds.local": addresses}))
    this.dial.down.add("10.0.0.1")
    this.dial.silent.add("10.0.0.2")
    this.start()
    this.wait(3.2)
    assert this.dial.dialled == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    this.dial.peer.answer(200, "Connection: close")
    assert this.outcomes == [outcome(200)]
    this.dial.down.update(map(str, addresses))
    this.start()
    assert this.outcomes[1:] == [failed("refused")]
    assert this.names.forgotten == ["kds.local"]
    this.network.sweep.stop()


def test_a_dial_that_cannot_even_begin_is_an_outcome_too() -> None:
    this = Try("https://kds.local/x", names=Names(**{"kds.local": (ipaddress.ip_address("10.0.0.9"),)}))
    this.dial.broken = ValueError("no such name")
    this.start()
    assert this.outcomes == [failed("protocol")]
    this.network.sweep.stop()


def test_one_forbidden_address_among_good_ones_forbids_the_name() -> None:
    names = Names(**{"kds.local": (ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("127.0.0.1"))})
    this = Try("http://kds.local/x", names=names, policy=open_policy(allow=[], loopback=False))
    this.start()
    assert this.outcomes == [failed("forbidden")]
    assert this.dial.dialled == []
    this.network.sweep.stop()


def test_the_policy_is_asked_at_every_dial() -> None:
    names = Names(**{"kds.local": (ipaddress.ip_address("10.0.0.1"),)})
    this = Try("http://kds.local/x", names=names, policy=open_policy(allow=[], loopback=False))
    this.start()
    this.dial.peer.answer(200, "Connection: close")
    names.known["kds.local"] = (ipaddress.ip_address("169.254.169.254"),)
    this.start()
    assert this.outcomes == [outcome(200), failed("forbidden")]
    assert this.dial.dialled == ["10.0.0.1"]
    this.network.sweep.stop()


def test_an_ipv4_address_in_ipv6_clothes_is_dialled_as_what_it_is() -> None:
    this = Try("http://[::ffff:10.0.0.2]/")
    this.start()
    assert this.dial.dialled == ["10.0.0.2"]
    this.dial.peer.answer()
    this.close()


def test_by_tls_the_listener_must_prove_the_name_that_was_registered() -> None:
    this = Try("https://kds.local/x", names=Names(**{"kds.local": (ipaddress.ip_address("10.0.0.9"),)}))
    this.start()
    assert this.dial.peer.host == "kds.local"
    this.dial.peer.answer()
    this.close()


@pytest.mark.parametrize("silent", [True, False], ids=["while connecting", "while waiting for the reply"])
def test_a_cancelled_attempt_has_no_outcome_and_leaves_nothing(silent: bool) -> None:
    this = Try()
    if silent:
        this.dial.silent.add("10.0.0.2")
    attempt = this.start()
    attempt.cancel()
    this.wait(15)
    assert this.outcomes == []
    assert all(not peer.open for peer in this.dial.peers)
    assert this.dial.cancelled == int(silent)
    assert len(this.dial.dialled) == 1
    assert this.timers.getDelayedCalls() == []


def test_the_time_of_an_attempt_is_not_extended_by_a_second_connection() -> None:
    this = Try()
    this.start()
    this.dial.peer.answer()
    this.dial.silent.add("10.0.0.2")
    this.start()
    this.wait(1.0)
    this.dial.peer.lose(ConnectionDone())
    this.wait(3.2)
    assert this.outcomes[1:] == [failed("timeout")]


def test_a_kept_connection_is_judged_anew_when_the_policy_has_changed() -> None:
    policy = open_policy(allow=[], loopback=False)
    policy.allow_also([opening("203.0.113.7")])
    this = Try("http://203.0.113.7/", policy=policy)
    this.start()
    this.dial.peer.answer()
    policy.allow_also([opening("203.0.113.0/24")])
    this.start()
    assert [peer.open for peer in this.dial.peers] == [False, True]
    this.dial.peer.answer()
    policy.allow_also([])
    this.start()
    assert this.outcomes == [outcome(200), outcome(200), failed("forbidden")]
    assert len(this.dial.dialled) == 2
    this.network.sweep.stop()
