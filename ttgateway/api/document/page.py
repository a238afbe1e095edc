"""The OpenAPI document as one page for people: no script, nothing from elsewhere."""

from collections.abc import Iterator
from html import escape
from typing import Any

from ttgateway.api.document.openapi import error_table
from ttgateway.api.document.schemas import Document

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
section { border-top: 1px solid #8888; margin-top: 1.5rem; }
h3 code { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8884; }
.method { display: inline-block; min-width: 4.5rem; font-weight: bold; }
.wide { overflow-x: auto; }
"""

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>ttgateway API</title><style>{style}</style></head><body>
<h1>ttgateway API <small>{version}</small></h1>
<p>{about}</p>
<p>For programs: <a href="/api/openapi.json">openapi.json</a>. A secret goes into
<code>Authorization: Bearer &lt;secret&gt;</code>, or as the user name of <code>Basic</code>.</p>
"""


def page(document: Document) -> str:
    """Return the page that shows ``document``."""
    info = document["info"]
    about = escape(info["description"].strip())
    return "".join(
        [
            _HEAD.format(style=STYLE, version=escape(info["version"]), about=about),
            _contents(document),
            *_sections(document),
            _errors(),
            "</body></html>\n",
        ]
    )


def _contents(document: Document) -> str:
    lines = [
        f'<li><a href="#{held["operationId"]}"><span class="method">{method.upper()}</span>'
        f"<code>{escape(path)}</code></a> {escape(held['summary'])}</li>"
        for path, method, held in _operations(document)
    ]
    return f"<nav aria-label='Contents'><h2>Contents</h2><ul>{''.join(lines)}</ul></nav>"


def _sections(document: Document) -> Iterator[str]:
    for path, method, held in _operations(document):
        yield (
            f'<section id="{held["operationId"]}"><h3><span class="method">{method.upper()}</span>'
            f"<code>{escape(path)}</code></h3><p>{escape(held['summary'])}"
            f"{'' if held.get('security', True) else ' No secret is wanted.'}</p>"
            f"{_asked(held, document)}{_shown(held, document)}</section>"
        )


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Return path, method and description of all operations, those that can only be refused last."""
    for items in (document["paths"], document["components"]["pathItems"]):
        for path, methods in items.items():
            for method, held in methods.items():
                yield path if path.startswith("/") else "/" + path.replace("_", "/"), method, held


def _asked(held: Document, document: Document) -> str:
    rows = [(part["name"], part["in"], part["schema"], part["required"]) for part in held["parameters"]]
    body = held.get("requestBody")
    if body is not None:
        schema = _resolved(next(iter(body["content"].values()))["schema"], document)
        required = schema.get("required", [])
        rows += [(name, "body", field, name in required) for name, field in schema["properties"].items()]
    if not rows:
        return ""
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{where}{'' if required else ', optional'}</td>"
        f"<td>{_kind(field, document)}</td></tr>"
        for name, where, field, required in rows
    )
    head = "<tr><th>Field</th><th>Where</th><th>Kind</th></tr>"
    return f"<h4>Asks for</h4><div class='wide'><table>{head}{cells}</table></div>"


def _shown(held: Document, document: Document) -> str:
    status, response = next(iter(held["responses"].items()))
    kind, content = next(iter(response["content"].items()))
    if "allOf" not in content["schema"]:
        return f"<p>Shows <code>{escape(kind)}</code>.</p>"
    numbers, schema = content["schema"]["allOf"]
    code = numbers["properties"].get("returnCode", {}).get("enum")
    told = f" and returnCode {' or '.join(map(str, code))}" if code else ""
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_kind(field, document)}</td></tr>"
        for name, field in _resolved(schema, document)["properties"].items()
    )
    return (
        f"<h4>Shows, with status {status}{told}</h4><div class='wide'><table><tr><th>Field</th><th>Kind</th></tr>"
        f"{cells}</table></div>"
    )


def _kind(schema: Document, document: Document, depth: int = 0) -> str:
    """Return in words, as HTML, what a value may be."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(option, document, depth) for option in schema["anyOf"]))
    if "$ref" in schema:
        held = _resolved(schema, document)
        if "properties" not in held or depth > 2:
            return _kind(held, document, depth + 1)
        fields = "".join(
            f"<li><code>{escape(name)}</code>: {_kind(field, document, depth + 1)}</li>"
            for name, field in held["properties"].items()
        )
        return f"object<ul>{fields}</ul>"
    if "enum" in schema or "const" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'], document, depth)}"
    return escape(_words(schema))


def _words(schema: Document) -> str:
    words = [str(schema.get("type", "anything"))]
    if "minimum" in schema:
        words.append(
            f"{schema['minimum']} to {schema['maximum']}" if "maximum" in schema else f"{schema['minimum']} or more"
        )
    if "description" in schema:
        words.append(str(schema["description"]).rstrip("."))
    if "examples" in schema:
        words.append(f"such as {schema['examples'][0]}")
    return ", ".join(words)


def _resolved(schema: Document, document: Document) -> Document:
    if "$ref" not in schema:
        return schema
    held: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return held


def _errors() -> str:
    rows = "".join(
        f"<tr><td>{code}</td><td>{status}</td><td>{escape(text)}</td></tr>" for code, status, text in error_table()
    )
    return (
        "<section id='errors'><h2>Errors</h2><div class='wide'><table><tr><th>returnCode</th><th>Status</th>"
        f"<th>Meaning</th></tr>{rows}</table></div></section>"
    )
