"""Mutants that no test can notice, as they do the same: the module, what differs, and why that makes no difference."""

EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "ttgateway.notifier.callbacks.callback",
        "-            return None\n+            pass",
    ): "a property that ends returns None",
    (
        "ttgateway.notifier.callbacks.reach",
        "-        deadlines = Deadlines(connect=min(CONNECT, limit), first_byte=limit, total=limit)\n"
        "+        deadlines = Deadlines(connect=min(limit, CONNECT), first_byte=limit, total=limit)",
    ): "the smaller of two is the same in either order",
    (
        "ttgateway.notifier.callbacks.resolver",
        "-Addresses = tuple[IPAddress, ...]\n+Addresses = tuple[IPAddress,]",
    ): "a type, of which nothing is left when it runs",
}
