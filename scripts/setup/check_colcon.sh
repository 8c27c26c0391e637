#!/usr/bin/env bash
# Build the package with colcon in a clean workspace, as on a robot (isolated, then --merge-install with
# --symlink-install), and use it from each install space with nothing of the checkout in reach.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
python="$root/.venv/bin/python"
workspace="$(mktemp -d)"
trap 'rm -rf -- "$workspace"' EXIT

# Nothing inherited from an environment that happens to be active here may help.
unset PYTHONPATH PYTHONHOME LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE CMAKE_PREFIX_PATH COLCON_PREFIX_PATH
export VIRTUAL_ENV="$root/.venv" AMENT_PREFIX_PATH="$root/.venv" PATH="$root/.venv/bin:$PATH"
export COLCON_LOG_LEVEL=error COLCON_DEFAULTS_FILE=/dev/null PYTHONDONTWRITEBYTECODE=1

# What git tracks or would add, so that a file that was forgotten in the package is missed here and not later.
mkdir -p "$workspace/src/textdifuse_ros"
git -C "$root" ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do if [[ -e "$root/$file" ]]; then printf '%s\0' "$file"; fi; done |
    tar -C "$root" --null -T - -cf - | tar -C "$workspace/src/textdifuse_ros" -xf -

build() {
    local name="$1"
    shift
    local started=$SECONDS log="$workspace/$name.log"
    if ! (cd -- "$workspace" && "$python" -m colcon --log-base "$workspace/log" build \
        --build-base "build_$name" --install-base "install_$name" "$@" \
        --cmake-args -DBUILD_TESTING=OFF "-DPython3_EXECUTABLE=$python" >"$log" 2>&1); then
        echo "colcon build ($name) failed:" >&2
        tail -n 60 -- "$log" >&2
        exit 1
    fi
    echo "colcon build ($name): $((SECONDS - started)) s"
}

build plain
"$python" "$root/scripts/setup/check_install.py" "$workspace/install_plain/textdifuse_ros" "$root"
build symlink --symlink-install --merge-install
"$python" "$root/scripts/setup/check_install.py" "$workspace/install_symlink" "$root"
echo "colcon: both install spaces work on their own"
