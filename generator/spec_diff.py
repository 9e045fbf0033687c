"""Report in Markdown how changes of the OpenAPI document affect callers: `python -m generator.spec_diff --base REF`."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .__main__ import OVERLAYS, ROOT, GenerationError, generate, install, read
from .document_diff import Change, differences, pairs
from .effect_diff import effect_of
from .navigation import DocumentError, Part, UnsupportedError
from .overlay import OverlayError
from .surface import PACKAGE, REMOVED, Break, Surface, compare

Version = tuple[int, ...]

_VERSION = f"{PACKAGE}/_runtime/version.py"
_NEEDED = ("openapi.yaml", OVERLAYS, _VERSION, f"{PACKAGE}/api", f"{PACKAGE}/models")
_RULE = (
    "A breaking change raises the leftmost number that is not 0, an addition the next one, any other change the last."
)
_USERS_SHOWN = 4


class SpecDiffError(Exception):
    """The documents cannot be compared; the message says why."""


class Revision:
    """The project at one commit, or in the working tree.

    Attributes:
        document: The OpenAPI document from which the code is generated: with the overlays applied, and prepared.
        version: The version, as numbers.
        surface: The public names of the package.
    """

    def __init__(self, root: Path, code: Path) -> None:
        """Read the project in `root`, except `api` and `models`, which are in `code`."""
        self.document: dict[str, Any] = read(root / "openapi.yaml", root / OVERLAYS)[0]
        version = (root / _VERSION).read_text("utf-8").partition("__version__ = ")[2]
        self.version: Version = tuple(map(int, re.findall(r"\d+", version)[:3]))
        with TemporaryDirectory() as folder:
            # Only generated code: tests/public_api.txt records the other names.
            install(code, Path(folder, PACKAGE))
            self.surface = Surface(Path(folder))


class Report:
    """The differences between two OpenAPI documents, and between the packages generated from them."""

    def __init__(self, base: str, before: Revision, after: Revision) -> None:
        """Compare the revision of the commit `base` with the present one."""
        self._base, self._before, self._after = base, before, after
        self._old, self._new = before.surface, after.surface
        self._changes = differences(before.document, after.document)
        renamed: dict[str, str] = {}
        for was, where in pairs(before.document, after.document):
            # Outdated code lacks some of the document's operations.
            if was in self._old.calls and where in self._new.calls:
                renamed[self._old.calls[was]] = self._new.calls[where]
                renamed[self._old.modules[was]] = self._new.modules[where]
        self._callers = compare(self._old, self._new, {old: new for old, new in renamed.items() if old != new})
        for change in self._changes:
            self._add_facets(change)

    def _add_facets(self, change: Change) -> None:
        """Add the effects that no type and no signature shows."""
        name, inner = self._named(change)
        if name in self._callers.removed:
            return
        schemes: Part = self._after.document.get("components", {}).get("securitySchemes", {})
        for facet in change.facets:
            if not (change.sent or facet.breaks) or not (effect := effect_of(facet, schemes)):
                continue
            how = f"{inner}{effect.how}"
            changed, breaks = self._callers.changed, self._callers.breaks
            changed[name] = "; ".join([*([changed[name]] if name in changed else []), how])
            if facet.breaks:
                known = breaks.get(name, Break("", ""))
                advice = known.advice if effect.advice in known.advice else f"{known.advice} {effect.advice}".lstrip()
                breaks[name] = Break(f"{known.how}; {how}".removeprefix("; "), advice)

    def _named(self, change: Change) -> tuple[str, str]:
        """Return the name by which callers know the changed part, and the inner part that has changed."""
        owner = self._new.calls.get(change.owner, change.owner) or "Pictify(base_url=…)"
        if not change.names:
            return owner, ""
        inner = ".".join(change.names[1:]).replace(".[]", "[]")
        of = "each " if inner in ("*", "[]") else f"`{inner}` " if inner else ""
        return self._new.member(owner, change.names[0]), of

    @property
    def breaking(self) -> bool:
        """Whether callers break."""
        return bool(self._callers.breaks)

    @property
    def next(self) -> Version:
        """The lowest version that the changes require."""
        return next_version(self._before.version, breaking=self.breaking, added=bool(self.changelog()["Added"]))

    @property
    def now(self) -> Version:
        """The present version."""
        return self._after.version

    def changelog(self) -> dict[str, list[str]]:
        """Return the lines for `CHANGELOG.md` by section."""
        callers = self._callers
        sections = {
            "Added": dict[str, str](),
            "Changed": {**callers.changed},
            "Removed": dict.fromkeys(callers.removed, ""),
        }
        for name in callers.added:
            item = self._new.items[name]
            if name in callers.breaks:
                sections["Changed"][name] = f"is required. {item.summary}".rstrip()
            else:
                sections["Added"][name] = item.summary
        listed = {name for lines in sections.values() for name in lines}
        for name, (how, _) in callers.breaks.items():
            if name not in listed:
                sections["Removed" if how == REMOVED else "Changed"][name] = "" if how == REMOVED else how
        return {
            title: [self._line(name, lines[name]) for name in sorted(lines, key=self._rank)]
            for title, lines in sections.items()
        }

    def _rank(self, name: str) -> tuple[bool, bool, str]:
        return name not in self._callers.breaks, not name.startswith("pictify."), name

    def _line(self, name: str, text: str) -> str:
        breaking = "**Breaking:** " if name in self._callers.breaks else ""
        call = "(…)" if name in (*self._old.calls.values(), *self._new.calls.values()) else ""
        return f"- {breaking}`{name}{call}`{f': {text}' if text else ''}".removesuffix(".") + "."

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        changelog = {title: lines for title, lines in self.changelog().items() if lines}
        yield f"## Changes of the OpenAPI document since `{self._base}`\n"
        if not self._changes and not changelog:
            yield "There are none, neither in the document nor in the package that is generated from it."
            return
        verdict = "Breaking" if self.breaking else "Not breaking"
        yield (
            f"**{verdict}: version {_dotted(self._before.version)} requires {_dotted(self.next)}**, and "
            f"`{_VERSION}` has {_dotted(self.now)}. {_RULE}"
        )
        yield "\n### Changes of the document\n"
        yield from self._document_changes() if self._changes else ["None."]
        yield "\n### Breaking changes\n"
        breaks = self._callers.breaks
        yield from [self._break(name) for name in sorted(breaks, key=self._rank)] or ["None."]
        yield "\n### Lines for CHANGELOG.md\n"
        lines = "\n\n".join("\n".join([f"### {title}\n", *lines]) for title, lines in changelog.items())
        yield f"```markdown\n{lines}\n```" if lines else "None."

    def _break(self, name: str) -> str:
        how, advice = self._callers.breaks[name]
        return f"- `{name}`: {how}. {advice}"

    def _document_changes(self) -> Iterator[str]:
        """Yield the differences of the document: of the API, of each operation, of each schema."""
        owners: dict[str, list[Change]] = {}
        for change in self._changes:
            owners.setdefault(change.owner, []).append(change)
        for owner in sorted(owners, key=lambda owner: (owner != "", " " not in owner)):
            yield f"- {self._heading(owner, owners[owner])}"
            yield from (f"    - {change}" for change in owners[owner] if change.kind != "described")
            if described := [change.part for change in owners[owner] if change.kind == "described"]:
                yield f"    - new description: {_listed(described)}"

    def _heading(self, owner: str, changes: list[Change]) -> str:
        calls = {**self._old.calls, **self._new.calls}
        users = [
            f"`{calls.get(user, user)}`" for user in dict.fromkeys(user for each in changes for user in each.users)
        ]
        if not owner:
            return "the API"
        if " " in owner:
            return f"`{owner}`, {users[0]}"
        more = len(users) - _USERS_SHOWN
        return f"schema `{owner}`, in {_listed([*users[:_USERS_SHOWN], *([f'{more} more'] if more > 0 else [])])}"


def next_version(base: Version, *, breaking: bool, added: bool) -> Version:
    """Return the version that changes require: a breaking change raises the leftmost number that is not 0."""
    leftmost = next((place for place, number in enumerate(base) if number), 2)
    place = leftmost if breaking else min(leftmost + 1, 2) if added else 2
    return (*base[:place], base[place] + 1, *[0] * (2 - place))


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _listed(parts: list[str]) -> str:
    return " and ".join([*([", ".join(parts[:-1])] if parts[1:] else []), parts[-1]])


def checkout(root: Path, base: str, folder: Path) -> None:
    """Write the files of a commit into a folder.

    Raises:
        SpecDiffError: If there is no such commit, or it lacks a file that is compared.
    """
    archive = folder / "base.tar"
    command = ["git", "-C", str(root), "archive", "--format=tar", f"--output={archive}", f"{base}^{{commit}}"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        raise SpecDiffError(
            f"{base!r} is not a commit of this repository: fetch it, or name another\n{run.stderr.strip()}"
        )
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    if missing := [name for name in _NEEDED if not (folder / name).exists()]:
        raise SpecDiffError(f"there is no {_listed(missing)} at {base!r}")


def report(base: str, root: Path) -> Report:
    """Compare the present OpenAPI document with that of a commit.

    Raises:
        SpecDiffError: If one of them cannot be read, or no code can be generated from it.
    """
    with TemporaryDirectory() as folder, TemporaryDirectory() as there:
        build = Path(folder, PACKAGE)
        try:
            generate(root / "openapi.yaml", build)
            after = Revision(root, build)
        except (GenerationError, DocumentError) as error:
            raise SpecDiffError(f"no code can be generated from openapi.yaml\n{error}") from error
        checkout(root, base, Path(there))
        try:
            before = Revision(Path(there), Path(there, PACKAGE))
        except (DocumentError, OverlayError, UnsupportedError) as error:
            raise SpecDiffError(f"openapi.yaml at {base!r} cannot be read\n{error}") from error
        return Report(base, before, after)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator.spec_diff", description=__doc__)
    parser.add_argument("--base", required=True, help="the commit to compare with: a tag, a branch or a hash")
    parser.add_argument(
        "--fail-on-breaking",
        action="store_true",
        help="fail if a change breaks callers and the version is not raised accordingly",
    )
    options = parser.parse_args(arguments)
    try:
        found = report(options.base, root)
    except SpecDiffError as error:
        print(f"Nothing was compared: {error}", file=sys.stderr)
        return 2
    print(found)
    if options.fail_on_breaking and found.breaking and found.now < found.next:
        print(f"Callers break: {_VERSION} needs version {_dotted(found.next)} or higher.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
