"""A body of WeChat, XML or JSON, to its fields; and fields to such a body. Pure.

WeChat leaves control characters unescaped in what people wrote, so they are taken out before parsing. No DTD and no
entities are read, and nothing above `MAX_BODY_BYTES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import ParseError

import orjson
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

MAX_BODY_BYTES = 128 * 1024
MAX_FIELDS = 200
KEPT_BODIES, KEPT_BYTES = 512, 4_096
Fields = Mapping[str, str]
Value = str | int | Mapping[str, "Value"]
# Neither in XML 1.0 nor of any use: C0 without tab and line ends, surrogates, U+FFFE and U+FFFF.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_JSON = re.compile("[\x00-\x1f\ud800-\udfff]")


def fields_of(body: bytes) -> Fields:
    """The fields of an XML or JSON body as text, an inner one as `Outer.Inner`; the first of a name counts.

    A push is read when it comes, when it is handled and when the next one follows: the same body is parsed once.
    Raises ValueError on anything else.
    """
    if len(body) > MAX_BODY_BYTES:
        raise ValueError("too large")
    return _kept(body) if len(body) <= KEPT_BYTES else _fields_of(body)


@lru_cache(KEPT_BODIES)
def _kept(body: bytes) -> Fields:
    return _fields_of(body)


def _fields_of(body: bytes) -> Fields:
    said = body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    found: dict[str, str] = {}
    for name, value in _json_pairs(said) if said.startswith("{") else _xml_pairs(said):
        found.setdefault(name, value)
        if len(found) >= MAX_FIELDS:
            raise ValueError("too many fields")
    return found


def is_json(body: bytes) -> bool:
    """Whether a body that `fields_of` reads is JSON."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _xml_pairs(said: str) -> Iterator[tuple[str, str]]:
    try:
        root = fromstring(_NOT_XML.sub("", said), forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise ValueError(f"not XML: {type(error).__name__}") from None
    for child in root:
        yield child.tag, child.text or ""
        for inner in child:
            yield f"{child.tag}.{inner.tag}", inner.text or ""


def _json_pairs(said: str) -> Iterator[tuple[str, str]]:
    found = orjson.loads(_NOT_JSON.sub(" ", said))
    if not isinstance(found, dict):
        raise ValueError("not an object")
    for name, value in found.items():
        if isinstance(value, dict):
            yield name, ""
            yield from ((f"{name}.{inner}", _plain(one)) for inner, one in value.items())
        else:
            yield name, _plain(value)


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def body_of(fields: Mapping[str, Value], *, json: bool) -> bytes:
    """Fields as a body that WeChat reads: numbers plain, texts in CDATA when it is XML."""
    return orjson.dumps(fields) if json else f"<xml>{_xml(fields)}</xml>".encode("utf-8", "replace")


def _xml(fields: Mapping[str, Value]) -> str:
    return "".join(f"<{name}>{_xml_value(value)}</{name}>" for name, value in fields.items())


def _xml_value(value: Value) -> str:
    if isinstance(value, str):
        inside = _NOT_XML.sub("", value).replace("]]>", "]]]]><![CDATA[>")
        return f"<![CDATA[{inside}]]>"
    return str(value) if isinstance(value, int) else _xml(value)
