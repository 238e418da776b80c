"""Writes schemas as kubeconform reads them, of Kubernetes' own kinds that the chart uses (from the
package kubernetes-validate) and of custom resource definitions: schemas.py OUT FOLDER…

In OUT: vVERSION/ of each release of Kubernetes, crds/ of custom resources, beside their definitions.
"""

import json
import pathlib
import sys
import sysconfig

import yaml

from rendered import VERSIONS

NATIVE = (
    "configmap-v1", "deployment-apps-v1", "horizontalpodautoscaler-autoscaling-v2", "job-batch-v1",
    "networkpolicy-networking-v1", "persistentvolumeclaim-v1", "pod-v1", "poddisruptionbudget-policy-v1",
    "service-v1", "serviceaccount-v1",
)  # fmt: skip
CUSTOM = {"BackendTLSPolicy", "Certificate", "GRPCRoute", "Issuer", "PrometheusRule", "ServiceMonitor"}
DEFINITIONS = "/api/_definitions.json#/$defs/"

# A plain = is text.
yaml.CSafeLoader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def references(part):
    """The names of what a schema refers to, each made one of its own file."""
    if isinstance(part, list):
        for each in part:
            yield from references(each)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            name = part["$ref"].rsplit("/", 1)[1]
            part["$ref"] = f"#/definitions/{name}"
            yield name
        for each in part.values():
            yield from references(each)


def native(out):
    # Only its data: the package's own code needs more packages.
    root = pathlib.Path(sysconfig.get_path("purelib"), "kubernetes_validate/kubernetes-json-schema")
    for version in VERSIONS:
        folder = root / f"v{version}-local-strict"
        known = json.loads((folder / "_definitions.json").read_text())["$defs"]
        (out / f"v{version}").mkdir(parents=True)
        for kind in NATIVE:
            schema = json.loads((folder / f"{kind}.json").read_text())
            used, open_ = {}, set(references(schema))
            while open_:
                name = open_.pop()
                used[name] = known[name]
                open_ |= set(references(known[name])) - set(used)
            (out / f"v{version}/{kind}.json").write_text(json.dumps(schema | {"definitions": used}))


def strict(schema):
    """Refuses fields that the schema does not know, as a strict API server does."""
    if isinstance(schema, list):
        for part in schema:
            strict(part)
    elif isinstance(schema, dict):
        open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
        if "properties" in schema and "additionalProperties" not in schema and not open_ended:
            schema["additionalProperties"] = False
        if schema.pop("x-kubernetes-int-or-string", False):
            schema.pop("type", None)
        for name, part in schema.items():
            if name == "properties":
                strict(list(part.values()))
            elif name not in ("default", "enum", "anyOf", "oneOf", "allOf", "not"):
                strict(part)


def custom(out, folders):
    out.mkdir()
    made = set()
    for path in (path for folder in folders for path in sorted(pathlib.Path(folder).glob("*.y*ml"))):
        text = path.read_text()
        if not any(f"    kind: {kind}\n" in text for kind in CUSTOM):
            continue
        for document in yaml.load_all(text, yaml.CSafeLoader):
            spec = (document or {}).get("spec", {})
            kind = spec.get("names", {}).get("kind")
            if kind not in CUSTOM:
                continue
            made.add(kind)
            (out / f"{document['metadata']['name']}.yaml").write_text(yaml.dump(document, Dumper=yaml.CSafeDumper))
            for version in spec["versions"]:
                schema = version["schema"]["openAPIV3Schema"]
                schema.setdefault("properties", {}).update(
                    apiVersion={"type": "string"}, kind={"type": "string"}, metadata={"type": "object"}
                )
                strict(schema)
                name = f"{kind.lower()}-{spec['group'].split('.')[0]}-{version['name']}.json"
                (out / name).write_text(json.dumps(schema))
    if CUSTOM - made:
        sys.exit(f"schemas.py: no definition of {', '.join(CUSTOM - made)}")


out = pathlib.Path(sys.argv[1])
native(out)
custom(out / "crds", sys.argv[2:])
