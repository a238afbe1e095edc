"""Reading what a request asks for: the fields of its body or its query become a typed value.

A field's type says, in its `msgspec.Meta`, what is allowed, for the OpenAPI document; and, under ``extra["read"]``, who
reads it: a function that takes the value as it came (``None``: absent) and returns it, or raises the refusal with the
returnCode of that field.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

Reader = Callable[[Any], object]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for, under the names that its fields have here."""


class AskedCamel(Asked, frozen=True, kw_only=True, rename="camel"):
    """What a request asks for, under names in camelCase."""


Kind = TypeVar("Kind", bound=Asked)
_readers: dict[type[msgspec.Struct], list[tuple[str, str, Reader]]] = {}


def reads(read: Reader, **meta: Any) -> Meta:
    """Return the metadata of a field that ``read`` reads; ``meta`` describes it further, as in `msgspec.Meta`."""
    return Meta(extra={"read": read}, **meta)


def as_it_came(value: object) -> object:
    """Read a field whose value somebody else judges."""
    return value


def read(kind: type[Kind], values: Mapping[str, object]) -> Kind:
    """Return ``values`` as a ``kind``; its fields are read in their order, so that the first fault is told.

    Raises whatever the readers of its fields raise. What ``kind`` does not know is ignored.
    """
    if kind not in _readers:
        _readers[kind] = _readers_of(kind)
    return kind(**{name: reader(values.get(wire)) for name, wire, reader in _readers[kind]})


def _readers_of(kind: type[msgspec.Struct]) -> list[tuple[str, str, Reader]]:
    hints = get_type_hints(kind, include_extras=True)
    return [(f.name, f.encode_name, _reader(hints[f.name])) for f in msgspec.structs.fields(kind)]


def _reader(hint: Any) -> Reader:
    """Return the reader in an annotated type, which may be one of a union; every field of ours has one."""
    if get_origin(hint) is Annotated:
        return cast(Reader, next(meta.extra["read"] for meta in get_args(hint)[1:] if meta.extra))
    return _reader(next(option for option in get_args(hint) if get_origin(option) is Annotated))
