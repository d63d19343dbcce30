"""Find what a form shows, by the text that a researcher sees."""

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


def message_beside(form, label):
    """The message beside a field: the last text of its row."""
    target = field(form, label)
    (row,) = [one for one in walk(form.widget) if target in getattr(one, "children", ())]
    return text_of(row.children[-1].value)


def text_of(value):
    return html.unescape(re.sub(r"<[^>]+>", " ", value)).strip()


def shows(form, pattern):
    """Whether any text on the form matches."""
    return any(
        re.search(pattern, text_of(one.value))
        for one in walk(form.widget)
        if isinstance(one, widgets.HTML)
    )


def click(form, label):
    button = field(form, label)
    assert not button.disabled, f"{label} is disabled"
    assert button.layout.display != "none", f"{label} is not shown"
    button.click()
