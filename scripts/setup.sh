#!/bin/sh
# Create .venv with the project and its pinned dependencies. Then install, or ask for, what pip cannot
# install: bubblewrap and libseccomp (the grading sandbox) and chromium (the browser test).
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

say() { printf '\n==> %s\n' "$1"; }
stop() { printf '\n%s\n' "$1" >&2; exit 1; }
may_install() { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; }
install() {
    say "Installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v "$python" >/dev/null ||
    stop "There is no '$python' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3 ..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "Python 3.11 or newer is needed, and $python is $("$python" -c 'import platform; print(platform.python_version())'). Name another one: make PYTHON=python3.12 ..."

# On Debian, ensurepip (which venv needs) is in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    may_install || stop "$python cannot create virtual environments. Install its venv module (on Debian: apt-get install python3-venv)."
    install python3-venv
fi

say "Creating .venv"
[ -x .venv/bin/pip ] || "$python" -m venv .venv

say "Installing the project and its pinned dependencies (torch is large: this takes minutes)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'

missing=""
command -v bwrap >/dev/null || missing="$missing bubblewrap"
"$python" -c 'import ctypes; ctypes.CDLL("libseccomp.so.2")' 2>/dev/null ||
    missing="$missing libseccomp2"
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    missing="$missing postgresql"
if [ -n "$missing" ]; then
    # A machine that cannot install packages still grades and tests what it can.
    # shellcheck disable=SC2086  # the names are separate words
    { may_install && install $missing; } || printf '%s\n' \
        "Please install:$missing" \
        "  bubblewrap   the sandbox in which submissions are graded; 'make demo' needs it (Linux only)" \
        "  libseccomp2  the sandbox's filter of system calls; 'make demo' needs it, too" \
        "  chromium     for the browser test; without it that test is skipped" \
        "  postgresql   for the test of a gradebook on a server, which is skipped without it"
fi

say "Ready"
