"""`ActiveOrders` against a model: a dict of what each name should be."""

import itertools
from collections.abc import Callable

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ttgateway.orders.active import ActiveOrders, Decision
from ttgateway.orders.change import ChangeType
from ttgateway.orders.errors import OrderNotActive
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, OrderState, OrderType

NAMES = st.sampled_from(["1", "22", "333"])
TYPES = st.sampled_from(OrderType)
LOCATIONS = st.sampled_from(["", "7", "8"])

Model = dict[str, tuple[str, OrderType, str, bool]]  # uuid, type, location, paged


class Orders(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.uuids = map(str, itertools.count(1_000))
        self.given: list[str] = []
        self.orders = ActiveOrders([], 0, self.new_uuid)
        self.model: Model = {}
        self.seq = 0
        self.up = 0.0

    def new_uuid(self) -> str:
        self.given.append(next(self.uuids))
        return self.given[-1]

    def at(self) -> Moment:
        self.up += 1
        return Moment(wall=1_000 + self.up, uptime=self.up)

    def changed(self, decision: Decision, kind: ChangeType | None) -> None:
        assert decision.change == kind
        if kind is not None:
            self.seq += 1
            assert decision.order.seq == self.seq

    def missing(self, name: str) -> bool:
        if name in self.model:
            return False
        before = self.orders.all()
        commands: list[Callable[[], Decision]] = [
            lambda: self.orders.page(name, self.at()),
            lambda: self.orders.cancel_page(name),
            lambda: self.orders.clear(name, ClearedReason.TRACKER, self.at()),
        ]
        for command in commands:
            try:
                command()
            except OrderNotActive:
                continue
            raise AssertionError(f"{name} is not active")
        assert self.orders.all() == before
        return True

    def key(self, name: str, by_uuid: bool) -> str:
        return self.model[name][0] if by_uuid else name

    @rule(name=NAMES, kind=TYPES, location=LOCATIONS)
    def post(self, name: str, kind: OrderType, location: str) -> None:
        decision = self.orders.post(name, kind, location, self.at())
        if name not in self.model:
            self.model[name] = (self.given[-1], kind, location, False)
            self.changed(decision, ChangeType.CREATED)
            return
        uuid, was, stood, paged = self.model[name]
        same = kind == was and location in ("", stood)
        self.model[name] = (uuid, kind, location or stood, paged)
        self.changed(decision, None if same else ChangeType.MODIFIED)

    @rule(name=NAMES, by_uuid=st.booleans())
    def page(self, name: str, by_uuid: bool) -> None:
        if not self.missing(name):
            self.changed(self.orders.page(self.key(name, by_uuid), self.at()), ChangeType.PAGED)
            self.model[name] = (*self.model[name][:3], True)

    @rule(name=NAMES, by_uuid=st.booleans())
    def cancel(self, name: str, by_uuid: bool) -> None:
        if not self.missing(name):
            paged = self.model[name][3]
            self.changed(self.orders.cancel_page(self.key(name, by_uuid)), ChangeType.MODIFIED if paged else None)
            self.model[name] = (*self.model[name][:3], False)

    @rule(name=NAMES, by_uuid=st.booleans())
    def clear(self, name: str, by_uuid: bool) -> None:
        if not self.missing(name):
            decision = self.orders.clear(self.key(name, by_uuid), ClearedReason.TRACKER, self.at())
            self.changed(decision, ChangeType.MODIFIED)
            assert decision.order.state is OrderState.CLEARED
            del self.model[name]

    @invariant()
    def is_as_the_model(self) -> None:
        stands = {order.name: (order.uuid, order.type, order.location, order.paged) for order in self.orders.all()}
        assert stands == self.model
        assert self.orders.seq == self.seq
        assert len(self.orders) == len(self.model)
        for order in self.orders.all():
            assert order.state == (OrderState.LOCATED if order.location else OrderState.STARTED)
            assert order.started <= order.changed


def test_any_commands_in_any_order_do_what_the_model_does() -> None:
    run_state_machine_as_test(Orders, settings=settings(max_examples=100, stateful_step_count=30, deadline=None))
