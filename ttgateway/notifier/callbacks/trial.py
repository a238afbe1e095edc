"""Would a URL be called? What the policy says to each of its addresses, without calling any."""

import msgspec

from ttgateway.machine import IPAddress
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.resolver import NameNotFound, Resolver
from ttgateway.refusals import CallbackForbidden, CallbackInvalid


class Ruling(msgspec.Struct, frozen=True):
    """What the policy says to one address: whether it is called, and by which rule."""

    address: str
    called: bool
    rule: str


class Trial(msgspec.Struct, frozen=True):
    """What would become of a URL; ``wrong`` is why it cannot even be judged, ``""`` where it was."""

    url: str
    wrong: str = ""
    rulings: tuple[Ruling, ...] = ()

    @property
    def called(self) -> bool:
        """Whether it would be called: only if all its addresses may be."""
        return not self.wrong and all(ruling.called for ruling in self.rulings)

    @property
    def why_not(self) -> str:
        """Return why it would not be called; ``""`` where it would."""
        return self.wrong or next((ruling.rule for ruling in self.rulings if not ruling.called), "")


async def tried(url: object, policy: CallPolicy, resolver: Resolver) -> Trial:
    """Return what would become of ``url``; its name is looked up. Never fails."""
    try:
        target = CallbackURL.parse(url)
    except CallbackInvalid as error:
        return Trial(str(url), f"It is not a URL that is called: {error}")
    try:
        addresses = (target.address,) if target.address is not None else await resolver.resolve(target.host)
    except NameNotFound as error:
        return Trial(str(target), f"Its name has no address: {error}")
    return Trial(str(target), rulings=tuple(_ruling(policy, address, target.port) for address in addresses))


def _ruling(policy: CallPolicy, address: IPAddress, port: int) -> Ruling:
    try:
        return Ruling(str(address), True, policy.reason(address, port))
    except CallbackForbidden as error:
        return Ruling(str(address), False, str(error))
