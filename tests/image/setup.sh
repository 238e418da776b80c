# Sourced by the tests that run containers: a store of images and a configuration of podman and
# buildah of their own, under build/containers, and a virtual environment with the test's packages.
# The host's containers are neither seen nor touched. Wants the working directory at the root.

containers=$PWD/build/containers
mkdir -p "$containers"
# runc also starts where the host mixes both versions of control groups, as crun does not. Events and
# logs go to files, as there may be no journal, and limits are not raised, for which a
# right may be missing.
cat >"$containers/containers.conf" <<CONF
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "$containers/tmp"
[network]
network_config_dir = "$containers/networks"
network_backend = "netavark"
CONF
cat >"$containers/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$containers/storage"
runroot = "$containers/run"
CONF
export CONTAINERS_CONF=$containers/containers.conf CONTAINERS_STORAGE_CONF=$containers/storage.conf

venv=$PWD/build/containers/venv
python=$venv/bin/python
if ! cmp -s tests/image/requirements.txt "$venv/installed.txt" || ! "$python" -c '' 2>/dev/null; then
  echo "containers: installing the Python packages"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --requirement tests/image/requirements.txt
  cp tests/image/requirements.txt "$venv/installed.txt"
fi
