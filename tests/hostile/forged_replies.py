"""Submissions that take over the program that answers the grader, or change its replies."""

from hand_ins import hostile
from hostile_course import Assignment

CONNECTION = """
import os, socket
for descriptor in range(3, 100):
    try:
        connection = socket.socket(fileno=os.dup(descriptor))
        break
    except OSError: pass
print("connected", connection.family)
"""
"""Code that finds the socket through which the grader asks."""


def frame(payload: str) -> str:
    """Return code that sends raw bytes in place of a reply, and then nothing more."""
    return f"{CONNECTION}\nimport time\nconnection.sendall({payload})\ntime.sleep(600)"


@hostile(says="patched")
def replaced_send(a: Assignment):
    """Send points in place of every reply."""
    patch = """
import inside.wire as wire
genuine = wire.send
result = {"output_type": "execute_result", "data": {"text/plain": "1000.0"}, "metadata": {}}
stream = {"output_type": "stream", "name": "stdout", "text": "patched"}
forged = {"value": True, "score": 4.0, "points": 1000.0, "credit": 1.0, "outputs": [result, stream]}
wire.send = lambda connection, message: genuine(connection, forged)
"""
    return a.notebook(patch, honest=["total", "double"])


@hostile(says="patched")
def replaced_answer(a: Assignment):
    """Answer with malformed replies: an error without text, a handle to nothing."""
    patch = """
import itertools
from inside.responder import Responder
forged = itertools.cycle([
    {"error": "no"}, {"error": None}, {"error": {"type": [], "text": {"a": "b"}}}, {},
    {"value": {"$": "handle", "id": -1}}, {"value": {"$": "handle", "id": 10**30}},
    {"value": {"$": "tensor", "dtype": "object", "shape": [1], "v": ""}},
    {"value": {"$": "array", "dtype": "float64", "shape": [-1, True], "v": "%%%"}},
    {"value": {"$": "dict", "v": [[[], []]]}}, {"value": {"$": ["dict"]}},
    {"value": {"$": "float", "v": "1e999"}}, {"value": {"$": "tuple", "v": 7}},
])
Responder.answer = lambda self, request: next(forged)
print("patched")
"""
    return a.notebook(patch, *["1"] * 3, honest=["total", "double"])


@hostile(flag="the kernel had already been lost 6 times", says="patched")
def replies_that_are_none(a: Assignment):
    """Answer hidden tests with a list, a string, a number and nothing at all."""
    patch = """
import itertools
from inside.responder import Responder
forged = itertools.cycle([[], "yes", 4.0, None, True])
Responder.answer = lambda self, request: next(forged)
print("patched")
"""
    return a.notebook(patch, honest=["total"])


@hostile(says="later")
def late_replies(a: Assignment):
    """Send another reply some time after each question, when the next one is waiting.

    The late value is right for no question: a late reply that happens to be right would be worth
    what the same answer in the notebook is worth, and whether it comes in time is left to chance.
    """
    patch = """
import threading
import inside.wire as wire
genuine = wire.send
def send(connection, message):
    genuine(connection, message)
    threading.Timer(0.1, genuine, (connection, {"value": 21.0, "outputs": []})).start()
wire.send = send
print("later")
"""
    waiting = "import time\ndef double(w):\n    time.sleep(0.3)\n    return 7"
    return a.notebook(patch, total="total = 7\ntime.sleep(0.3)", double=waiting)


@hostile("total", "cube", says="patched")
def right_gradient_by_other_means(a: Assignment):
    """Compute a gradient in the agent, for a function that has none: this is not prevented.

    The forged gradient must be right for inputs that nobody knows beforehand, so that it takes all
    that the question asks for; see SECURITY.md.
    """
    patch = """
import torch
import inside.responder as responder
responder.gradient = lambda function, args, upstream: 3 * args[0] ** 2 * upstream
print("patched")
"""
    cube = "def cube(x): return (x * x * x).detach()"
    return a.notebook(patch, honest=["total"], cube=cube)


@hostile("total", says="patched")
def replaced_gradient(a: Assignment):
    """Replace the gradient of its function, and torch's own backward pass."""
    patch = """
import torch
import inside.responder as responder
responder.gradient = lambda function, args, upstream: torch.full((3,), float("nan"))
torch.Tensor.backward = torch.autograd.backward = lambda *args, **kwargs: None
print("patched")
"""
    return a.notebook(patch, honest=["total"], cube="def cube(x): return x")


@hostile(says="3")
def replies_in_advance(a: Assignment):
    """Send replies before the requests, so that each question gets the reply to another."""
    early = """
import json
for reply in [{"outputs": []}] + [{"value": 7}, {"value": []}, {"value": None}] * 5:
    payload = json.dumps(reply).encode()
    connection.sendall(len(payload).to_bytes(4, "big") + payload)
"""
    return a.notebook(CONNECTION + early, honest=["total", "double"])


@hostile(says="patched")
def replayed_replies(a: Assignment):
    """Send each reply twice, so that an old one answers the next question."""
    patch = """
import inside.wire as wire
genuine = wire.send
def send(connection, message):
    genuine(connection, message)
    genuine(connection, message)
wire.send = send
print("patched")
"""
    return a.notebook(patch, honest=["double"], total="total = [np.zeros(5)] * 3")


@hostile()
def endless_replies(a: Assignment):
    """Send reply after reply from a thread, with or without a request."""
    flood = """
import threading
payload = b'{"value": 3, "outputs": []}'
def flood():
    while True: connection.sendall(len(payload).to_bytes(4, "big") + payload)
threading.Thread(target=flood, daemon=True).start()
"""
    return a.notebook(CONNECTION + flood, total="total = 3")


@hostile("total")
def outputs_without_form(a: Assignment):
    """Send outputs with fields of wrong types and with unknown fields."""
    forge = """
import inside.wire as wire
genuine = wire.send
odd = [None, 3, "text", [1, [2]], {"a": {"b": []}}]
outputs = [*odd, {"output_type": []}, {"output_type": "execute_result", "data": "text"}]
for value in odd:
    outputs += [
        {"output_type": "stream", "name": value, "text": value},
        {"output_type": "error", "ename": value, "evalue": value, "traceback": value},
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": [value] * 3},
        {"output_type": "display_data", "data": {"text/html": value, "image/png": value}},
        {"output_type": "execute_result", "data": value, "metadata": value},
        {"output_type": "update_display_data", "data": {"text/plain": "x"}, "transient": value},
    ]
wire.send = lambda connection, message: genuine(
    connection, {"outputs": outputs} if "outputs" in message else message)
"""
    return a.notebook(forge, honest=["total"])


@hostile("total")
def countless_outputs(a: Assignment):
    """Send as many outputs as fit into a reply, none of them longer than a word."""
    forge = """
import inside.wire as wire
genuine = wire.send
outputs = [{"output_type": "stream", "name": ["stdout", "stderr"][n % 2], "text": "x"}
           for n in range(200_000)]
wire.send = lambda connection, message: genuine(
    connection, {"outputs": outputs} if "outputs" in message else message)
"""
    return a.notebook(forge, honest=["total"])


@hostile("total", flag="more than 64 MB|^$", says="as large as")
def large_replies(a: Assignment):
    """Send a reply of the largest allowed size, and one that is larger by a byte."""
    source = """
import inside.wire as wire
print("as large as may be")
genuine = wire.send
def send(connection, message):
    if "value" in message and message["value"] != 20.0:
        wire.MAX_FRAME_BYTES = 2**30
        genuine(connection, {"value": "x" * (64 * 2**20 - len('{"value": ""}') + larger)})
    else:
        genuine(connection, message)
wire.send = send
larger = 0
"""
    double = "def double(w):\n    global larger\n    larger = len(w) > 5"
    return a.notebook(source, honest=["total"], double=double)


NO_FRAMES = {
    "too long": frame(r'b"\xff\xff\xff\xff" + b"x" * 1000'),
    "no JSON": frame(r'b"\0\0\0\4\x80abc"'),
    "deep": frame('(10**6).to_bytes(4, "big") + b"[" * 10**6'),
    "costly": frame('(3 * 8 * 2**20 + 2).to_bytes(4, "big") + b"[" + b"[]," * (8 * 2**20) + b"1"'),
    "a number too long": frame('(10**6).to_bytes(4, "big") + b"7" * 10**6'),
}


@hostile("total", flag=r"(?s)(it sent the grader data that no notebook sends.*){5}")
def frames_that_are_none(a: Assignment):
    """Send bytes that are no reply: too long, no JSON, too deep, too costly to parse."""
    return a.notebook(*NO_FRAMES.values(), honest=["total"])


@hostile("total", flag=r"took longer than \d+ s")
def dripping_reply(a: Assignment):
    """Announce a long reply and send it a byte at a time."""
    drip = """
import time
connection.sendall((60 * 2**20).to_bytes(4, "big"))
while True:
    connection.sendall(b" ")
    time.sleep(0.1)
"""
    return a.notebook(honest=["total"], double=CONNECTION + drip)


@hostile("total", "double", flag="closed its connection to the grader")
def hung_up(a: Assignment):
    """Shut its connection down and sleep."""
    hang_up = "import socket, time\nconnection.shutdown(socket.SHUT_RDWR)\ntime.sleep(600)"
    return a.notebook(CONNECTION + hang_up, honest=["total", "double"])


@hostile("total", flag="its Python process ended by itself")
def closed_descriptors(a: Assignment):
    """Close every open file, its connection to the grader included."""
    return a.notebook("import os\nos.closerange(0, 1000)", honest=["total"])


# ------------------------------------------------------------------------------------------------
# Answers that are hard to read


@hostile("total", says="endless")
def endless_answers(a: Assignment):
    """Answer with lists and dicts that never end, and with a generator."""
    endless = """
import itertools
class Endless(list):
    def __iter__(self): return itertools.repeat(0)
    def __len__(self): return 5
class Pairs(dict):
    def items(self): return itertools.repeat((0, 0))
print("endless")
"""
    return a.notebook(
        endless,
        honest=["total"],
        double="def double(w): return Endless() if len(w) == 5 else (w for w in itertools.count())",
        cube="def cube(x): return Pairs()",
    )


@hostile("total", says="huge")
def huge_answers(a: Assignment):
    """Answer with arrays and texts that exceed the limit of a reply, or any memory."""
    return a.notebook(
        "print('huge')",
        honest=["total"],
        double="def double(w): return {1: 'x' * 2**26, 5: np.zeros(2**23)}.get(len(w), w)",
        cube="def cube(x): return np.broadcast_to(0.0, (2**20, 2**30))",
        bars="def bars(heights): return [np.zeros(2**20)] * 1000",
    )


@hostile(says="no numbers")
def numbers_that_are_none(a: Assignment):
    """Answer with NaN, infinities and whole numbers of thousands of digits."""
    return a.notebook(
        "import sys\nsys.set_int_max_str_digits(0)\nprint('no numbers')",
        total="total = 10**4000",
        double="def double(w): return np.full(len(w), np.nan if len(w) == 5 else np.inf)",
        cube="def cube(x): return x * float('nan')",
        bars="def bars(heights): return 10**6000",
    )


@hostile("total", says="round and round")
def answers_that_hold_themselves(a: Assignment):
    """Answer with a list that contains itself, and with an object whose every part is itself."""
    itself = """
class Itself:
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __getitem__(self, key): return self
    def __iter__(self): return self
    def __next__(self): return self
round_list = []
round_list.append(round_list)
deep_list = []
for _ in range(10**5): deep_list = [deep_list]
print("round and round")
"""
    return a.notebook(
        itself,
        honest=["total"],
        double="def double(w): return {1: round_list, 5: deep_list, 9: Itself()}[len(w)]",
        cube="cube = Itself()",
        bars="bars = Itself()",
    )


@hostile("total", says="figures")
def figures_of_thin_air(a: Assignment):
    """Draw nothing: answer with an object that claims to have axes, lines and words."""
    figures = """
class Axes:
    def get_lines(self): return [self] * 10**3
    def get_xydata(self): return np.zeros((4, 2))
    def get_legend(self): return self
    def get_texts(self): return [self] * 10**3
    def get_text(self): return "x" * 10**4
    get_xlabel = get_ylabel = get_title = get_yscale = get_text
class Figure:
    legends = []
    axes = [Axes()] * 10
print("figures")
"""
    return a.notebook(figures, honest=["total"], bars="def bars(heights): return Figure()")


@hostile("total", flag="a call in the hidden test of double: its Python process was killed .SIGINT")
def answers_that_leave(a: Assignment):
    """Leave instead of answering: by an exit, and by an interruption."""
    leave = "def double(w): raise {1: SystemExit, 5: GeneratorExit, 9: KeyboardInterrupt}[len(w)]"
    return a.notebook(honest=["total"], double=leave)
