"""Answers about a part of the history, with the zones and lines of its site."""

from sightline.errors import OptionError, SightlineError, UnknownError
from sightline.jobs.history.answers import Answers
from sightline.jobs.history.story import Chronicle, Span
from sightline.jobs.sites.shelf import Sites
from sightline.model.site import Site


def answers_about(chronicle: Chronicle, sites: Sites, span: Span) -> Answers:
    """Answers about a part of the history.

    Raises:
        OptionError: it makes no sense.
        UnknownError: there is no such task or site.
    """
    if span.from_s is not None and span.to_s is not None and span.from_s >= span.to_s:
        raise OptionError("to_s: the time asked for ends before it begins")
    story = chronicle.story(span)
    site_id = story.tasks[0].site if story.tasks else span.site
    return Answers(chronicle, story, None if site_id is None else _site(sites, site_id, is_needed=not story.tasks))


def _site(sites: Sites, site_id: str, *, is_needed: bool) -> Site | None:
    """The site, where its file is there and sound: else everything but zones and lines can be told.

    Raises:
        UnknownError: it is needed, and there is none.
    """
    try:
        return sites.get(site_id)
    except UnknownError:
        if is_needed:
            raise
    except SightlineError:
        pass
    return None
