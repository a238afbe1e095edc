"""What one run shares: the DNS, the sinks, who may be called, what went wrong, and the figures."""

from collections import Counter
from ipaddress import ip_address

from tests.callees.addresses import GOOD
from tests.callees.dns import AT, Dns
from tests.callees.gateway import Reply
from tests.callees.sinks import Sinks, Target, Watch
from tests.callees.table import OTHERS, PORT, Case, Fate

PROXY_PORT = 3128
LURING_PORT = 8081
TLS_PORT = 443

_CAUSES = {"refused", "timeout", "dns", "tls", "protocol"}
_FIELDS = {1: {"status", "message"}, 2: {"status", "message", "returnCode"}}

_LURES = [
    *("Location: http://169.254.169.254:8080/latest", "Refresh: 0; url=http://127.0.0.1:8080/"),
    *('Alt-Svc: h2="127.0.0.1:443"; persist=1', "Content-Location: http://[::1]:8080/", "Retry-After: 0"),
    *("Link: <http://8.8.8.8:8080/>; rel=preload", "Proxy-Authenticate: Basic", "Connection: close"),
]


def answer(first_line: str) -> bytes:
    """Return what a sink replies: 200, or on ``/lure/STATUS`` that status, with all that leads elsewhere."""
    path = first_line.split(" ")[1]
    luring = path.startswith("/lure/")
    lines = [f"HTTP/1.1 {path.removeprefix('/lure/') if luring else '200'} Whatever", *(_LURES if luring else [])]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()


class World:
    """What the daemon meets. ``allowed`` is whom it may call: anybody else who is called is told by `strangers`."""

    def __init__(self) -> None:
        self.dns = Dns()
        self.watch = Watch()
        self.sinks = Sinks({80, PORT, LURING_PORT, TLS_PORT, PROXY_PORT, *OTHERS}, answer)
        self.allowed: set[Target] = {AT, (GOOD, LURING_PORT)}
        self.wrong: list[str] = []
        self.figures: Counter[str] = Counter()

    def allow(self, case: Case) -> None:
        """Let the daemon call what a row says that it dials."""
        port = PORT if f":{PORT}/" in case.url else 80
        later = case.answers[-1] if case.answers and case.later is Fate.CALLED else ()
        self.allowed |= {(str(ip_address(text)), port) for text in (*case.dialled, *later)}

    def allow_nobody(self) -> None:
        """Forget whom the daemon may call, and whom it has: only the DNS, until `allow` says who else."""
        self.allowed = {AT}
        self.called_strangers()

    def strangers(self, when: str) -> None:
        """Note who was called and must not have been."""
        lost = self.watch.lost()
        if lost:
            self.wrong.append(f"{when}: {lost} packets were not looked at: the machine is too slow for this run")
        for seen, kind in ((self.watch.begun, "packets"), (self.sinks.accepted, "connections")):
            for target in [target for target in seen if target not in self.allowed]:
                self.figures["forbidden connections"] += seen[target]
                self.wrong.append(f"{when}: {seen[target]} {kind} to {target[0]} port {target[1]}")
                del seen[target]

    def called_strangers(self) -> set[Target]:
        """Return who was called besides those in ``allowed``, and forget it: for the time in which that is right."""
        called = {target for target in self.sinks.accepted if target not in self.allowed}
        for seen in (self.watch.begun, self.sinks.accepted):
            for target in [target for target in seen if target not in self.allowed]:
                del seen[target]
        return called

    def judge(self, case: Case, reply: Reply, version: int) -> None:
        """Compare a reply to a registration with what is documented, field by field: it must tell no more."""
        self.figures[f"replies, {case.fate.name.lower()}"] += 1
        status, code = case.fate.value
        told = case.rule
        if version == 2 and "\0" in case.url:  # no JSON of ours holds that
            code, told = -31, "NUL"
        fields, documented = reply.fields, set(_FIELDS[version])
        if version == 2 and case.fate in (Fate.CALLED, Fate.UNKNOWN):
            documented.add("listener" if case.fate is Fate.CALLED else "cause")
        good = (reply.status, fields["status"], fields.get("returnCode", code)) == (status, status, code)
        good = good and set(fields) == documented and fields.get("cause", "dns") in _CAUSES
        if not good or (case.fate is not Fate.CALLED and told not in fields["message"]):
            self.wrong.append(f"{case.name}: {case.url!r}, v{version}: {reply} in place of {case.fate} ({told})")
