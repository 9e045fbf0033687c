"""Format text for docstrings."""

from __future__ import annotations

import re
from textwrap import wrap

from openapi_python_client import schema as oai
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import PythonIdentifier, safe_for_docstring

# With three quotes before it, a line does not exceed the limit.
_WIDTH = 116
_MAX_LINE_LENGTH = 120


def text_of(text: UntrustedString | None) -> str:
    """The text of a string of the document; empty if there is none."""
    return text.get_untrusted_value() if text else ""


def with_limits(text: str, schema: oai.Schema) -> str:
    """The description, with the limits and the default of the schema."""
    notes: list[str] = []
    if schema.exclusiveMinimum is not None:
        notes.append(f"more than {number(schema.exclusiveMinimum)}")
    if schema.exclusiveMaximum is not None:
        notes.append(f"less than {number(schema.exclusiveMaximum)}")
    for least, most, unit in (
        (schema.minimum, schema.maximum, ""),
        (schema.minLength, schema.maxLength, " characters"),
        (schema.minItems, schema.maxItems, " items"),
    ):
        if least is not None and most is not None:
            notes.append(f"from {number(least)} to {number(most)}{unit}")
        elif least is not None:
            notes.append(f"at least {number(least)}{unit}")
        elif most is not None:
            notes.append(f"at most {number(most)}{unit}")
    if schema.enum:
        notes.append(f"one of {', '.join(f'`{value}`' for value in schema.enum)}")
    limits = f"{_capital('; '.join(notes))}." if notes else ""
    has_default = schema.default is not None and schema.default != []
    return " ".join(filter(None, (text, limits, f"Defaults to {schema.default}." if has_default else "")))


def number(limit: float) -> str:
    """A limit, without ".0" if it is an integer."""
    return str(int(limit)) if limit == int(limit) else repr(limit)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def filled(text: str, indent: int, *, hanging: int = 0, first: int | None = None) -> str:
    """Text of a docstring, wrapped; `hanging` is the indent of an entry's continuation lines."""
    lead = " " * (hanging if first is None else first)
    # Documents use the names of fields in JSON.
    text = re.sub(r"`([a-z]+(?:[A-Z][a-z0-9]*)+)`", lambda match: f"`{PythonIdentifier(match[1], '')}`", text)
    paragraphs = re.split(r"\n\s*\n", safe_for_docstring(text))
    return "\n\n".join(
        "\n".join(
            wrap(
                paragraph,
                _WIDTH - indent,
                initial_indent=lead,
                subsequent_indent=lead + " " * hanging,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        for paragraph in paragraphs
    )


def docstring(text: str, indent: int) -> str:
    """The content of a docstring, without the quotes."""
    lines = text.split("\n")
    if len(lines) == 1 and indent + len(text) + len('""""""') <= _MAX_LINE_LENGTH:
        return f'{text[:-1]}\\"' if text.endswith('"') else text
    if len(lines) == 1:
        # Ruff would put the closing quotes behind it in any case.
        lines = wrap(text, _WIDTH - indent - len('""""""'), break_long_words=False, break_on_hyphens=False)
    return "\n".join([lines[0], *(f"{' ' * indent}{line}".rstrip() for line in lines[1:]), " " * indent])
