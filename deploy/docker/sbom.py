#!/usr/bin/env python3
"""Writes the image's bill of materials, SPDX 2.3 as JSON, to standard output.

    sbom.py ROOT PACKAGE …    ROOT is the image's root, PACKAGEs are the Debian packages in it

What is in the image comes from dpkg and from ROOT; what the programs were compiled with and from is
the group `build` of deploy/packages/install, as it is installed here."""
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def described(packages):
    """Version, architecture, source package and its version by package; none for what is absent."""
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package}\t${db:Status-Abbrev}\t${Version}\t${Architecture}\t"
         "${source:Package}\t${source:Version}\t${Homepage}\n", *packages],
        capture_output=True, text=True, check=False).stdout
    rows = [line.split("\t") for line in shown.splitlines()]
    return {row[0]: row[2:] for row in rows if row[1].startswith("ii")}


def identifier(prefix, name):
    return f"SPDXRef-{prefix}-" + re.sub(r"[^A-Za-z0-9.-]", lambda m: f"-{ord(m[0]):x}-", name)


def debian(prefix, name, facts):
    version, architecture, source, source_version, homepage = facts
    quoted = version.replace("+", "%2B").replace(":", "%3A").replace("~", "~")
    upstream = source if source_version == version else (
        f"{source}%40{source_version.replace('+', '%2B').replace(':', '%3A')}")
    locator = (f"pkg:deb/debian/{name.replace('+', '%2B')}@{quoted}?arch={architecture}"
               f"&distro=debian-12&upstream={upstream.replace('+', '%2B')}")
    package = {
        "name": name,
        "SPDXID": identifier(prefix, name),
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "sourceInfo": f"built from the Debian source package {source} {source_version}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "comment": f"Copyright and licence: /usr/share/doc/{name}/copyright",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": locator}],
    }
    if homepage:
        package["homepage"] = homepage
    return package


def program(path):
    content = path.read_bytes()
    return {
        "fileName": f"./usr/bin/{path.name}",
        "SPDXID": identifier("File", path.name),
        "fileTypes": ["BINARY"],
        "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()},
                      {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}],
        "licenseConcluded": "Apache-2.0",
        "licenseInfoInFiles": ["Apache-2.0"],
        "copyrightText": "NOASSERTION",
    }


def main(root, names):
    version = re.search(r"project\(rapport VERSION ([0-9.]+)",
                        (PROJECT / "CMakeLists.txt").read_text())[1]
    when = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")),
                                           datetime.timezone.utc)
    wanted = subprocess.run([PROJECT / "deploy/packages/install", "--list", "build"],
                            capture_output=True, text=True, check=True).stdout.split()
    shipped = described(names)
    if missing := sorted(set(names) - set(shipped)):
        sys.exit(f"sbom: dpkg does not know {', '.join(missing)}")
    built_with = {name: facts for name, facts in described(wanted).items() if name not in shipped}
    programs = [program(path) for path in sorted((pathlib.Path(root) / "usr/bin").iterdir())
                if not path.is_symlink()]
    rapport = {
        "name": "rapport",
        "SPDXID": "SPDXRef-rapport",
        "versionInfo": version,
        "supplier": "Organization: Rapport",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1("".join(sorted(
            part["checksums"][0]["checksumValue"] for part in programs)).encode()).hexdigest()},
        "licenseInfoFromFiles": ["Apache-2.0"],
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "CONTAINER",
    }
    packages = [debian("Package", name, facts) for name, facts in sorted(shipped.items())]
    build = [debian("Build", name, facts) for name, facts in sorted(built_with.items())]
    relationships = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-rapport")]
    relationships += [("SPDXRef-rapport", "CONTAINS", part["SPDXID"]) for part in packages + programs]
    relationships += [(part["SPDXID"], "BUILD_DEPENDENCY_OF", "SPDXRef-rapport") for part in build]
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"rapport-{version}",
        "creationInfo": {"created": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": ["Tool: deploy/docker/sbom.py"]},
        "packages": [rapport, *packages, *build],
        "files": programs,
        "relationships": [
            {"spdxElementId": left, "relationshipType": how, "relatedSpdxElement": right}
            for left, how, right in relationships],
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    document["documentNamespace"] = f"https://spdx.org/spdxdocs/rapport-{version}-{digest[:32]}"
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
