"""The OpenAPI document, made from the routes and from the types that read requests and render replies."""

import inspect
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from apispec import APISpec

from ttgateway import __version__
from ttgateway.api.call import Access, Operation
from ttgateway.api.codes import ERRORS
from ttgateway.api.shapes import Refused

Document = dict[str, Any]

_REF = "#/components/schemas/{name}"
_ABOUT = """\
The API of an in-store order gateway: versions 1 and 2, side by side. Every reply repeats the HTTP status in `status`;
version 2 has a `returnCode` besides. `message` stands in acknowledgements and errors only. Times are in the gateway's
time zone, without fraction and offset. A name is active at most once; every path that takes a name takes the uuid too.
"""


def document(operations: Sequence[Operation], epoch: str) -> Document:
    """Return the OpenAPI 3.1 document that describes ``operations`` of a gateway with this ``epoch``."""
    spec = APISpec(
        title="ttgateway",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        security=[{"bearer": []}],
    )
    also = "Basic, with the secret as user name and an empty password, is the same."
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "description": also})
    types = _Types(operations)
    for name, schema in types.components.items():
        spec.components.schema(name, schema)
    hopeless = {operation.path for operation in operations if operation.hopeless}
    items: Document = {}
    for operation in operations:
        items.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, operations, types)
    for path in [path for path in items if path not in hopeless]:
        spec.path(re.sub(r"<(\w+)>", r"{\1}", path), operations=items[path])
    described: Document = spec.to_dict()
    # Where a request can only be refused is no path for programs to try; it is told of all the same.
    described["components"]["pathItems"] = {re.sub(r"\W+", "_", path.strip("/")): items[path] for path in hopeless}
    for parameter in described["paths"]["/api/v2/events"]["get"]["parameters"]:
        if parameter["name"] == "epoch":
            parameter["schema"]["enum"] = [epoch]  # any other is gone
    return described


def error_table() -> list[tuple[int, int, str]]:
    """Return what can be wrong: returnCode, HTTP status, and a sentence each, by code."""
    told = {(code, status): inspect.getdoc(kind) or "" for kind, (status, code) in reversed(ERRORS.items())}
    return [(code, status, text) for (code, status), text in sorted(told.items(), reverse=True)]


_NAMES = {"pattern": "^[^\\x00]*$"}
_ANYTHING: Document = {
    "description": "Any JSON that the gateway takes; where a field has no name here, it is ignored.",
    "anyOf": [
        {"type": ["null", "boolean"]},
        {"type": "string", **_NAMES},
        {"type": "number", "minimum": -(2**53), "maximum": 2**53},
        {"type": "array", "items": {"$ref": _REF.format(name="Anything")}},
        {
            "type": "object",
            "propertyNames": _NAMES,
            "additionalProperties": {"$ref": _REF.format(name="Anything")},
        },
    ],
}
_BESIDES: Document = {"propertyNames": _NAMES, "additionalProperties": {"$ref": _REF.format(name="Anything")}}


class _Types:
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


def _operation(operation: Operation, operations: Sequence[Operation], types: _Types) -> Document:
    about = inspect.cleandoc(operation.about)
    shown: Document = {
        "summary": about.partition("\n")[0],
        "operationId": _id(operation),
        "tags": [f"v{operation.api} {operation.path.split('/')[3] if operation.path.count('/') > 2 else 'gateway'}"],
        "parameters": _parameters(operation, types),
        "responses": _responses(operation, types),
    }
    if operation.leads:
        next(iter(shown["responses"].values()))["links"] = _links(operation, operations)
    body = operation.body or operation.describes
    if body is not None:
        content = {"application/json": {"schema": types.schema(body)}}
        if operation.form is not None:
            content["application/x-www-form-urlencoded"] = {"schema": types.schema(operation.form)}
        required = any(field.required for field in msgspec.structs.fields(body))
        shown["requestBody"] = {"required": required, "content": content}
    if operation.access is Access.ANYBODY:
        shown["security"] = []
    return shown


def _id(operation: Operation) -> str:
    return re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path}").strip("_")


def _links(operation: Operation, operations: Sequence[Operation]) -> Document:
    """Return how what an operation shows leads to the paths of that thing."""
    return {
        _id(target): {"operationId": _id(target), "parameters": {name: f"$response.body#{pointer}"}}
        for name, pointer in operation.leads.items()
        for target in operations
        if target.api == operation.api and target.parts.keys() == {name}
    }


def _parameters(operation: Operation, types: _Types) -> list[Document]:
    parts: list[Document] = [
        {"name": name, "in": "path", "required": True, "schema": types.schema(kind)}
        for name, kind in operation.parts.items()
    ]
    if operation.query is None:
        return parts
    return parts + [
        {"name": name, "in": "query", "required": required, "schema": schema}
        for name, schema, required in types.fields(operation.query)
    ]


def _responses(operation: Operation, types: _Types) -> Document:
    shown = {
        str(status): _response(
            HTTPStatus(status).phrase,
            types.schema(kind),
            _numbers(operation, {"const": status}, {"enum": sorted({operation.code, *operation.acks})}),
        )
        for status, kind in operation.shows.items()
    }
    numbers = _numbers(
        operation, {"type": "integer", "minimum": 400, "maximum": 599}, {"type": "integer", "maximum": -1}
    )
    shown["default"] = _response("Not granted.", types.schema(Refused), numbers)
    return shown


def _numbers(operation: Operation, status: Document, code: Document) -> Document:
    """Return the schema of the numbers that stand before what is shown."""
    numbers = {"status": status, "returnCode": code} if operation.api == 2 else {"status": status}
    return {"type": "object", "properties": numbers, "required": list(numbers)}


def _response(description: str, shown: Document, numbers: Document) -> Document:
    return {"description": description, "content": {"application/json": {"schema": {"allOf": [numbers, shown]}}}}


def _present(schema: Document) -> Document:
    """Return the schema of a query parameter that is there: it is never null."""
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if not options:
        return {key: value for key, value in schema.items() if key != "default"}
    held = options[0] if len(options) == 1 else {"anyOf": options}
    return {**held, **{key: schema[key] for key in ("description", "examples") if key in schema}}
