"""The server answers its own page, on this machine, and nothing of a student runs there."""

import http.client
import json
import re
import time
from html import unescape
from urllib.parse import urlsplit

import pytest
from graded_course import ASSIGNMENT
from written_class import QUESTION, WrittenClass, served

from autograder.cli import main
from autograder.errors import UserError
from autograder.marking.server import serve

HOSTILE = {
    "script": "<script>steal()</script>Rate 0.1.",
    "handler": "<img src=x onerror=steal()> and <b onclick='steal()'>bold</b>",
    "link": "[here](javascript:steal()) and <a href=' JaVa&#09;script:steal()'>there</a>",
    "attribute": '"><article class=card data-key=x><textarea>steal</textarea></article>',
    "form": "<form action=/x><input class=points name=steal><button>steal()</button></form>",
    "style": "<style>body{display:none}</style><p style='position:fixed;top:0'>x</p>",
    "frame": "<iframe srcdoc='<script>steal()</script>'></iframe><svg onload=steal()></svg>",
    "huge": "steal " * 400_000,
    "deep": "<div>" * 30_000 + "> " * 5_000,
    "quotes": "`" * 20_000 + "[" * 20_000 + "*" * 9_999,
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    found = WrittenClass(tmp_path_factory.mktemp("course"))
    for student, text in {"ada": "The middle one.", "ben": "The small one.", **HOSTILE}.items():
        found.hand_in(student, text)
    return found


@pytest.fixture(scope="module")
def address(course):
    with served(course) as found:
        yield urlsplit(found)


def ask(address, what="", body=None, path=None, **headers):
    """Send a request; return the status, the headers and the text of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=120)
    method = "GET" if body is None else "POST"
    if body is not None:
        headers = {"Content-Type": "application/json", **headers}
        body = body if isinstance(body, bytes) else json.dumps(body)
    connection.request(method, path or address.path + what, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def card(page, text):
    """Return key, digest and standing of the card that shows a text."""
    [found] = [part for part in page.split("<article ")[1:] if text in part]
    values = [
        unescape(re.search(rf'data-{name}="([^"]*)"', found)[1])
        for name in ("key", "answer", "standing")
    ]
    return values[0], values[1], json.loads(values[2])


def marked(address, text, points, comment="", **changed):
    """Mark the answer with a text as the page's script does; return status and answer."""
    key, digest, standing = card(ask(address, QUESTION)[2], text)
    one = {
        "key": key,
        "answer": digest,
        "before": {name: standing[name] for name in ("points", "comment")},
        "points": points,
        "comment": comment,
        **changed,
    }
    status, _, text = ask(address, f"{QUESTION}/marks", {"marks": [one]})
    return status, json.loads(text)


def test_the_overview_names_the_questions(address):
    status, _, page = ask(address)
    assert status == 200
    assert f'href="{QUESTION}"' in page
    assert "of 12 marked" in page


def test_no_page_has_a_students_name(address, course):
    for page in (ask(address)[2], ask(address, QUESTION)[2]):
        assert not re.findall(r"\b(ada|ben)\b", page)


def test_a_mark_is_in_the_gradebook_and_on_the_page_at_once(address, course):
    status, answer = marked(address, "The middle one.", "4,5", "Nearly.")
    assert (status, answer["marked"]) == (200, 1)
    assert course.grade("ada") == (4.5, False, "Nearly.")
    _, _, standing = card(ask(address, QUESTION)[2], "The middle one.")
    assert (standing["typed"], standing["comment"], standing["waits"]) == ("4.5", "Nearly.", False)


@pytest.mark.parametrize("points", ["7", "-1", "x"])
def test_points_out_of_range_are_refused_with_one_sentence(address, course, points):
    before = course.grade("ben")
    assert marked(address, "The small one.", points) == (
        409,
        {"error": "Points must be a number from 0 to 6."},
    )
    assert course.grade("ben") == before


def test_an_answer_that_is_another_one_by_now_is_not_marked(address, course):
    before = course.grade("ben")
    status, answer = marked(address, "The small one.", "3", answer="0" * 64)
    assert status == 409
    assert "load the page again" in answer["error"]
    assert course.grade("ben") == before


def test_a_mark_that_somebody_else_gave_is_told_and_can_then_be_replaced(address, course):
    before = card(ask(address, QUESTION)[2], "The small one.")[2]
    stale = {"points": before["points"], "comment": before["comment"]}
    assert marked(address, "The small one.", "1", "Theirs.")[0] == 200
    status, answer = marked(address, "The small one.", "3", before=stale)
    assert status == 409
    assert "1 point, “Theirs.”" in answer["error"]
    [standing] = answer["standings"].values()
    now = {"points": standing["points"], "comment": standing["comment"]}
    assert marked(address, "The small one.", "3", before=now)[0] == 200
    assert course.grade("ben") == (3.0, False, None)


def test_items_of_the_rubric_are_added_and_removed(address):
    item = {"points": "2", "comment": "Names the rate."}
    status, _, text = ask(address, f"{QUESTION}/items", item)
    assert (status, json.loads(text)["items"]) == (200, [{**item, "points": 2.0}])
    status, _, text = ask(address, f"{QUESTION}/items", item)
    assert (status, json.loads(text)) == (
        409,
        {"error": "There is an item with this comment already."},
    )
    status, _, text = ask(address, f"{QUESTION}/items", {"remove": "Names the rate."})
    assert (status, json.loads(text)) == (200, {"items": []})


def test_without_the_token_nothing_is_answered(address):
    secret = address.path.strip("/")
    for path in ("/", "/mark.js", "//", f"/{secret[:-1]}/", f"/x/{QUESTION}", f"/?{secret}"):
        assert ask(address, path=path)[0] == 403, path
    body = {"marks": []}
    assert ask(address, body=body, path=f"/wrong/{QUESTION}/marks")[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:80", ""])
def test_a_request_for_another_host_is_refused(address, host):
    assert ask(address, Host=host)[0] in (400, 403)


def test_localhost_is_this_host(address):
    assert ask(address, Host=f"localhost:{address.port}")[0] == 200


def test_another_page_in_the_browser_cannot_mark(address):
    what, body = f"{QUESTION}/marks", {"marks": []}
    assert ask(address, what, body, Origin="https://evil.example")[0] == 403
    assert ask(address, what, body, Origin="null")[0] == 403
    assert ask(address, what, body, Origin=f"http://127.0.0.1:{address.port}")[0] == 200
    # What a form of another page can send without asking is not taken.
    assert ask(address, what, body, **{"Content-Type": "text/plain"})[0] == 415


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"marks": [{}]}', b'{"marks": 1}', b"\xff"])
def test_a_request_that_is_none_is_refused(address, body):
    assert ask(address, f"{QUESTION}/marks", body)[0] == 400


def test_a_question_that_does_not_exist_is_not_found(address):
    for what in ("nothing", "nothing/marks", "../mark.css", "mark.css.bak", f"{QUESTION}/"):
        assert ask(address, what)[0] in (404, 405), what


def test_only_its_own_script_may_run(address):
    for what in ("", QUESTION, "mark.js", "nothing"):
        policy = ask(address, what)[1]["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
    assert len(re.findall("<script", ask(address, QUESTION)[2])) == 1


def test_hostile_answers_are_shown_as_harmless_text(address):
    page = ask(address, QUESTION)[2]
    written = re.findall(r'<div class="prose written">(.*?)</div>\s*<form class="mark"', page, re.S)
    assert len(written) == 12
    for html in written:
        live = re.findall(r"<(\w+)([^>]*)>", html)
        assert not {tag for tag, _ in live} & {"script", "form", "input", "textarea", "button"}
        assert not {tag for tag, _ in live} & {"iframe", "svg", "style", "article"}
        assert not [a for _, a in live if re.search(r"\son\w+=|javascript:|data-|position", a)]
    assert len(page.split("<article ")) == 13


def test_huge_answers_neither_delay_the_page_nor_fill_it(address):
    began = time.monotonic()
    page = ask(address, QUESTION)[2]
    assert time.monotonic() - began < 30
    assert len(page) < 1_000_000
    assert "more characters are left out here" in page
    assert "400000 of 20 words: too long" in page


def test_a_port_in_use_is_one_sentence(address, course):
    with pytest.raises(UserError, match="choose another"):
        serve(ASSIGNMENT, course.paths, address.port, print)


def test_the_command_says_what_is_missing(tmp_path, capsys):
    assert main(["mark", "quantization", "--course", str(tmp_path)]) == 1
    assert "autograder release" in capsys.readouterr().err
