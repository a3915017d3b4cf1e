#!/bin/sh
# Use a borrowed GPU for some minutes: tests, benchmarks and reference runs, until a deadline.
#
#   sh scripts/gpu_run.sh OUT MINUTES [PART...]
#
# Parts, in this order unless told otherwise:
#   tests       what only a GPU can test                             -> OUT/tests.txt
#   bench       our training beside the usual recipe                 -> OUT/bench.json
#   accuracy    time to 91.25 % with five seeds                      -> OUT/time_to_accuracy.json
#   references  epochs and seeds that the references of full lack    -> OUT/results.tar.00, 01, ...
#
# Nothing has to be installed of ours, and there may be no network: it takes a Python with torch,
# numpy, scipy, scikit-learn, matplotlib, safetensors and tqdm, and pytest with hypothesis for the
# tests. Figures are written as they come. To go on elsewhere, or to freeze what came out, unpack it
# in the project's folder: cat OUT/results.tar.* | tar xf -
#
# Environment:
#   COURSE_DATA  folder with cifar10.npz (default: build/data)
#   PREPARE      command that makes cifar10.npz there, run if it is missing
#   PYTHON       (default: python3)
#   PROFILE      of bench and accuracy: quick tries the script on a CPU (default: full)
#   EPOCHS       of each training of accuracy; the learning rate falls to 0 over them (default: 30)
#   SHARE        of the epochs of references: 0.05 tries the script on a CPU (default: 1)
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
packing=20 # seconds that are kept for it
export COURSE_DATA="${COURSE_DATA:-build/data}"
failed=0
exec 3>&1 # for what is said while a part's own output goes to a file

left() {
    echo $((deadline - packing - $(date +%s)))
}

# Run a command for so many seconds at most, and tell how it ended.
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
    # It stops by itself; a minute later it would be stopped.
    deadline=$((deadline + 60))
    limited references $((seconds + 60)) "$python" -m autograder.cli reference run \
        --profile full --missing --seeds 3 --share "${SHARE:-1}" --work $work \
        --minutes "$(awk "BEGIN {print $seconds / 60}")" >"$out/references.txt" 2>&1
    tail -n 2 "$out/references.txt"
    pack
}

# Of at most 15 MiB each, with the unfinished runs, which the next call goes on with.
pack() {
    mkdir -p $work
    rm -f "$out"/results.tar.*
    tar -cf - autograder/references/full helpers/pretrained $work |
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
