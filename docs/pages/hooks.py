"""Hooks of MkDocs: the generated pages, the charts of the benchmarks, and drawings in the colours of the page."""

from __future__ import annotations

import logging
import re
from importlib import import_module
from typing import Any

from docs.pages import ROOT, figures, pages

# The package of the models, which is not a page.
_MODELS = re.compile(
    r'(?:<span[^>]*>)?<autoref identifier="pictify_client\.models"[^>]*>models</autoref>'
    r"(?:</span><span[^>]*>)?\.(?:</span>)?"
)
_IMAGE = re.compile(r'<img alt="[^"]*" src="[^"]*drawings/(\w+\.svg)"\s*/?>')
# What a browser loads by itself: everything but links.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link rel="(?:stylesheet|icon|preconnect|preload)")[^>]*"""
    r"""(?:src|href)=["']?(?:https?:)?//[^>]*>"""
)
_log = logging.getLogger("mkdocs.hooks.docs")


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages and the charts of the benchmarks."""
    file = import_module("mkdocs.structure.files").File
    for path, text in pages().items():
        files.append(file.generated(config, path, content=text))
    for chart in sorted((ROOT / "benchmarks/charts").glob("*.svg")):
        files.append(file.generated(config, f"charts/{chart.name}", abs_src_path=str(chart)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Link to the site's copies of the charts, and insert the figures."""
    return markdown.replace("](../benchmarks/charts/", "](charts/").replace("<!-- figures -->", figures())


def on_page_content(html: str, **_: Any) -> str:
    """Inline the drawings, so that they take the colours of the page, and call models by their names alone."""
    html = _MODELS.sub("", html)
    return _IMAGE.sub(lambda found: (ROOT / "docs/drawings" / found[1]).read_text("utf-8"), html)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Warn if the page loads anything from another site; in a strict build a warning is an error."""
    for found in _LOADED.findall(output):
        _log.warning("%s loads from another site: %s", page.file.src_uri, found)
    return output
