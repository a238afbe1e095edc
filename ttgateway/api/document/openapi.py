"""The OpenAPI document, made from the routes and from the types that read requests and render replies."""

import inspect
import re
from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from apispec import APISpec

from ttgateway import __version__
from ttgateway.api.call import Access, Operation
from ttgateway.api.codes import ERRORS
from ttgateway.api.document.schemas import Document, Types
from ttgateway.api.shapes import Refused

_JSON = "application/json"
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
    types = Types(operations)
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


def _operation(operation: Operation, operations: Sequence[Operation], types: Types) -> Document:
    about = inspect.cleandoc(operation.about)
    shown: Document = {
        "summary": about.partition("\n")[0],
        "operationId": _id(operation),
        "tags": [_tag(operation)],
        "parameters": _parameters(operation, types),
        "responses": _responses(operation, types),
    }
    if operation.leads:
        next(iter(shown["responses"].values()))["links"] = _links(operation, operations)
    body = operation.body or operation.describes
    if body is not None:
        content = {_JSON: {"schema": types.schema(body)}}
        if operation.form is not None:
            content["application/x-www-form-urlencoded"] = {"schema": types.schema(operation.form)}
        required = any(field.required for field in msgspec.structs.fields(body))
        shown["requestBody"] = {"required": required, "content": content}
    if operation.access is Access.ANYBODY:
        shown["security"] = []
    return shown


def _id(operation: Operation) -> str:
    return re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path}").strip("_")


def _tag(operation: Operation) -> str:
    if not operation.api:
        return "watching"
    family = operation.path.split("/")[3:4] or ["gateway"]
    return f"v{operation.api} {family[0]}"


def _links(operation: Operation, operations: Sequence[Operation]) -> Document:
    """Return how what an operation shows leads to the paths of that thing."""
    return {
        _id(target): {"operationId": _id(target), "parameters": {name: f"$response.body#{pointer}"}}
        for name, pointer in operation.leads.items()
        for target in operations
        if target.api == operation.api and target.parts.keys() == {name}
    }


def _parameters(operation: Operation, types: Types) -> list[Document]:
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


def _responses(operation: Operation, types: Types) -> Document:
    shown: Document = {}
    for status, kind in operation.shows.items():
        phrase, schema = HTTPStatus(status).phrase, types.schema(kind)
        if operation.kind != _JSON:
            shown[str(status)] = {"description": phrase, "content": {operation.kind: {"schema": schema}}}
            continue
        numbers = _numbers(operation, {"const": status}, {"enum": sorted({operation.code, *operation.acks})})
        shown[str(status)] = _response(phrase, schema, numbers)
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
    return {"description": description, "content": {_JSON: {"schema": {"allOf": [numbers, shown]}}}}
