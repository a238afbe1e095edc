"""What can be wrong with a command about an order. Faces translate these into replies."""


class OrderError(Exception):
    """A command about an order that cannot be carried out; the text is for the caller."""


class NameMissing(OrderError):
    """The order has no name."""


class NameInvalid(OrderError):
    """The name is not a string of 1 to 10 digits."""


class LocationInvalid(OrderError):
    """The location is not a string of digits."""


class TypeMissing(OrderError):
    """The order has no type."""


class TypeInvalid(OrderError):
    """The type is none that we know."""


class OrderIdInvalid(OrderError):
    """What should name an order is neither a string of digits nor a uuid."""


class OrderNotActive(OrderError):
    """No active order has this name or uuid; or, in the history, no order at all."""


class TooManyOrders(OrderError):
    """As many orders are active as the gateway keeps."""
