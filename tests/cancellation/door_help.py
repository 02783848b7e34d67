"""What the tests of the public doors share: forms as a browser sends them, read from the page itself."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client

SAID = {"name": "Ada Wren", "reference": "C-TEST", "email": "ada@example.org"}
CODES = ("default", "eu", "de", "fr", "pl", "uk", "us-ca", "us-ny", "us-mn", "jp")
WITH_WITHDRAWAL = ("default", "eu", "de", "fr", "pl", "uk")


class Form(HTMLParser):
    """The one form in the main part of a page: where it goes, its fields, and the texts of its buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.hidden, self.names, self.required = "", {}, set[str](), set[str]()
        self.buttons: list[dict[str, Any]] = []
        self.in_main = self.in_form = self.in_button = False
        self.checked: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "main":
            self.in_main = True
        if not self.in_main:
            return
        if tag == "form":
            self.in_form, self.action = True, given.get("action", "")
        if tag in {"input", "textarea", "select"} and self.in_form:
            if given.get("type") == "hidden":
                self.hidden[given["name"]] = given.get("value", "")
            else:
                self.names.add(given["name"])
                if "required" in given:
                    self.required.add(given["name"])
                if "checked" in given:
                    self.checked.append(given["name"])
        if tag == "button":
            self.in_button = True
            self.buttons.append({**given, "text": ""})

    def handle_data(self, data: str) -> None:
        if self.in_button:
            self.buttons[-1]["text"] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self.in_button = False
        if tag == "main":
            self.in_main = False

    def button(self, action: str) -> dict[str, Any]:
        return next(button for button in self.buttons if button.get("data-action") == action)


def form_of(answer: Any) -> Form:
    return Form(answer.content.decode())


def declare(client: Client, path: str, **said: Any) -> Any:
    """Open a door, fill it in, go through its recap if it has one, and return the page with the receipt."""
    form = form_of(client.get(path))
    answer = client.post(form.action, {**form.hidden, **said})
    if answer.status_code == 200:
        recap = form_of(answer)
        answer = client.post(recap.action, recap.hidden)
    assert answer.status_code == 303, answer.content.decode()
    return client.get(answer["Location"])
