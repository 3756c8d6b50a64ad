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


class Choice(BaseModel):
    """What a person asked the timeline for; the query of its address.

    :param since: first day, in the house's time zone
    :param until: last day
    :param all: also what happens all day and matters to few
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    camera: str = Field("", pattern=f"^({topics.ID_PATTERN})?$")
    kind: str = Field("", pattern=r"^[a-z0-9_]{0,64}$")
    severity: Severity | None = None
    since: datetime.date | None = None
    until: datetime.date | None = None
    all: bool = False

    def query(self) -> dict[str, str]:
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
            kinds=frozenset({self.kind}) if self.kind else None,
            severity=self.severity,
            since_us=house.start_of_day_us(self.since) if self.since else None,
            until_us=house.start_of_day_us(end) if end else None,
            everything=self.all or bool(self.kind),
        )


@blueprint.get("/")
@access(Role.VIEWER)
def index() -> ResponseReturnValue:
    """The whole page; ``before`` leads to older ones where scripts do not run."""
    choice = _choice(request.args)
    before = _cursor("before") if "before" in request.args else None
    return render_template("vigilar/events.html", choice=choice, **_page(choice, before))


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
    """The next rows, older than event number ``before``."""
    choice, before = _choice(request.args), _cursor("before")
    day = request.args.get("day", "")
    return render_template(
        "vigilar/events_rows.html", choice=choice, shown_day=day, **_page(choice, before)
    )


@blueprint.get("/newer")
@access(Role.VIEWER)
def newer() -> ResponseReturnValue:
    """Rows newer than event number ``after``, latest first; 204 when there are none."""
    choice, web = _choice(request.args), current_web()
    found = web.events.behind(_cursor("after"), choice.wanted(), limit=NEW_MAX + 1)
    if not found:
        return "", 204
    if len(found) > NEW_MAX:
        return "", 205
    happenings = [web.household.happening(event) for event in reversed(found)]
    return render_template(
        "vigilar/events_new.html", days=by_day(happenings), newest=found[-1].sequence
    )


def _page(choice: Choice, before: int | None) -> dict[str, Any]:
    web = current_web()
    events = web.events.before(before, choice.wanted(), limit=PAGE + 1)
    happenings = [web.household.happening(event) for event in events[:PAGE]]
    more = len(events) > PAGE
    return {
        "days": by_day(happenings),
        "newest": events[0].sequence if events else web.events.latest_sequence(),
        "older_query": urlencode(
            {**choice.query(), "before": events[PAGE - 1].sequence, "day": happenings[-1].moment.day}
        )
        if more
        else "",
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


def _cursor(name: str) -> int:
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        abort(400, f"{name} is the number of an event.")
    return int(text)
