#!/usr/bin/env bash
# Print the Python interpreter to build the virtual environment with: $PYTHON if set, otherwise the one that
# the environment was built with before, otherwise python3 if its version is one the ROS 2 wheels exist for,
# otherwise the first that there is among python3.12, 3.13, 3.11, 3.10.
set -euo pipefail

remembered="$(dirname -- "${BASH_SOURCE[0]}")/../../.venv/set-up/python"

supported() {
    # The bootstrap variable belongs to whatever environment called us, not to the interpreter asked here.
    env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE -u PYTHONPATH -u PYTHONHOME \
        "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

found_version() {
    "$1" -c 'import platform; print("Python " + platform.python_version())' 2>/dev/null || echo "not a working Python"
}

if [[ -n "${PYTHON:-}" ]]; then
    if supported "$PYTHON"; then
        command -v -- "$PYTHON"
        exit 0
    fi
    echo "set-up: PYTHON=$PYTHON is $(found_version "$PYTHON"); the ROS 2 wheels need Python 3.10 to 3.13." >&2
    exit 1
fi

if [[ -f "$remembered" ]] && supported "$(<"$remembered")"; then
    cat -- "$remembered"
    exit 0
fi

for candidate in python3 python3.12 python3.13 python3.11 python3.10; do
    if supported "$candidate"; then
        command -v -- "$candidate"
        exit 0
    fi
done

{
    echo "set-up: Python 3.10 to 3.13 is missing (python3 here: $(found_version python3))."
    echo "  install it: sudo apt install python3.12 python3.12-venv python3.12-dev"
    echo "  (Ubuntu 22.04 and Debian 12: leave out the number, their python3 is 3.10 and 3.11)"
    echo "  or name one: make setup PYTHON=/path/to/python3.12"
} >&2
exit 1
