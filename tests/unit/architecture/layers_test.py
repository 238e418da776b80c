#!/usr/bin/env python3
"""Reads every #include and every linked target and fails on an edge that points up.

The house: rpc -> domain, store -> common; one service never reaches into another; inside common,
folders stand on those before them; gRPC appears in common/rpc alone.
"""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SERVICES = ("scheduling", "assessment", "notes")

# Each folder of common may use those before it.
COMMON = ["errors", "ids", "concurrency", "telemetry", "time", "names", "sql", "crypto", "auth",
          "audit", "events", "cache", "call", "feed", "auditing", "revocation", "care", "work", "rpc"]

# What the pure rules of a service may use of common.
DOMAIN_COMMON = {"errors", "ids", "names", "time/convert.h", "time/zones.h"}

INCLUDE = re.compile(r'^\s*#include\s+([<"])([^>"]+)[>"]', re.M)
LIBRARY = re.compile(r"rapport_library\(\s*(\S+)(.*?)\n?\s*DEPS\s([^)]*)\)", re.S)


def files():
    for top in ("common", "services", "tools"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path.relative_to(ROOT)


def is_grpc(include):
    return include.startswith(("grpc/", "grpcpp/")) or include.endswith(".grpc.pb.h")


def fault(path, include):
    """Why `path` may not include `include`; None if it may."""
    top, *rest = path.parts
    to = include.split("/")
    if is_grpc(include) and path.parts[:2] != ("common", "rpc"):
        return "only common/rpc includes gRPC"
    if top == "common":
        if to[0] in ("services", "tools"):
            return "common knows no service"
        if to[0] == "rapport" and to[1] in SERVICES and rest[0] != "care":
            return "common knows no service's messages"
        if to[0] == "common" and COMMON.index(to[1]) > COMMON.index(rest[0]):
            return f"common/{rest[0]} stands below common/{to[1]}"
    if top == "services":
        service, layer = rest[0], rest[1]
        if to[0] == "tools" or (to[0] == "services" and to[1] != service):
            return "one service does not reach into another"
        if path.name != "main.cc" and to[:2] == ["common", "rpc"]:
            return "only main.cc knows the transport"
        own = to[2] if to[0] == "services" else None
        if layer == "domain":
            if own not in (None, "domain", "data"):
                return "domain stands below rpc and store"
            if to[0] == "common" and to[1] not in DOMAIN_COMMON and \
                    "/".join(to[1:]) not in DOMAIN_COMMON:
                return "domain is pure"
            if to[0] == "rapport" and include.endswith("_service.pb.h"):
                return "domain knows resources and data, not services"
        if layer == "store" and own not in (None, "domain", "store"):
            return "store stands below rpc"
        if layer == "data" and own not in (None, "domain", "data"):
            return "data stands below store and rpc"
    return None


def defined():
    """The folder of each library, as a path below the root."""
    return {target: str(lists.parent.relative_to(ROOT))
            for top in ("common", "services")
            for lists in (ROOT / top).rglob("CMakeLists.txt")
            for target, _, _ in LIBRARY.findall(lists.read_text())}


def target_folder(target, folders):
    """The folder that a target stands for; None for others' libraries."""
    if target in folders:
        return folders[target]
    # Migrations and data are made by functions of their own.
    match = re.fullmatch(r"rapport_(common|scheduling|assessment|notes)_(\w+)", target)
    if not match:
        return None
    area, part = match.groups()
    return f"common/{part.split('_')[0]}" if area == "common" else f"services/{area}/{part}"


class LayersTest(unittest.TestCase):
    def test_no_include_points_up(self):
        faults = []
        count = 0
        for path in files():
            for _, include in INCLUDE.findall((ROOT / path).read_text()):
                count += 1
                why = fault(path, include)
                if why:
                    faults.append(f"{path} includes {include}: {why}")
        self.assertGreater(count, 500)
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_no_link_points_up(self):
        faults = []
        count = 0
        folders = defined()
        for top in ("common", "services"):
            for lists in sorted((ROOT / top).rglob("CMakeLists.txt")):
                for target, _, deps in LIBRARY.findall(lists.read_text()):
                    folder = target_folder(target, folders)
                    if folder is None:
                        continue
                    for dep in deps.split():
                        count += 1
                        if dep.startswith("gRPC::") and folder != "common/rpc":
                            faults.append(f"{target} links {dep}: only common/rpc links gRPC")
                        to = target_folder(dep, folders)
                        if to is None or to == folder or to.endswith("/migrations"):
                            continue
                        why = fault(pathlib.PurePath(folder) / "x.cc", to + "/x.h")
                        if why and "pure" not in why:
                            faults.append(f"{target} links {dep}: {why}")
        self.assertGreater(count, 50)
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_an_edge_that_points_up_is_found(self):
        for path, include in [
            ("services/notes/domain/goals.cc", "services/notes/store/cases.h"),
            ("services/notes/domain/goals.cc", "common/sql/database.h"),
            ("services/notes/domain/goals.cc", "common/time/clock.h"),
            ("services/notes/store/cases.cc", "services/notes/rpc/case_handlers.h"),
            ("services/notes/rpc/case_handlers.cc", "services/scheduling/domain/courses.h"),
            ("services/notes/rpc/case_handlers.cc", "grpcpp/server.h"),
            ("common/sql/database.h", "common/call/mutate.h"),
            ("common/sql/database.h", "services/notes/domain/goals.h"),
        ]:
            self.assertIsNotNone(fault(pathlib.PurePath(path), include), (path, include))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
