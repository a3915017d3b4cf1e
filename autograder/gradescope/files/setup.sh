#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image of the autograder.
set -eu
base=${AUTOGRADER_BASE:-/autograder}
kit="$base/source/kit"

apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    bubblewrap libseccomp2 util-linux python3 python3-venv

python=python3
for newer in python3.11 python3.12 python3.13 python3.14; do
    if command -v "$newer" >/dev/null; then python=$newer; fi
done
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "This autograder needs Python 3.11 and bubblewrap 0.8. Choose a newer base image in" \
        "Configure Autograder, such as Ubuntu 24.04."
    exit 1
fi

"$python" -m venv "$base/venv"
pip="$base/venv/bin/pip install --quiet --disable-pip-version-check -c $kit/constraints.txt"
# PyTorch's own server has torch without CUDA, which takes a tenth of the room.
$pip --no-deps --index-url https://download.pytorch.org/whl/cpu torch torchvision ||
    echo "PyTorch's server gives out no such version: torch is installed with CUDA."
$pip -e "$kit[instructor]"

# Grading must not wait for a download.
COURSE_DATA="$base/data" "$base/venv/bin/python" -P - "$base/source/course" <<'END'
import sys
from pathlib import Path

from autograder.grading.submission_profile import grading_in
from autograder.settings import read_settings
from helpers import data

settings = read_settings(Path(sys.argv[1]))
with grading_in(settings.profile, settings):
    data.load(data.STANDARD[settings.profile])
END
