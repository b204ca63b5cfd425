"""The OpenAPI document: as the application has it, and whole."""

import json
import re
from dataclasses import fields, is_dataclass

from laydown import wire
from laydown.http.app import document
from tests.repo.rendering import PAGES, REFERENCE


def operations():
    """Return (method, path, operation) of everything the API does."""
    return [
        (method, path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


SIGN_IN = {"open_session", "follow_link", "go_to_provider", "come_back"}
"""What takes a one-time code, or the word of an identity provider, instead of a token."""

OPEN = {"list_ways"}
"""What anybody may ask."""

TAKES_FILES = {"send_files"}
"""What takes no JSON, and so no `Idempotency-Key`."""


def references(value):
    """Return every `$ref` inside a JSON value."""
    if isinstance(value, dict):
        found = {value["$ref"]} if "$ref" in value else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_the_file_is_the_application_s():
    """The file is what `python -m tests.repo.rendering` writes from the code."""
    assert (REFERENCE / "openapi.json").read_text("utf-8") == PAGES["openapi.json"]()


def test_operations_are_named_once_and_readably():
    """Operation ids are distinct, lower-case words: clients make function names of them."""
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in ids)


def test_every_operation_says_what_can_go_wrong():
    """Each operation documents problems, and 401 and 503 exactly where it takes a token."""
    for method, path, operation in operations():
        answers = operation["responses"]
        problem = answers["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}
        signs_in = operation["operationId"] in SIGN_IN
        is_open = signs_in or operation["operationId"] in OPEN
        takes_token = path.startswith("/v1/") and not is_open
        assert ("security" in operation) == takes_token, (method, path)
        assert ("401" in answers) == (takes_token or signs_in)
        names_others = "{" in path or operation["operationId"] == "make_token"
        assert ("404" in answers) == names_others, (method, path)
        assert operation["description"].endswith(".")


def test_bodies_are_described():
    """Each operation that takes a body refers to its shape."""
    with_body = {
        operation["operationId"] for _, _, operation in operations() if "requestBody" in operation
    }
    assert with_body == {
        "create_project",
        "change_project",
        "send_files",
        "preview_delivery",
        "declare_batch",
        "declare_entries",
        "grant_parts",
        "report_progress",
        "complete_uploads",
        "rescan_project",
        "add_member",
        "change_member",
        "give_role",
        "make_token",
        "make_link",
        "open_session",
        "set_quota",
        "set_project_quota",
    }


def test_nothing_refers_to_nothing():
    """Every reference of the document leads to a schema or a header it has."""
    components = document()["components"]
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers")
        for name in components[kind]
    }
    assert there >= references(document())


def test_limits_are_described():
    """What takes a token says its rates, 429 and pauses; what changes something takes a key."""
    for method, path, operation in operations():
        answers = operation["responses"]
        is_counted = "security" in operation
        assert ("429" in answers) == is_counted, (method, path)
        success = next(answer for status, answer in answers.items() if status[0] in "23")
        assert ("RateLimit" in success.get("headers", {})) == is_counted
        if is_counted:
            assert {"Retry-After", "RateLimit"} <= answers["429"]["headers"].keys()
        takes_key = is_counted and method != "get" and operation["operationId"] not in TAKES_FILES
        parameters = {each["name"]: each["in"] for each in operation.get("parameters", [])}
        assert (parameters.get("Idempotency-Key") == "header") == takes_key, (method, path)
        assert ("422" in answers) == takes_key
        assert ("idempotency_in_progress" in str(answers.get("409"))) == takes_key


def test_a_conflict_of_a_route_is_told_beside_that_of_its_key():
    """What a route answers 409 for is not lost over what every route with a key does."""
    told = document()["paths"]["/v1/projects"]["post"]["responses"]["409"]["description"]
    assert "`project_exists`" in told
    assert "`idempotency_in_progress`" in told


def test_every_shape_of_the_wire_is_described_alike():
    """Each shape of `wire` that the API uses has its schema, with its fields and no others."""
    schemas = document()["components"]["schemas"]
    shapes = {
        shape.__name__: {field.name for field in fields(shape)}
        for shape in vars(wire).values()
        if isinstance(shape, type) and is_dataclass(shape)
    }
    streamed = {"Change", "AuditRow"}  # in events and tables, which OpenAPI has no words for
    assert shapes.keys() - streamed <= schemas.keys()
    for name in shapes.keys() - streamed:
        assert set(schemas[name]["properties"]) == shapes[name]


def test_the_file_is_json_for_everybody():
    """The file reads back as the document."""
    assert json.loads((REFERENCE / "openapi.json").read_text("utf-8")) == document()
