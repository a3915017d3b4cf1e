#!/bin/sh
# Use a borrowed GPU for some minutes: tests, benchmarks and reference runs, until a deadline.
#
#   sh scripts/gpu_run.sh OUT MINUTES [PART...]
#
# Parts, in this order unless told otherwise:
#   tests       what only a GPU can test                             -> OUT/tests.txt
#   bench       our training compared with the usual recipe          -> OUT/bench.json
#   accuracy    time to 91.25 % with five seeds                      -> OUT/time_to_accuracy.json
#   references  epochs and seeds that the references of full lack    -> OUT/results.tar.00, 01, ...
#
# The project need not be installed, and no network is needed. What it takes is a Python with torch,
# numpy, scipy, scikit-learn, matplotlib, safetensors and tqdm, and with pytest and hypothesis for
# the tests. Results are written as soon as they are there. To continue on another machine, or to
# freeze the results, unpack them in the project's folder: cat OUT/results.tar.* | tar xf -
#
# Environment:
#   COURSE_DATA  folder with cifar10.npz (default: build/data)
#   PREPARE      command that makes cifar10.npz there; it is run if the file is missing
#   PYTHON       the Python to use (default: python3)
#   PROFILE      profile for bench and accuracy; use quick to try the script on a CPU (default: full)
#   EPOCHS       epochs of each training for accuracy; over them, the learning rate falls to 0
#                (default: 30)
#   SHARE        share of the epochs to train for references; use 0.05 to try the script on a CPU
#                (default: 1)
set -u

if [ $# -lt 2 ]; then
    sed -n '2,4p' "$0" | cut -c 3-
    exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
deadline=$(($(date +%s) + $2 * 60))
shift 2
parts=${*:-tests bench accuracy references}

cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
profile=${PROFILE:-full}
work=build/gpu/work
packing=20 # seconds reserved for packing the results
export COURSE_DATA="${COURSE_DATA:-build/data}"
failed=0
exec 3>&1 # for messages while the output of a part goes to a file

left() {
    echo $((deadline - packing - $(date +%s)))
}

# Run a command for at most the given number of seconds, and report how it ended.
limited() {
    name=$1 limit=$2
    shift 2
    [ "$(left)" -lt "$limit" ] && limit=$(left)
    if [ "$limit" -le 0 ]; then
        echo "$name: no time left" >&3
        return
    fi
    began=$(date +%s)
    timeout "$limit" "$@"
    status=$?
    [ $status -eq 0 ] || failed=1
    echo "$name: ended with $status after $(($(date +%s) - began)) s" >&3
}

tests() {
    limited tests 150 "$python" -m pytest -m gpu -q -rs tests/helpers >"$out/tests.txt" 2>&1
    tail -n 3 "$out/tests.txt"
}

bench() {
    COURSE_PROFILE=$profile limited bench 400 \
        "$python" -m autograder.bench "$out/bench.json" --only training --limit 90 >"$out/bench.txt" 2>&1
}

accuracy() {
    COURSE_PROFILE=$profile limited accuracy 300 \
        "$python" -m autograder.bench.time_to_accuracy "$out/time_to_accuracy.json" \
        --epochs "${EPOCHS:-30}" >"$out/time_to_accuracy.txt" 2>&1
    tail -n 1 "$out/time_to_accuracy.txt"
}

references() {
    seconds=$(left)
    [ "$seconds" -le 0 ] && echo "references: no time left" && return
    # The command ends by itself in time; if it does not, it is stopped a minute later.
    deadline=$((deadline + 60))
    limited references $((seconds + 60)) "$python" -m autograder.cli reference run \
        --profile full --missing --seeds 3 --share "${SHARE:-1}" --work $work \
        --minutes "$(awk "BEGIN {print $seconds / 60}")" >"$out/references.txt" 2>&1
    tail -n 2 "$out/references.txt"
    pack
}

# Pack the results into files of at most 15 MiB. Unfinished runs are included: the next call continues
# them.
pack() {
    mkdir -p $work
    rm -f "$out"/results.tar.*
    tar -cf - autograder/references/full helpers/pretrained helpers/reference/baseline $work |
        split -d -b 15m - "$out/results.tar."
    ls -l "$out"
}

if [ ! -e "$COURSE_DATA/cifar10.npz" ] && [ -n "${PREPARE:-}" ]; then
    limited data 300 sh -c "$PREPARE"
fi
for part in $parts; do
    case $part in
        tests | bench | accuracy | references) $part ;;
        *) echo "There is no part $part." && failed=1 ;;
    esac
done
exit $failed
