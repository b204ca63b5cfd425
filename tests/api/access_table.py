"""Every route: what it takes to be let in, what it is asked with, and what it must answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from laydown.domain.access import Act

FORM_TYPE: Final = "multipart/form-data; boundary=x"
FORM: Final = (
    b"--x\r\nContent-Disposition: form-data; name=a; filename=form.txt\r\n\r\nwhole\r\n--x--\r\n"
)

ANYBODY: Final = None
"""Every valid caller is let in: they see what is theirs."""

Route = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a route takes."""

    act: Act | None = ANYBODY
    sees: Act | None = None  # what it takes to learn that it exists at all; else as `act`
    is_everywhere: bool = False  # a role in one project is not enough
    is_others: bool = False  # somebody else delivered it: who can't see it can't act on it
    is_open: bool = False  # nobody has to say who they are
    body: Any = None
    media_type: str | None = None  # of a body that is no JSON


_SEES_BATCH: Final = Act.SEE_DELIVERIES
_DELIVERS: Final = {"act": Act.DELIVER, "sees": _SEES_BATCH, "is_others": True}
_USAGE: Final = {"act": Act.SEE_DELIVERIES, "is_everywhere": True}
_LINKS: Final = {"act": Act.MANAGE_LINKS}
_PEOPLE: Final = {"act": Act.MANAGE_MEMBERS, "is_everywhere": True}

RULES: Mapping[Route, Rule] = {
    ("POST", "/v1/projects"): Rule(
        act=Act.MAKE_PROJECT, is_everywhere=True, body={"code": "{fresh}"}
    ),
    ("GET", "/v1/projects"): Rule(),
    ("GET", "/v1/projects/{project_id}"): Rule(act=Act.SEE_PROJECT),
    ("PATCH", "/v1/projects/{project_id}"): Rule(
        act=Act.CHANGE_PROJECT, sees=Act.SEE_PROJECT, body={"name": "Tower"}
    ),
    ("GET", "/v1/usage"): Rule(**_USAGE),
    ("GET", "/v1/quotas"): Rule(**_USAGE),
    ("PUT", "/v1/quotas"): Rule(act=Act.SET_QUOTAS, is_everywhere=True, body={}),
    ("GET", "/v1/projects/{project_id}/usage"): Rule(act=Act.SEE_DELIVERIES, sees=Act.SEE_PROJECT),
    ("GET", "/v1/projects/{project_id}/quotas"): Rule(act=Act.SEE_DELIVERIES, sees=Act.SEE_PROJECT),
    ("PUT", "/v1/projects/{project_id}/quotas"): Rule(
        act=Act.SET_QUOTAS, sees=Act.SEE_PROJECT, body={}
    ),
    ("GET", "/v1/projects/{project_id}/folder"): Rule(act=Act.READ_DOCUMENTS, sees=Act.SEE_PROJECT),
    ("POST", "/v1/projects/{project_id}/previews"): Rule(
        act=Act.DELIVER, sees=Act.SEE_PROJECT, body={"entries": []}
    ),
    ("GET", "/v1/reasons"): Rule(),
    ("POST", "/v1/projects/{project_id}/batches"): Rule(
        act=Act.DELIVER, sees=Act.SEE_PROJECT, body={"reference": "{fresh}", "entries": []}
    ),
    ("POST", "/v1/projects/{project_id}/files"): Rule(
        act=Act.DELIVER, sees=Act.SEE_PROJECT, body=FORM, media_type=FORM_TYPE
    ),
    ("POST", "/v1/projects/{project_id}/rescan"): Rule(act=Act.OPERATE, sees=Act.SEE_PROJECT),
    ("GET", "/v1/projects/{project_id}/documents"): Rule(
        act=Act.READ_DOCUMENTS, sees=Act.SEE_PROJECT
    ),
    ("GET", "/v1/projects/{project_id}/members"): Rule(
        act=Act.MANAGE_MEMBERS, sees=Act.SEE_PROJECT
    ),
    ("PUT", "/v1/projects/{project_id}/members/{member_id}"): Rule(
        act=Act.MANAGE_MEMBERS, sees=Act.SEE_PROJECT, body={"role": "viewer"}
    ),
    ("DELETE", "/v1/projects/{project_id}/members/{member_id}"): Rule(
        act=Act.MANAGE_MEMBERS, sees=Act.SEE_PROJECT
    ),
    ("POST", "/v1/projects/{project_id}/links"): Rule(
        act=Act.MANAGE_LINKS, sees=Act.SEE_PROJECT, body={"label": "Roofer"}
    ),
    ("GET", "/v1/projects/{project_id}/links"): Rule(act=Act.MANAGE_LINKS, sees=Act.SEE_PROJECT),
    ("GET", "/v1/batches"): Rule(),
    ("GET", "/v1/batches/{batch_id}"): Rule(act=_SEES_BATCH),
    ("GET", "/v1/batches/{batch_id}/uploads"): Rule(act=_SEES_BATCH),
    ("GET", "/v1/batches/{batch_id}/events"): Rule(act=_SEES_BATCH),
    ("GET", "/v1/batches/{batch_id}/receipt"): Rule(act=_SEES_BATCH),
    ("GET", "/v1/batches/{batch_id}/receipt.csv"): Rule(act=_SEES_BATCH),
    ("POST", "/v1/batches/{batch_id}/entries"): Rule(**_DELIVERS, body={"entries": []}),
    ("POST", "/v1/batches/{batch_id}/grants"): Rule(**_DELIVERS, body={"limit": 1}),
    ("POST", "/v1/batches/{batch_id}/progress"): Rule(**_DELIVERS, body={"uploads": []}),
    ("POST", "/v1/batches/{batch_id}/completions"): Rule(**_DELIVERS, body={"uploads": []}),
    ("POST", "/v1/batches/{batch_id}/retry"): Rule(**_DELIVERS),
    ("POST", "/v1/batches/{batch_id}/close"): Rule(**_DELIVERS),
    ("POST", "/v1/batches/{batch_id}/cancel"): Rule(**_DELIVERS),
    ("GET", "/v1/uploads/{upload_id}"): Rule(act=_SEES_BATCH),
    ("GET", "/v1/uploads/{upload_id}/timeline"): Rule(act=_SEES_BATCH),
    ("DELETE", "/v1/uploads/{upload_id}"): Rule(**_DELIVERS),
    ("GET", "/v1/documents/{document_id}"): Rule(act=Act.READ_DOCUMENTS),
    ("GET", "/v1/documents/{document_id}/versions"): Rule(act=Act.READ_DOCUMENTS),
    ("GET", "/v1/versions/{version_id}"): Rule(act=Act.READ_DOCUMENTS),
    ("GET", "/v1/versions/{version_id}/content"): Rule(act=Act.READ_DOCUMENTS),
    ("HEAD", "/v1/versions/{version_id}/content"): Rule(act=Act.READ_DOCUMENTS),
    ("GET", "/v1/me"): Rule(),
    ("POST", "/v1/members"): Rule(**_PEOPLE, body={"name": "Somebody"}),
    ("GET", "/v1/members"): Rule(**_PEOPLE),
    ("GET", "/v1/members/{member_id}"): Rule(**_PEOPLE),
    ("PATCH", "/v1/members/{member_id}"): Rule(**_PEOPLE, body={"name": "Else"}),
    ("DELETE", "/v1/members/{member_id}"): Rule(**_PEOPLE),
    ("POST", "/v1/tokens"): Rule(body={"name": "mine"}),
    ("GET", "/v1/tokens"): Rule(),
    ("DELETE", "/v1/tokens/{token_id}"): Rule(**_PEOPLE),
    ("GET", "/v1/links/{link_id}"): Rule(**_LINKS),
    ("DELETE", "/v1/links/{link_id}"): Rule(**_LINKS),
    ("GET", "/signin"): Rule(is_open=True),
    ("GET", "/signin/provider"): Rule(is_open=True),
    ("GET", "/signin/return"): Rule(is_open=True),
    ("POST", "/v1/sessions"): Rule(is_open=True, body={"code": "ldc"}),
    ("GET", "/v1/sessions/ways"): Rule(is_open=True),
    ("DELETE", "/v1/sessions/current"): Rule(),
    ("GET", "/v1/audit"): Rule(act=Act.READ_AUDIT, is_everywhere=True),
    ("GET", "/v1/audit.csv"): Rule(act=Act.READ_AUDIT, is_everywhere=True),
    ("GET", "/v1/operations/overview"): Rule(act=Act.OPERATE, is_everywhere=True),
    ("GET", "/v1/operations/history"): Rule(act=Act.OPERATE, is_everywhere=True),
    ("GET", "/v1/operations/stuck"): Rule(act=Act.OPERATE, is_everywhere=True),
    ("GET", "/v1/operations/jobs"): Rule(act=Act.OPERATE, is_everywhere=True),
    ("POST", "/v1/operations/jobs/{job_id}/replay"): Rule(act=Act.OPERATE, is_everywhere=True),
    ("DELETE", "/v1/operations/jobs/{job_id}"): Rule(act=Act.OPERATE, is_everywhere=True),
    ("GET", "/livez"): Rule(is_open=True),
    ("GET", "/readyz"): Rule(is_open=True),
    ("GET", "/metrics"): Rule(is_open=True),
}
"""One line a route; a test fails when a route has none."""
