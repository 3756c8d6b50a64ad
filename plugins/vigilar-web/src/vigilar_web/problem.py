"""Errors for programs: problem documents (RFC 9457)."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response
from pydantic import BaseModel, Field, ValidationError

MIME = "application/problem+json"


class Problem(BaseModel):
    """What is wrong with a request."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, Any]] = Field(default_factory=list)


def described(what: str) -> dict[str, Any]:
    """An answer of this kind, in the words of OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": what, "content": {MIME: {"schema": schema}}}


def answer(
    status: int, title: str, detail: str = "", errors: list[dict[str, Any]] | None = None
) -> Response:
    document = Problem(title=title, status=status, detail=detail, errors=errors or [])
    response = make_response(document.model_dump(), status)
    response.mimetype = MIME
    return response


def invalid_request(error: ValidationError) -> Response:
    """Says what was wrong with each parameter, without echoing its value."""
    found = [
        {"parameter": ".".join(str(part) for part in each["loc"]), "message": each["msg"]}
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return answer(422, "Something is missing or wrong", errors=found)
