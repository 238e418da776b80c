"""The chart as Helm renders it."""

import os
import pathlib
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/rapport"
TOOLS = pathlib.Path(os.environ.get("RAPPORT_CHART_TOOLS", ROOT / "build/chart"))
BINARIES = ROOT / "build/release/bin"
SERVICES = ("scheduling", "assessment", "notes")

# Each with the files that it is installed with.
EXAMPLES = {
    "embedded": ["embedded"],
    "small-clinic": ["small-clinic"],
    "large-network": ["large-network"],
    "mtls-cert-manager": ["small-clinic", "mtls-cert-manager"],
    "gateway-api": ["small-clinic", "mtls-cert-manager", "gateway-api"],
    "argocd": ["small-clinic", "argocd"],
}
OLDEST, NEWEST = "1.30.0", "1.37.0"
VERSIONS = (OLDEST, "1.31.0", "1.33.0", "1.34.0", "1.35.0", NEWEST)


class Loader(yaml.CSafeLoader):
    """Refuses a key that stands twice in a map, which the last would win silently."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


def helm(*words, values=None):
    """The finished process, with `values`, a map, as the last of the value files."""
    words = [str(TOOLS / "bin/helm"), *map(str, words)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        if values is not None:
            yaml.safe_dump(values, file)
            file.flush()
            words += ["--values", file.name]
        return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def files(example):
    return [
        word
        for name in EXAMPLES[example]
        for word in ("--values", CHART / f"examples/{name}.yaml")
    ]


def template(example, values=None, version=NEWEST, apis=(), words=()):
    return helm(
        "template", "rapport", CHART, "--namespace", "clinic", "--kube-version", version,
        *[word for api in apis for word in ("--api-versions", api)],
        *files(example), *words,
        values=values,
    )  # fmt: skip


class Objects(list):
    """Rendered objects."""

    def kind(self, kind):
        return [each for each in self if each["kind"] == kind]

    def get(self, kind, name):
        found = [each for each in self.kind(kind) if each["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        return found[0]

    def pods(self):
        """(who, pod spec) of everything that becomes a pod."""
        for each in self:
            who = f"{each['kind']} {each['metadata']['name']}"
            if each["kind"] in ("Deployment", "Job"):
                yield who, each["spec"]["template"]["spec"]
            elif each["kind"] == "Pod":
                yield who, each["spec"]

    def deployment(self, service):
        return self.get("Deployment", f"rapport-{service}")

    def container(self, service):
        return self.deployment(service)["spec"]["template"]["spec"]["containers"][0]

    def flags(self, service):
        return self.get("ConfigMap", f"rapport-{service}")["data"]


def parse(text):
    return Objects(each for each in yaml.load_all(text, Loader) if each)


def render(example="small-clinic", values=None, **how):
    done = template(example, values, **how)
    assert done.returncode == 0, done.stderr
    return parse(done.stdout)
