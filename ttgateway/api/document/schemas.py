"""The JSON schemas of all types that operations read and show."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ttgateway.api.call import Operation
from ttgateway.api.shapes import Refused
from ttgateway.whole import MOST_WHOLE

Document = dict[str, Any]

_REF = "#/components/schemas/{name}"
_NAMES = {"pattern": "^[^\\x00]*$"}
_ANYTHING: Document = {
    "description": "Any JSON that the gateway takes; where a field has no name here, it is ignored.",
    "anyOf": [
        {"type": ["null", "boolean"]},
        {"type": "string", **_NAMES},
        {"type": "number", "minimum": -MOST_WHOLE, "maximum": MOST_WHOLE},
        {"type": "array", "items": {"$ref": _REF.format(name="Anything")}},
        {
            "type": "object",
            "propertyNames": _NAMES,
            "additionalProperties": {"$ref": _REF.format(name="Anything")},
        },
    ],
}
_BESIDES: Document = {"propertyNames": _NAMES, "additionalProperties": {"$ref": _REF.format(name="Anything")}}


class Types:
    """The schemas of all types in the operations. ``components`` are those with a name."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        wanted: list[Any] = [Refused]
        for operation in operations:
            wanted += operation.shows.values()
            wanted += operation.parts.values()
            asked = (operation.body, operation.describes, operation.query, operation.form)
            wanted += [kind for kind in asked if kind is not None]
        distinct = {repr(kind): kind for kind in wanted}
        schemas, self.components = msgspec.json.schema_components(distinct.values(), ref_template=_REF)
        self._schemas = dict(zip(distinct, schemas, strict=True))
        self.components["Anything"] = _ANYTHING
        for body in [operation.body for operation in operations if operation.body is not None]:
            self.components[body.__name__] |= _BESIDES

    def schema(self, kind: Any) -> Document:
        """Return the schema of a type: by reference, where it has a name."""
        return self._schemas[repr(kind)]

    def fields(self, kind: type[msgspec.Struct]) -> list[tuple[str, Document, bool]]:
        """Return name, schema and whether it is required, for each field of a query."""
        schema = self.components[self.schema(kind)["$ref"].rpartition("/")[2]]
        required = schema.get("required", [])
        return [(name, _present(held), name in required) for name, held in schema["properties"].items()]


def _present(schema: Document) -> Document:
    """Return the schema of a query parameter that is there: it is never null."""
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if not options:
        return {key: value for key, value in schema.items() if key != "default"}
    held = options[0] if len(options) == 1 else {"anyOf": options}
    return {**held, **{key: schema[key] for key in ("description", "examples") if key in schema}}
