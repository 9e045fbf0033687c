"""Hooks of MkDocs: the generated pages, the charts of the benchmarks, and drawings in the colours of the page."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from docs.pages import ROOT, figures, pages
from docs.pages.classes import MODEL_PAGES

# The package of the models, which is not a page.
_MODELS = re.compile(
    r'(?:<span[^>]*>)?<autoref identifier="pictify_client\.models"[^>]*>models</autoref>'
    r"(?:</span><span[^>]*>)?\.(?:</span>)?"
)
_IMAGE = re.compile(r'<img alt="[^"]*" src="[^"]*drawings/(\w+\.svg)"\s*/?>')
# A browser loads these by itself: everything but links.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link rel="(?:stylesheet|icon|preconnect|preload)")[^>]*"""
    r"""(?:src|href)=["']?(?:https?:)?//[^>]*>"""
)
_log = logging.getLogger("mkdocs.hooks.docs")


def on_config(config: Any) -> Any:
    """Add the pages of the models to the navigation, after the page that lists them."""
    _section(config["nav"], "models/index.md").extend({name: path} for name, path in MODEL_PAGES.items())
    return config


def _section(items: Any, path: str) -> list[Any]:
    """Return the list of the navigation that has this page; empty if none has."""
    for item in items:
        values = cast("Mapping[str, Any]", item).values() if isinstance(item, Mapping) else ()
        for value in values:
            if value == path:
                return cast("list[Any]", items)
            if not isinstance(value, str) and (found := _section(value, path)):
                return found
    return []


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages and the charts of the benchmarks."""
    file = import_module("mkdocs.structure.files").File
    for path, text in pages().items():
        files.append(file.generated(config, path, content=text))
    for chart in sorted((ROOT / "benchmarks/charts").glob("*.svg")):
        files.append(file.generated(config, f"charts/{chart.name}", abs_src_path=str(chart)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Link to the site's copies of the charts, insert the figures, and describe the page by its first paragraph."""
    if description := _description(markdown):
        page.meta.setdefault("description", description)
    page.meta.setdefault("search", {"boost": _boost(page.file.src_uri)})
    return markdown.replace("](../benchmarks/charts/", "](charts/").replace("<!-- figures -->", figures())


def _boost(path: str) -> float:
    """Return the weight of a page in the search: guides before classes, and `Binding` before `BindingList`."""
    if path in MODEL_PAGES.values():
        name = path.removeprefix("models/").removesuffix(".md")
        return 0.1 / sum(name.startswith(other) for other in MODEL_PAGES)
    folder = path.partition("/")[0]
    return {"cookbook": 2.0, "operations": 0.5, "classes": 0.5, "models": 0.1}.get(folder, 4.0)


def _description(markdown: str) -> str:
    """Return the beginning of the first paragraph as plain text; nothing in a page without one."""
    for block in re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE).split("\n\n"):
        if re.match(r"[A-Z`*\"]", block):
            text = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", block)
            text = " ".join(re.sub(r"[`*]", "", text).split())
            # As much as search engines show, in complete sentences.
            found = re.match(r".{20,160}[.:](?= |$)", text)
            return (found[0] if found else text).removesuffix(":").removesuffix(".") + "."
    return ""


def on_page_content(html: str, **_: Any) -> str:
    """Inline the drawings, so that they take the colours of the page, and show models without their package."""
    html = _MODELS.sub("", html)
    return _IMAGE.sub(lambda found: (ROOT / "docs/drawings" / found[1]).read_text("utf-8"), html)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Warn if the page loads anything from another site; in a strict build a warning is an error."""
    for found in _LOADED.findall(output):
        _log.warning("%s loads from another site: %s", page.file.src_uri, found)
    return output
