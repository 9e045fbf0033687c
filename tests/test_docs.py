"""The documentation: its code runs with the documented output, its links work, and it is complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pictify
import pytest

import pictify_client
from docs.pages import classes, operations, pages
from generator.__main__ import ROOT
from pictify_client import hooks, models, testing
from pictify_client.testing import FakePictify

from .document import operations as operations_of_document
from .snippets import Snippet, run_programs, run_tests, snippets_in, snippets_of, type_check

GUIDES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *GUIDES]
MADE = pages()
OPERATIONS = [f"{method.upper()} {path}" for path, method, _ in operations_of_document()]


def named(document: str, snippets: list[Snippet]) -> dict[str, Snippet]:
    """Code by module name."""
    stem = re.sub(r"\W", "_", document.removesuffix(".md")).lower()
    return {f"{stem}_{number}": snippet for number, snippet in enumerate(snippets, 1)}


WRITTEN = {name: each for document in DOCUMENTS for name, each in named(document, snippets_of(document)).items()}


def test_programs_run_with_the_documented_output(tmp_path: Path) -> None:
    programs = {name: snippet for name, snippet in WRITTEN.items() if not snippet.is_test}
    for name, ran in zip(programs, run_programs(programs.values(), tmp_path), strict=True):
        assert programs[name].prints(ran.printed), f"{name} prints:\n{ran.printed}"


def test_the_tests_in_the_documentation_pass(tmp_path: Path) -> None:
    tests = {name: snippet for name, snippet in WRITTEN.items() if snippet.is_test}
    assert len(tests) > 7
    run_tests(tests, tmp_path)


def test_every_operation_has_an_async_and_a_sync_snippet_that_calls_it(tmp_path: Path) -> None:
    assert sorted(operations.SNIPPETS) == sorted(operations.modules()) == sorted(OPERATIONS)
    programs = [(name, Snippet(code, None)) for name in OPERATIONS for code in operations.snippets(name)]
    ran = run_programs([snippet for _, snippet in programs], tmp_path)
    for (name, snippet), each in zip(programs, ran, strict=True):
        assert name in each.operations, snippet.code
        assert each.printed or "print" not in snippet.code, snippet.code


def test_the_reference_shows_every_operation_with_its_snippets() -> None:
    text = "".join(text for path, text in MADE.items() if path.startswith("operations/"))
    shown = [snippet.code for snippet in snippets_in(text)]
    assert sorted(shown) == sorted(code for name in OPERATIONS for code in operations.snippets(name))
    for name in OPERATIONS:
        assert text.count(f"`{name}`{{ .operation }}") == 1


def test_the_reference_has_the_arguments_the_result_and_the_errors_of_an_operation() -> None:
    text = MADE["operations/images.md"].partition("## images.create ")[2].partition("\n## ")[0]
    assert (
        "`width` <code>int</code>, optional\n:   Width of the image in pixels. From 1 to 4096. Defaults to 1280."
        in text
    )
    assert 'identifier="pictify_client.models.ImageResponse"' in text
    assert 'identifier="pictify_client.UnauthorizedError">UnauthorizedError</autoref></code>: The API key is' in text
    assert "`pictify_client.api.images.create_image`" in text


def test_every_public_name_is_on_one_page() -> None:
    shown = classes.names()
    assert len(shown) == len(set(shown))
    packages = {"api", "errors", "models", "webhooks", "__version__"}
    for package in (pictify_client, models, testing):
        public = [f"{package.__name__}.{name}" for name in vars(package)["__all__"] if name not in packages]
        assert [name for name in public if name not in shown] == []
    types_of_hooks = {name for name in vars(hooks) if name.endswith(("Event", "Hook"))}
    assert types_of_hooks <= {name.rpartition(".")[2] for name in shown}


def test_operations_are_described_once_and_each_model_has_a_page() -> None:
    assert [name for name in classes.names() if name.startswith("pictify_client.api.")] == []
    assert {f"models/{name}.md" for name in ("Binding", "BindingStatus", "WebhookEventName")} <= set(MADE)


def test_the_code_is_clean_under_strict_type_checking(tmp_path: Path) -> None:
    snippets = dict(WRITTEN)
    for number, name in enumerate(OPERATIONS):
        snippets |= named(f"operation_{number}", [Snippet(code, None) for code in operations.snippets(name)])
    assert type_check(snippets, tmp_path) == (0, "")


def test_the_first_program_of_the_readme_is_short() -> None:
    first = snippets_of("README.md")[0].code
    assert len([line for line in first.splitlines() if line]) <= 6


def test_the_figures_of_the_readme_are_those_of_the_last_benchmark_run() -> None:
    results = json.loads((ROOT / "benchmarks/results.json").read_text("utf-8"))["figures"]
    measured: list[str] = []
    for figure in ("async_call_20", "sync_call_20", "slow_100", "decode_100", "memory"):
        (row,) = [row for row in results[figure]["rows"] if row["peer"] == "pictify_client"]
        measured.append(f"{row['ratio']['median']:.2f}")
    table = (ROOT / "README.md").read_text("utf-8").partition("| Ratio |")[2].partition("\n\n")[0]
    assert re.findall(r"\| ([\d.]+) \|$", table, re.MULTILINE) == measured


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_documented_commands_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", (ROOT / document).read_text("utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/how_it_is_built.md"])
def test_the_modules_in_the_contributors_guide_exist(document: str) -> None:
    folders = ("generator", "pictify_client")
    names = {path.name for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".yaml"}}
    named = set(re.findall(r"(\w[\w-]*\.(?:py|yaml))\b", (ROOT / document).read_text("utf-8")))
    assert len(named) > 10
    assert named - names <= {"openapi.yaml", "generator-config.yaml", "supported.py", "unsupported.py"}


def test_the_architecture_diagram_has_every_module() -> None:
    drawn = set(re.findall(r">(\w+)(?:\.py|/)<", (ROOT / "docs/drawings/house.svg").read_text("utf-8")))
    names = {path.stem for path in (ROOT / "pictify_client").iterdir() if not path.name.startswith((".", "_"))}
    assert drawn >= names - {"py"}


@pytest.mark.parametrize("document", [*DOCUMENTS, "CHANGELOG.md", "tests/recordings/README.md"])
def test_links_work(document: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / document).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    made = {f"docs/{path}" for path in MADE}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        where = (ROOT / document).parent / path if path else ROOT / document
        there = where.resolve().relative_to(ROOT).as_posix() if "://" not in target else ""
        assert "://" in target or there in made or where.exists(), target
        if anchor and "://" not in target and there not in made:
            assert anchor in anchors_of(where), target


def anchors_of(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub and MkDocs both make them."""
    headings = re.findall(r"^#+ (.*)", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_messages_that_troubleshooting_quotes_are_raised() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
    quoted = re.findall(r"^`(.*)`$", text, re.MULTILINE)
    parts = [part.strip() for line in quoted for message in line.split("`, `") for part in message.split("...")]
    source = "".join(path.read_text("utf-8") for path in sorted((ROOT / "pictify_client").rglob("*.py")))
    source = re.sub(r'["\']\s*f?["\']', "", source)
    # Messages of Python itself.
    source += "coroutine '' was never awaited"
    assert len(quoted) > 25
    assert [part for part in parts if part.strip("'` ") and part.replace("\\`", "`") not in source] == []


def test_migrating_names_every_method_and_error_of_the_vendors_library() -> None:
    text = (ROOT / "docs/migrating.md").read_text("utf-8")
    methods = [
        name for name in vars(pictify.Pictify) if not name.startswith("_") and callable(getattr(pictify.Pictify, name))
    ]
    errors = [name for name in pictify.__all__ if name.endswith("Error")]
    assert len(methods) > 10
    left = {"close"}  # the same
    shown = set(re.findall(r"\w+", text))
    assert [name for name in (*methods, *errors) if name not in shown | left] == []
    client = FakePictify().client()
    for resource, method in re.findall(r"`(\w+)\.(\w+)\(", text.partition("## Error by error")[0]):
        assert resource == "job" or callable(getattr(getattr(client, resource), method))
    for name in re.findall(r"\| .*\| .*", text.partition("## Error by error")[2].partition("## Differences")[0]):
        for error in re.findall(r"`(\w+Error)`", name.split("|")[2]):
            assert hasattr(pictify_client, error), error
