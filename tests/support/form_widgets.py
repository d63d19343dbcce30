"""Find what a form shows, by the words that a researcher sees."""

import html
import re

import ipywidgets as widgets


def walk(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)


def field(form, label):
    """The input or button of that label."""
    (found,) = [one for one in walk(form.widget) if getattr(one, "description", "") == label]
    return found


def note(form, label):
    """What stands beside a field: the last text of its row."""
    target = field(form, label)
    (row,) = [one for one in walk(form.widget) if target in getattr(one, "children", ())]
    return words(row.children[-1].value)


def words(value):
    return html.unescape(re.sub(r"<[^>]+>", " ", value)).strip()


def page(form):
    """All words on the form, one text after the other."""
    return [words(one.value) for one in walk(form.widget) if isinstance(one, widgets.HTML)]


def says(form, pattern):
    return any(re.search(pattern, text) for text in page(form))


def click(form, label):
    button = field(form, label)
    assert not button.disabled, f"{label} is disabled"
    assert button.layout.display != "none", f"{label} is not shown"
    button.click()
