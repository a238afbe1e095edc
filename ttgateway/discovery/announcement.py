"""What is said of a gateway on the network. Pure (protocol section 9, RFC 6763)."""

import msgspec
from zeroconf import ServiceInfo

SERVICE = "_tracker-http._tcp.local."
"""The type under which clients look for a gateway."""

MOST_NAME = 56
"""Bytes of an instance name: 63 less room for the number that is added where the name is taken."""

_INSTEAD = "ttgateway"


def instance_name(name: str) -> str:
    """Return ``name`` as the instance's name: without control characters, dots (labels end at them) and excess."""
    kept = "".join("-" if character == "." or not character.isprintable() else character for character in name)
    return kept.encode(errors="replace")[:MOST_NAME].decode(errors="ignore").strip() or _INSTEAD


class Announcement(msgspec.Struct, frozen=True):
    """One gateway: its name, its API's port, its uuid and its version."""

    name: str
    port: int
    id: str
    version: str

    @property
    def host(self) -> str:
        """The host name that the announcement leads to, such as ``ttgateway-0f3c1a2b4d5e.local``.

        It is the gateway's alone. The machine's own name may belong to an avahi-daemon here, and two of us that gave
        one name other addresses would each take the other for an impostor.
        """
        return f"ttgateway-{self.id.replace('-', '')[:12]}.local"

    def info(self, addresses: list[str]) -> ServiceInfo:
        """Return the records: PTR, SRV, TXT, and one A for each of ``addresses``."""
        return ServiceInfo(
            SERVICE,
            f"{instance_name(self.name)}.{SERVICE}",
            port=self.port,
            properties={"path": "/api/v2", "version": self.version, "id": self.id},
            server=f"{self.host}.",
            parsed_addresses=addresses,
        )


def shown_name(full: str) -> str:
    """Return the instance's name out of its full DNS name."""
    return full.removesuffix(f".{SERVICE}")
