"""The timeline: what happened, latest first, by day, with filters that live in the address."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.datastructures import MultiDict

from vigilar_core.bus import topics
from vigilar_core.events import Severity
from vigilar_core.web import NavigationEntry, Role, WebPart, access
from vigilar_web import guard
from vigilar_web.event_log import Wanted
from vigilar_web.household import Happening
from vigilar_web.surroundings import current_web

blueprint = Blueprint("events", __name__, url_prefix="/events")
part = WebPart(blueprint, [NavigationEntry("Timeline", "events.index", "clock-history", order=20)])

PAGE = 50
#: More new rows than this at once are not put in one by one; the page is read anew.
NEW_MAX = 100
#: So many events behind, a page is read anew instead of looking which of them it wants.
BEHIND_MAX = 5000


class Choice(BaseModel):
    """What a person asked the timeline for; the query of its address.

    :param since: first day, in the house's time zone
    :param until: last day
    :param all: also what happens all day and matters to few
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    camera: str = Field(default="", pattern=f"^({topics.ID_PATTERN})?$")
    kind: str = Field(default="", pattern=r"^[a-z0-9_]{0,64}$")
    severity: Severity | None = None
    since: datetime.date | None = None
    until: datetime.date | None = None
    all: bool = False

    def query(self) -> dict[str, Any]:
        """The same as parameters of an address, without what was left open."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return {name: "1" if value is True else str(value) for name, value in values.items()}

    def wanted(self) -> Wanted:
        """What the store is asked for: the choice, within what the person may see."""
        house, person = current_web().household, guard.signed_in()
        cameras = frozenset({self.camera}) if self.camera else None
        if person.cameras is not None:
            cameras = person.cameras if cameras is None else cameras & person.cameras
        end = self.until + datetime.timedelta(days=1) if self.until else None
        return Wanted(
            cameras=cameras,
            kind=self.kind or None,
            severity=self.severity,
            since_us=house.start_of_day_us(self.since) if self.since else None,
            until_us=house.start_of_day_us(end) if end else None,
            everything=self.all,
        )


@blueprint.get("/")
@access(Role.VIEWER)
def index() -> ResponseReturnValue:
    """The whole page; ``before`` leads to older ones where scripts do not run."""
    choice = _choice(request.args)
    cursor = request.args.get("before")
    return render_template("vigilar/events.html", choice=choice, **_page(choice, cursor))


@blueprint.get("/list")
@access(Role.VIEWER)
def fragment() -> ResponseReturnValue:
    """Only the list, after a filter was changed; the address of the page follows."""
    choice = _choice(request.args)
    answer = make_response(
        render_template("vigilar/events_list.html", choice=choice, **_page(choice, None))
    )
    answer.headers["HX-Push-Url"] = url_for("events.index", **choice.query())
    return answer


@blueprint.get("/older")
@access(Role.VIEWER)
def older() -> ResponseReturnValue:
    """The next rows, behind the cursor ``before``; ``day`` is the day that was shown last."""
    choice, page = _choice(request.args), request.args.get("before", "")
    return render_template(
        "vigilar/events_rows.html",
        choice=choice,
        shown_day=request.args.get("day", ""),
        **_page(choice, page),
    )


@blueprint.get("/newer")
@access(Role.VIEWER)
def newer() -> ResponseReturnValue:
    """Rows committed after event number ``after``; 204: none; 205: too many, read anew."""
    choice, web, after = _choice(request.args), current_web(), _number("after")
    latest = web.events.latest_sequence()
    if latest - after > BEHIND_MAX:
        return "", 205
    found = web.events.behind(after, choice.wanted(), limit=NEW_MAX + 1)
    if not found:
        return "", 204
    if len(found) > NEW_MAX:
        return "", 205
    newest_first = sorted(found, key=lambda event: (event.time_us, event.sequence), reverse=True)
    happenings = [web.household.happening(event) for event in newest_first]
    return render_template("vigilar/events_new.html", days=by_day(happenings), newest=latest)


def _page(choice: Choice, cursor: str | None) -> dict[str, Any]:
    web = current_web()
    newest = web.events.latest_sequence()
    try:
        page = web.events.page(choice.wanted(), cursor=cursor, limit=PAGE)
    except ValueError:
        abort(400, "before is the cursor of a page that was shown.")
    happenings = [web.household.happening(event) for event in page.events]
    older_query = ""
    if page.next is not None:
        behind = {"before": page.next, "day": happenings[-1].moment.day}
        older_query = urlencode({**choice.query(), **behind})
    return {
        "days": by_day(happenings),
        "newest": newest,
        "older_query": older_query,
        "kinds": web.events.kinds(),
        "severities": [severity for severity in Severity if severity is not Severity.DEBUG],
    }


def by_day(happenings: Sequence[Happening]) -> list[tuple[str, str, list[Happening]]]:
    """Day, its heading and its happenings, in the order given."""
    house = current_web().household
    return [
        (day, house.day_title(day), list(group))
        for day, group in groupby(happenings, key=lambda happening: happening.moment.day)
    ]


def _choice(arguments: MultiDict[str, str]) -> Choice:
    given = {name: value for name, value in arguments.items() if value != ""}
    try:
        return Choice.model_validate(given)
    except ValidationError as error:
        names = ", ".join(str(each["loc"][0]) for each in error.errors())
        abort(400, f"This filter cannot be understood: {names}.")


def _number(name: str) -> int:
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        abort(400, f"{name} is the number of an event.")
    return int(text)
