"""The templates of the stand-in."""

from __future__ import annotations

from collections.abc import Mapping

from ._account import Account, Record, matching, page_of
from ._answers import Answer, Refused, address, picture, refused
from ._images import png

# What the API takes and does not send.
_DESIGN = ("html", "fabricJSData")


class Templates:
    """Templates, and their images at addresses that can be embedded."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def list_templates(
        self, page: int = 1, limit: int = 12, sort: str = "newest", output_format: str = "all"
    ) -> Record:
        found = matching(self._account.templates, outputFormat=None if output_format == "all" else output_format)
        by = "name" if sort == "name" else "createdAt"
        if sort == "newest":
            # Of those that were made at the same time, the last comes first.
            found.reverse()
        found.sort(key=lambda template: template.get(by, ""), reverse=sort == "newest")
        return page_of("templates", found, page, limit)

    def create_template(self, body: Record) -> Record:
        uid, made = self._account.new_id("tmpl"), self._account.now()
        template: Record = {
            "uid": uid,
            "type": "canvas" if "fabricJSData" in body else "html",
            "tags": [],
            "width": 1200,
            "height": 630,
            "thumbnail": address("thumbnails", f"{uid}.png"),
            "outputFormat": "image",
            "variableDefinitions": [],
            **_shown(body),
            "createdAt": made,
            "updatedAt": made,
        }
        self._account.templates.append(template)
        return {"template": template}

    def get_template(self, uid: str) -> Record:
        return {"template": self._account.template(uid)}

    def update_template(self, uid: str, body: Record) -> Record:
        template = self._account.template(uid)
        template.update(_shown(body), updatedAt=self._account.now())
        return {"template": template}

    def delete_template(self, uid: str) -> Record:
        self._account.templates.remove(self._account.template(uid))
        return {"message": "Template deleted"}

    def get_template_variables(self, uid: str) -> Record:
        template = self._account.template(uid)
        variables = template.get("variableDefinitions", [])
        return {"templateUid": uid, "templateName": template.get("name", ""), "variables": variables}

    def render_template_url(self, template_uid: str, format: str, **_: object) -> Answer:  # noqa: A002
        try:
            self._account.template(template_uid)
        except Refused:
            return Answer(404, {"content-type": "image/png"}, png(1, 1, transparent=True))
        headers = {"cache-control": "public, max-age=300", "referrer-policy": "no-referrer"}
        return picture(format, self._account.size(template_uid), headers)


def check_variables(template: Record, variables: Mapping[str, object]) -> None:
    """Refuse values for variables that a template has not; one that names none takes any.

    Raises:
        Refused: There is such a value.
    """
    known = {variable.get("name") for variable in template.get("variableDefinitions", [])}
    if unknown := [name for name in variables if known and name not in known]:
        raise refused(422, f"the template has no variable {unknown[0]}", code="invalid_variable")


def _shown(body: Record) -> Record:
    return {name: value for name, value in body.items() if name not in _DESIGN}
