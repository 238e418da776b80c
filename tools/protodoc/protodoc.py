"""Writes the reference of the contracts from their descriptors: services, methods, errors and
permissions into protos/README.md, messages and enums into protos/reference/PACKAGE.md.

    protodoc.py DESCRIPTOR_SET OUT     writes OUT/README.md and OUT/reference/*.md
    protodoc.py --check DESCRIPTOR_SET OUT
                                       writes nothing; fails where a file is not what it would write
"""
import pathlib
import re
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HERE = pathlib.Path(__file__).resolve().parent
PERMISSIONS = HERE.parents[1] / "common/auth/permissions.cc"
CODES = ("INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "ALREADY_EXISTS",
         "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED", "UNAVAILABLE",
         "INTERNAL", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "CANCELLED")
ERROR_LINE = re.compile(rf"^\s+({'|'.join(CODES)})(?:\s{{1,}}(.*))?$")
AUDIT = {0: "—", 1: "access", 2: "durable"}
SERVED_BY = {"rapport.scheduling.v1": "scheduling", "rapport.assessment.v1": "assessment",
             "rapport.notes.v1": "notes", "rapport.common.v1": "all three"}
ALONE = {"rapport.common.v1.PrivacyService": "notes"}


class Contracts:
    """The files of a descriptor set with their comments and our options."""

    def __init__(self, encoded):
        self.files = descriptor_pb2.FileDescriptorSet.FromString(encoded).file
        pool = descriptor_pool.DescriptorPool()
        for file in self.files:
            pool.Add(file)
        self._pool = pool
        self.own = [file for file in self.files if file.package.startswith("rapport.")]
        self.packages = sorted({file.package for file in self.own})
        self.comments = {}
        for file in self.own:
            for location in file.source_code_info.location:
                text = location.leading_comments or location.trailing_comments
                if text:
                    self.comments[(file.name, tuple(location.path))] = text

    def comment(self, file, *path):
        """Lines of a comment, without the blank that stands after the slashes."""
        text = self.comments.get((file.name, path), "")
        return [line[1:] if line.startswith(" ") else line for line in text.rstrip().split("\n")]

    def option(self, options, extension):
        kind = message_factory.GetMessageClass(
            self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name))
        found = self._pool.FindExtensionByName(extension)
        message_factory.GetMessageClassesForFiles([found.file.name], self._pool)
        return kind.FromString(options.SerializeToString()).Extensions[found]

    def policy(self, method):
        return self.option(method.options, "rapport.common.v1.policy")

    def rules(self, field):
        return self.option(field.options, "rapport.common.v1.rules")

    def behaviours(self, field):
        values = self.option(field.options, "google.api.field_behavior")
        names = self._pool.FindEnumTypeByName("google.api.FieldBehavior").values_by_number
        return [names[value].name for value in values]

    def format_name(self, number):
        return self._pool.FindEnumTypeByName("rapport.common.v1.Format").values_by_number[number].name

    def message(self, full_name):
        return self._pool.FindMessageTypeByName(full_name.removeprefix("."))

    def services(self):
        """(file, index, service), by package and name."""
        found = [(file, i, service) for file in self.own for i, service in enumerate(file.service)]
        return sorted(found, key=lambda one: (one[0].package, one[2].name))

    def idempotent(self, method):
        """A repeat does no harm: it reads, or its request bears a request_id."""
        return (method.options.idempotency_level != 0 or
                "request_id" in self.message(method.input_type).fields_by_name)


def split_errors(lines):
    """A comment's prose, and its errors as (code, text)."""
    prose, errors, last = [], [], None
    for line in lines:
        match = ERROR_LINE.match(line)
        if match:
            last = [match.group(1), (match.group(2) or "").strip()]
            errors.append(last)
        elif last is not None and re.match(r"^\s{3,}\S", line):
            last[1] = f"{last[1]} {line.strip()}".strip()
        else:
            last = None
            prose.append(line)
    return prose, errors


def paragraphs(lines):
    """Prose as Markdown: what is indented stays as it is."""
    out, block = [], []

    def flush():
        if block:
            out.append(" ".join(escape(line.strip()) for line in block))
            block.clear()

    code = []
    for line in lines:
        if re.match(r"^\s{2,}\S", line):
            flush()
            code.append(line)
            continue
        if code:
            out.append("```\n" + "\n".join(code) + "\n```")
            code = []
        if line.strip():
            block.append(line)
        else:
            flush()
    flush()
    if code:
        out.append("```\n" + "\n".join(code) + "\n```")
    return [text for text in out if text]


def escape(text):
    """`<` and `|` outside of code are shown, not taken for markup."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def cell(lines):
    return escape(" ".join(line.strip() for line in lines if line.strip())).replace("|", "\\|")


def anchor(name):
    return name.replace(".", "").lower()


def link(type_name, package, from_reference):
    """A Markdown link to a message or enum of ours; the plain name of another."""
    full = type_name.removeprefix(".")
    match = re.match(r"(rapport\.\w+\.v1)\.(.+)$", full)
    if not match:
        return f"`{full}`"
    there, name = match.groups()
    shown = name if there == package else full
    where = "" if from_reference and there == package else (
        f"{there}.md" if from_reference else f"reference/{there}.md")
    return f"[{shown}]({where}#{anchor(name)})"


def roles_by_permission():
    """What the table of roles in the auth library grants."""
    source = PERMISSIONS.read_text()
    known = re.findall(r'"([a-z_]+\.[a-z_]+)"',
                       re.search(r"kPermissions\[\] = \{(.*?)\n\};", source, re.S).group(1))
    granted = {permission: [] for permission in known}
    for table, prefix in (("kRoles", ""), ("kServices", "service:")):
        body = re.search(rf"{table}\[\] = \{{(.*?)\n\}};", source, re.S).group(1)
        for who, what in re.findall(r'\{"(\w+)",((?:\s*"[^"]*")+)\s*\}', body):
            for pattern in "".join(re.findall(r'"([^"]*)"', what)).split():
                for permission in known:
                    if permission == pattern or (
                            pattern.endswith(".*") and permission.startswith(pattern[:-1])):
                        granted[permission].append(prefix + who)
    return granted


def write_readme(contracts):
    granted = roles_by_permission()
    out = [(HERE / "head.md").read_text().rstrip(), "", "## Services", "",
           "| service | served by | for |", "|---|---|---|"]
    for file, i, service in contracts.services():
        full = f"{file.package}.{service.name}"
        prose, _ = split_errors(contracts.comment(file, 6, i))
        first = re.split(r"(?<=\.)\s", " ".join(line.strip() for line in prose))[0]
        served = ALONE.get(full, SERVED_BY[file.package])
        out.append(f"| [{full}](#{anchor(full)}) | {served} | {cell([first])} |")
    for file, i, service in contracts.services():
        prose, errors = split_errors(contracts.comment(file, 6, i))
        out += ["", f"## {file.package}.{service.name}", ""]
        for text in paragraphs(prose):
            out += [text, ""]
        if errors:
            out += ["| every method may answer | when |", "|---|---|"]
            out += [f"| `{code}` | {cell([text])} |" for code, text in errors]
            out += [""]
        out += ["| method | permission | on | audited | repeatable |", "|---|---|---|---|---|"]
        for method in service.method:
            policy = contracts.policy(method)
            executor = {1: "transport", 2: "read", 3: "write", 4: "peer"}[policy.executor]
            out.append(
                f"| [{method.name}](#{anchor(service.name + method.name)}) "
                f"| `{policy.permission}` | {executor} | {AUDIT[policy.audit]} "
                f"| {repeatable(contracts, method)} |")
        for m, method in enumerate(service.method):
            prose, errors = split_errors(contracts.comment(file, 6, i, 2, m))
            policy = contracts.policy(method)
            asks = ("stream of " if method.client_streaming else "") + link(
                method.input_type, file.package, False)
            answers = ("stream of " if method.server_streaming else "") + link(
                method.output_type, file.package, False)
            out += ["", f"### {service.name}.{method.name}", "", f"{asks} → {answers}", ""]
            if method.options.deprecated:
                out += ["**Deprecated**; see the changelog.", ""]
            for text in paragraphs(prose):
                out += [text, ""]
            out += [f"Permission `{policy.permission}`: "
                    + ", ".join(granted[policy.permission]) + "."]
            if errors:
                out += ["", "| error | when |", "|---|---|"]
                out += [f"| `{code}` | {cell([text])} |" for code, text in errors]
    out += ["", "## Permissions", "", "| permission | granted to |", "|---|---|"]
    for permission, roles in granted.items():
        out.append(f"| `{permission}` | {', '.join(roles) or '—'} |")
    return "\n".join(out) + "\n"


def repeatable(contracts, method):
    if method.options.idempotency_level == 1:
        return "it reads"
    if "request_id" in contracts.message(method.input_type).fields_by_name:
        return "by `request_id`"
    if method.options.idempotency_level == 2:
        return "by nature"
    name = method.name
    if re.match(r"(Get|List|Search|Check|Watch|Score|Render|Diff|Verify|Plan|Advise|Export|Open)",
                name) or name == "StreamScores":
        return "it reads"
    return "see there"


TYPES = {value: name.removeprefix("TYPE_").lower()
         for name, value in descriptor_pb2.FieldDescriptorProto.Type.items()}


def limits(contracts, field):
    """The field's rules in words."""
    rules, said = contracts.rules(field), []
    behaviours = contracts.behaviours(field)
    for name, word in (("REQUIRED", "required"), ("OUTPUT_ONLY", "output only"),
                       ("IMMUTABLE", "immutable"), ("INPUT_ONLY", "input only"),
                       ("IDENTIFIER", "identifier")):
        if name in behaviours:
            said.append(word)
    if rules.resource:
        said += [f"`{rules.resource}`".replace("|", "` or `")]
    if rules.format:
        said.append(contracts.format_name(rules.format).removeprefix("FORMAT_").lower()
                    .replace("_", " "))
    if rules.min_bytes or rules.max_bytes:
        said.append(f"{rules.min_bytes}–{rules.max_bytes} bytes" if rules.min_bytes
                    else f"≤ {rules.max_bytes} bytes")
    if rules.HasField("min") and rules.HasField("max"):
        said.append(f"{rules.min}–{rules.max}")
    elif rules.HasField("min"):
        said.append(f"≥ {rules.min}")
    elif rules.HasField("max"):
        said.append(f"≤ {rules.max}")
    if rules.min_items or rules.max_items:
        said.append(f"{rules.min_items}–{rules.max_items} items" if rules.min_items
                    else f"≤ {rules.max_items} items")
    if rules.patient_text:
        said.append("patient text")
    if field.options.deprecated:
        said.insert(0, "**deprecated**")
    return "; ".join(said)


def kind_of(field, file):
    return link(field.type_name, file.package, True) if field.type_name else TYPES[field.type]


def write_message(contracts, file, message, path, prefix, out):
    name = prefix + message.name
    out += ["", f"## {name}", ""]
    for text in paragraphs(contracts.comment(file, *path)):
        out += [text, ""]
    if message.field:
        out += ["| field | type | rules | meaning |", "|---|---|---|---|"]
    for i, field in enumerate(message.field):
        kind = kind_of(field, file)
        entry = [nested for nested in message.nested_type if nested.options.map_entry
                 and field.type_name.endswith(f".{message.name}.{nested.name}")]
        if entry:
            key, value = (kind_of(one, file) for one in entry[0].field)
            kind = f"map of {key} to {value}"
        elif field.label == field.LABEL_REPEATED:
            kind = f"repeated {kind}"
        elif field.proto3_optional:
            kind = f"optional {kind}"
        elif field.HasField("oneof_index"):
            kind = f"{kind}, one of `{message.oneof_decl[field.oneof_index].name}`"
        out.append(f"| {field.number} `{field.name}` | {kind} | {limits(contracts, field)} "
                   f"| {cell(contracts.comment(file, *path, 2, i))} |")
    for i, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            write_message(contracts, file, nested, (*path, 3, i), f"{name}.", out)
    for i, enum in enumerate(message.enum_type):
        write_enum(contracts, file, enum, (*path, 4, i), f"{name}.", out)


def write_enum(contracts, file, enum, path, prefix, out):
    out += ["", f"## {prefix}{enum.name}", ""]
    for text in paragraphs(contracts.comment(file, *path)):
        out += [text, ""]
    out += ["| value | meaning |", "|---|---|"]
    for i, value in enumerate(enum.value):
        out.append(f"| {value.number} `{value.name}` "
                   f"| {cell(contracts.comment(file, *path, 2, i))} |")


def write_package(contracts, package):
    out = [f"# {package}", "",
           "Messages and enums; what they are for is told by the methods in "
           "[README.md](../README.md). Written by tools/protodoc."]
    for file in sorted(contracts.own, key=lambda one: one.name):
        if file.package != package:
            continue
        entries = [(message.name, (4, i), message) for i, message in enumerate(file.message_type)]
        enums = [(enum.name, (5, i), enum) for i, enum in enumerate(file.enum_type)]
        for _, path, message in entries:
            write_message(contracts, file, message, path, "", out)
        for _, path, enum in enums:
            write_enum(contracts, file, enum, path, "", out)
    return "\n".join(out) + "\n"


def render(contracts):
    """Paths below protos/, and what they say."""
    pages = {"README.md": write_readme(contracts)}
    for package in contracts.packages:
        pages[f"reference/{package}.md"] = write_package(contracts, package)
    return pages


def main(words):
    check = words[:1] == ["--check"]
    if len(words) != 2 + check:
        sys.exit(__doc__)
    encoded, out = words[check:]
    out = pathlib.Path(out)
    stale = []
    for path, text in render(Contracts(pathlib.Path(encoded).read_bytes())).items():
        if check:
            if not (out / path).exists() or (out / path).read_text() != text:
                stale.append(str(out / path))
        else:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_text(text)
    if stale:
        sys.exit("not in step with the protos: " + ", ".join(stale)
                 + "; write them anew with tests/protos/run --write")


if __name__ == "__main__":
    main(sys.argv[1:])
