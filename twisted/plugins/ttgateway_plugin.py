"""Tells twistd that there is a ``ttgateway`` service; by strings only, so that it can never break another twistd."""

from twisted.application.service import ServiceMaker

ttgateway = ServiceMaker(
    "ttgateway",
    "ttgateway.tap",
    "An in-store order gateway: tells kitchen displays and pagers about every order change.",
    "ttgateway",
)
