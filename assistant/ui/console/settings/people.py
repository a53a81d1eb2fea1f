"""Who of the company signs in, what they may do, and the forms that change it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

from assistant.errors import SettingsError
from assistant.store.audit import Audit
from assistant.store.users import ROLES, User
from assistant.ui.console.frame import Frame
from assistant.ui.console.place import Place
from assistant.ui.console.settings.part import (
    HIDDEN,
    PAGE,
    Part,
    administrator,
    refusing,
    told,
)

# How many components the form has.
COMPONENTS = 12


def add(frame: Frame) -> Part:
    """Add the part to the page that is being built."""
    form = _Form(frame)
    deeds = _Deeds(frame, form.show)
    role, both = form.role, [form.first, form.second]
    form.add.click(deeds.add, [form.name, role, *both], form.outputs, **HIDDEN)
    form.give.click(deeds.give_role, role, form.outputs, **HIDDEN)
    form.change.click(deeds.give_password, both, form.outputs, **HIDDEN)
    form.remove.click(deeds.remove, form.sure, form.outputs, **HIDDEN)
    return Part(form.outputs, form.show)


class _Form:
    """The components, and what they show."""

    def __init__(self, frame: Frame) -> None:
        self._frame, text = frame, frame.text
        said, which = gr.HTML(), gr.HTML()
        roles = [(text(f"settings.role_{role}"), role) for role in ROLES]
        with gr.Group():
            self.name = gr.Textbox(label=text("settings.name"), max_length=80)
            self.role = gr.Radio(roles, value="agent", label=text("settings.role"))
            self.give = gr.Button(text("settings.give_role"), visible=False)
        with gr.Group():
            self.first, self.second = (
                gr.Textbox(label=text(f"settings.{key}"), type="password", max_length=200)
                for key in ("password", "password_again")
            )
            self.add = gr.Button(text("settings.add_user"), variant="primary")
            self.change = gr.Button(text("settings.change_password"), visible=False)
        with gr.Group(visible=False) as leaving:
            self.sure = gr.Checkbox(label=text("settings.sure"))
            self.remove = gr.Button(text("settings.remove_user"), variant="stop")
        self.outputs = [
            said, which, self.name, self.role, self.give, self.first, self.second, self.add,
            self.change, leaving, self.sure, gr.HTML(),
        ]  # fmt: skip

    def show(self, request: gr.Request, place: Place) -> Sequence[Any]:
        """Return the values of the components: of one person, or for somebody new."""
        frame, users = self._frame, self._frame.access.sessions.users.all()
        me = frame.caller(request).name
        user = _chosen(users, place)
        there, new = gr.update(visible=user is not None), gr.update(visible=user is None)
        warning = "settings.sure_of_self" if user and user.name == me else "settings.sure"
        return [
            told(frame),
            frame.html("settings_user.jinja", user=user),
            gr.update(value="", visible=user is None),
            gr.update(value=user.role if user else "agent"),
            there, "", "", new, there, there,
            gr.update(value=False, label=frame.text(warning)),
            frame.html("settings_users.jinja", users=users, place=place, me=me),
        ]  # fmt: skip


class _Deeds:
    """What an administrator does to those who sign in."""

    def __init__(self, frame: Frame, show: Callable[[gr.Request, Place], Sequence[Any]]) -> None:
        self._frame, self._show = frame, show
        self._users = frame.access.sessions.users
        self._audit = Audit(frame.desk.conversations.database)

    def add(self, name: str, role: str, one: str, two: str, request: gr.Request) -> Sequence[Any]:
        """Let somebody sign in."""
        name = name.strip()
        with self._noted(request, "add", name):
            self._users.add(name, self._same(one, two), role)
        return self._done(request, "user_added", name)

    def give_role(self, role: str, request: gr.Request) -> Sequence[Any]:
        """Give the person of the address a role."""
        name = _named(request)
        with self._noted(request, "role", name):
            self._users.give_role(name, role)
        return self._done(request, "role_given", name)

    def give_password(self, one: str, two: str, request: gr.Request) -> Sequence[Any]:
        """Give the person of the address a password."""
        name = _named(request)
        with self._noted(request, "password", name):
            self._users.change(name, self._same(one, two))
        return self._done(request, "password_changed", name)

    def remove(self, is_sure: bool, request: gr.Request) -> Sequence[Any]:  # a value of Gradio's
        """Let the person of the address sign in no more."""
        name = _named(request)
        with self._noted(request, "remove", name):
            if not is_sure:
                raise SettingsError(self._frame.text("settings.tick_first"))
            self._users.remove(name, last=False)
        return self._done(request, "user_removed", name)

    @contextmanager
    def _noted(self, request: gr.Request, deed: str, name: str) -> Iterator[None]:
        author = administrator(self._frame, request)
        with refusing(self._frame):
            yield
            self._audit.note(author, f"users {deed}", name)

    def _done(self, request: gr.Request, key: str, name: str) -> Sequence[Any]:
        place = Place.of(PAGE, request)
        said = told(self._frame, key, name=name)
        try:
            return [said, *self._show(request, place)[1:]]
        except gr.Error:  # whoever removed themselves, or changed their password, is signed out
            return [said, *[gr.skip()] * (COMPONENTS - 1)]

    def _same(self, one: str, two: str) -> str:
        """Return a password that was typed twice.

        Raises:
            SettingsError: They differ.
        """
        if one != two:
            raise SettingsError(self._frame.text("settings.not_same"))
        return one


def _named(request: gr.Request) -> str:
    return Place.of(PAGE, request).get("user")


def _chosen(users: Sequence[User], place: Place) -> User | None:
    return next((user for user in users if user.name == place.get("user")), None)
