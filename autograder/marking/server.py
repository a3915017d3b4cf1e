"""The server on this machine that shows the pages and writes marks into the gradebook.

It listens on the loopback address only. Its pages are below a path that nobody can guess, and it
answers no request that was meant for another host, so that neither other people on this machine nor
other pages in the same browser can use it. No page runs a script but its own.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
from tornado.httpserver import HTTPServer
from tornado.httputil import responses
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.backup import backup
from autograder.grading.trouble import disk_trouble_explained
from autograder.marking.answers import AnswerReader
from autograder.marking.marks import Change, Mark, MarkedMeanwhile, give
from autograder.marking.page import TEMPLATES, Progress, overview, question_page, standing
from autograder.marking.questions import WrittenQuestion, written_questions
from autograder.marking.rubric import Item, Rubric

ADDRESS = "127.0.0.1"
LONGEST_REQUEST = 2**22
"""In bytes; a comment for each of a thousand answers takes a few hundred kilobytes."""

HEADERS = {
    # Trusted types: not even our own script may make HTML from a text.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TYPES = {"mark.css": "text/css", "mark.js": "text/javascript"}

_MARKS = {
    "type": "object",
    "required": ["marks"],
    "properties": {
        "marks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["key", "answer", "before", "points", "comment"],
                "properties": {
                    "key": {"type": "string"},
                    "answer": {"type": "string"},
                    "before": {
                        "type": "object",
                        "required": ["points", "comment"],
                        "properties": {
                            "points": {"type": ["number", "null"]},
                            "comment": {"type": "string"},
                        },
                    },
                    "points": {"type": "string"},
                    "comment": {"type": "string"},
                },
            },
        }
    },
}
_ITEMS = {
    "type": "object",
    "properties": {
        "remove": {"type": "string"},
        "points": {"type": "string"},
        "comment": {"type": "string"},
    },
    "anyOf": [{"required": ["remove"]}, {"required": ["points", "comment"]}],
}


class Marking:
    """The marking of an assignment: its written questions, their answers and rubrics.

    Parameters
    ----------
    assignment
    course

    Raises
    ------
    UserError
        If there is nothing to mark.
    autograder.course.NoGradebook
        If there is no gradebook.
    """

    def __init__(self, assignment: str, course: Course) -> None:
        self.assignment = assignment
        self.course = course
        self.questions = written_questions(assignment, course)
        self.reader = AnswerReader(assignment, course)
        self.rubric = Rubric(assignment, course)

    def question(self, name: str) -> WrittenQuestion | None:
        """Return the question with a name; None if there is none."""
        return next((question for question in self.questions if question.name == name), None)

    def progress(self) -> list[Progress]:
        """Return how far each question is."""
        return [Progress(question, self.reader.answers(question)) for question in self.questions]

    def page(self, question: WrittenQuestion) -> str:
        """Return the page of a question as it is now."""
        answers, items = self.reader.answers(question), self.rubric.items(question.name)
        return question_page(self.assignment, self.questions, question, answers, items)

    def mark(self, question: WrittenQuestion, asked: list[dict[str, Any]]) -> dict[str, Any]:
        """Write marks that the page sent, all of them or none; return what the page has to know.

        Raises
        ------
        UserError
            If points are out of range, or an answer is not the one that the page showed.
        autograder.grading.trouble.DiskTrouble
            If the gradebook cannot be written.
        """
        found = {answer.key: answer for answer in self.reader.answers(question).found}
        changes = []
        for one in asked:
            answer = found.get(one["key"])
            if answer is None or answer.written.digest != one["answer"]:
                raise UserError(
                    "This is no longer the student’s answer, because the class was graded again. "
                    "The mark is not saved: load the page again."
                )
            mark = Mark.read(one["points"], one["comment"], question.points)
            changes.append(Change(answer.student, Mark(**one["before"]), mark))
        reply: dict[str, Any] = {}
        try:
            give(self.course, self.assignment, question.name, changes)
        except MarkedMeanwhile as error:
            reply["error"] = str(error)
        answers = self.reader.answers(question)
        keys = {one["key"] for one in asked}
        reply["marked"] = answers.marked
        reply["standings"] = {a.key: standing(a) for a in answers.found if a.key in keys}
        return reply

    def change_items(self, question: WrittenQuestion, asked: dict[str, Any]) -> dict[str, Any]:
        """Add an item to the rubric of a question or remove one; return all items.

        Raises
        ------
        UserError
            If the item is not one, or the file of the rubric cannot be read.
        """
        if "remove" in asked:
            self.rubric.remove(question.name, asked["remove"])
        else:
            self.rubric.add(question.name, Item.read(asked["points"], asked["comment"]))
        return {"items": [asdict(item) for item in self.rubric.items(question.name)]}


class _Handler(RequestHandler):
    """Answers only requests for this host, below the secret path."""

    def initialize(self, marking: Marking, token: str, hosts: frozenset[str]) -> None:
        self.marking = marking
        self._token = token
        self._hosts = hosts

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        origin = self.request.headers.get("Origin")
        own = origin is None or origin in {f"http://{host}" for host in self._hosts}
        if self.request.host not in self._hosts or not own:
            raise HTTPError(403)
        token = self.request.path.split("/")[1]
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise HTTPError(403)

    def write_error(self, status_code: int, **about: Any) -> None:
        """Answer in one line. A program error is also printed, with its traceback, by tornado."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        text = responses.get(status_code, "Error")
        if status_code == 403:
            text = "This address is not valid: use the one that `autograder mark` printed last."
        self.finish(text + "\n")

    def asked_question(self, name: str) -> WrittenQuestion:
        question = self.marking.question(name)
        if question is None:
            raise HTTPError(404)
        return question

    def body(self, schema: dict[str, Any]) -> dict[str, Any]:
        if self.request.headers.get("Content-Type") != "application/json":
            raise HTTPError(415)
        try:
            found = json.loads(self.request.body)
            jsonschema.validate(found, schema)
        except (ValueError, jsonschema.ValidationError):
            raise HTTPError(400) from None
        return found

    def page(self, make: Callable[[], str]) -> None:
        """Answer with a page, or say in one line why there is none."""
        try:
            with disk_trouble_explained():
                self.finish(make())
        except UserError as error:
            self.set_status(503)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{error}\n")

    def result(self, work: Callable[[], dict[str, Any]]) -> None:
        """Answer a request of the page's script."""
        try:
            with disk_trouble_explained():
                result = work()
        except UserError as error:
            result = {"error": str(error)}
        self.set_status(409 if "error" in result else 200)
        self.finish(result)


class _Nothing(_Handler):
    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404)


class _File(_Handler):
    def get(self, name: str) -> None:
        self.set_header("Content-Type", f"{TYPES[name]}; charset=utf-8")
        self.finish(Path(TEMPLATES, name).read_bytes())


class _Overview(_Handler):
    def get(self) -> None:
        marking = self.marking
        self.page(lambda: overview(marking.assignment, marking.progress()))


class _Question(_Handler):
    def get(self, name: str) -> None:
        question = self.asked_question(name)
        self.page(lambda: self.marking.page(question))


class _Marks(_Handler):
    def post(self, name: str) -> None:
        question, asked = self.asked_question(name), self.body(_MARKS)
        self.result(lambda: self.marking.mark(question, asked["marks"]))


class _Items(_Handler):
    def post(self, name: str) -> None:
        question, asked = self.asked_question(name), self.body(_ITEMS)
        self.result(lambda: self.marking.change_items(question, asked))


def serve(assignment: str, course: Course, port: int, ready: Callable[[str], None]) -> None:
    """Serve the pages of an assignment until Ctrl-C.

    Parameters
    ----------
    assignment
    course
    port
        Where to listen; 0 chooses a free port.
    ready
        Called with the address of the overview as soon as it can be opened.

    Raises
    ------
    UserError
        If there is nothing to mark, or the port is in use.
    autograder.course.NoGradebook
        If there is no gradebook.
    autograder.grading.trouble.DiskTrouble
        If the gradebook cannot be read or copied.
    """
    with disk_trouble_explained():
        marking = Marking(assignment, course)
        if course.gradebook_in_file:
            backup(course)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(marking, port, ready))


async def _serve(marking: Marking, port: int, ready: Callable[[str], None]) -> None:
    try:
        sockets = bind_sockets(port, ADDRESS)
    except OSError as error:
        raise UserError(f"Port {port} cannot be used ({error.strerror}): choose another.") from None
    port = sockets[0].getsockname()[1]
    token = secrets.token_urlsafe(24)
    # One request at a time, in the main thread, where the time for formatting can be limited.
    server = HTTPServer(_application(marking, token, port), max_body_size=LONGEST_REQUEST)
    server.add_sockets(sockets)
    ready(f"http://{ADDRESS}:{port}/{token}/")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()


def _application(marking: Marking, token: str, port: int) -> Application:
    hosts = frozenset({f"{ADDRESS}:{port}", f"localhost:{port}"})
    common = {"marking": marking, "token": token, "hosts": hosts}
    handlers = [
        (r"/[^/]+/", _Overview),
        (rf"/[^/]+/({'|'.join(TYPES)})", _File),
        (r"/[^/]+/([\w-]+)", _Question),
        (r"/[^/]+/([\w-]+)/marks", _Marks),
        (r"/[^/]+/([\w-]+)/items", _Items),
    ]
    return Application(
        [(path, handler, common) for path, handler in handlers],
        default_handler_class=_Nothing,
        default_handler_args=common,
        log_function=lambda handler: None,
    )
