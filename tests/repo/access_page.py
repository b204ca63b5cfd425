"""The page of the reference that says who may do what: the table of `domain/access.py`."""

from collections.abc import Iterator

from laydown.domain.access import LINK_MAY, MAY, Act, Role

MEANINGS = {
    Act.SEE_PROJECT: "see that a project exists, and its name",
    Act.MAKE_PROJECT: "make projects",
    Act.CHANGE_PROJECT: "change a project",
    Act.DELIVER: "declare files, send them, close, take back and retry deliveries",
    Act.SEE_OWN_DELIVERIES: "see the deliveries they made themselves",
    Act.SEE_DELIVERIES: "see everybody's deliveries",
    Act.READ_DOCUMENTS: "list documents and fetch their content",
    Act.MANAGE_LINKS: "make and revoke drop links",
    Act.MANAGE_MEMBERS: "add and remove members, give roles, see and revoke others' tokens",
    Act.OPERATE: "see, replay and discard jobs; scan a project again",
    Act.READ_AUDIT: "read the audit",
    Act.SET_QUOTAS: "set quotas",
}


def access_page() -> str:
    """Return the page of who may do what."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Who may do what"
    yield ""
    yield "A member has a role in every project of the organization, roles in single projects, or"
    yield "both; what they allow adds up. A token may be limited further, to what another role"
    yield "allows or to one project, and never allows more than its member may. A drop link is for"
    yield "somebody without an account: it delivers into one folder of one project and sees nothing"
    yield "but what came through it."
    yield ""
    yield "What somebody can't see answers as what doesn't exist: 404. What they can see but may"
    yield "not do is refused: 403, `forbidden`. Nobody gives a role that allows more than they may"
    yield "do themselves, and there is always an owner."
    yield ""
    yield f"| May | {' | '.join(Role)} | drop link |"
    yield f"|---|{'---|' * (len(Role) + 1)}"
    for act in Act:
        marks = ["yes" if act in MAY[role] else "" for role in Role]
        marks.append("yes" if act in LINK_MAY else "")
        yield f"| {MEANINGS[act]} | {' | '.join(marks)} |"
    yield ""
    yield "Making projects, adding and changing members, jobs and the audit take the role in the"
    yield "whole organization. Everybody reads about themselves (`GET /v1/me`), and makes, lists"
    yield "and revokes tokens of their own."
    yield ""
    yield "Content that is here already need not be sent again by those who may read everything."
    yield "Others send it, unless they brought it themselves: a digest is no proof of having the"
    yield "bytes, and must tell nobody that somebody else has them."
