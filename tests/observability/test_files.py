"""Dashboards, rules, runbooks and names agree, without anything running."""
import json
import re
import unittest

import files


class FilesTest(unittest.TestCase):
    def test_every_metric_asked_for_is_one_of_ours(self):
        declared = files.declared()
        self.assertGreater(len(declared), 50)
        self.assertEqual(files.used() - files.OF_PROMETHEUS - set(declared), set())

    def test_every_metric_of_ours_is_in_a_dashboard_or_a_rule(self):
        self.assertEqual(set(files.declared()) - files.used(), set())

    def test_every_label_asked_for_is_one_of_the_metrics(self):
        of_targets = {"namespace", "job", "instance", "le"}
        declared = files.declared()
        queries = [rule["expr"] for _, rule in files.rules()]
        queries += [query for _, _, panel in files.panels() for query in panel]
        looked_at = 0
        for query in queries:
            for name, matchers in re.findall(r"\b((?:rapport|process)_\w+)\{([^}]*)\}", query):
                name = re.sub(r"_(bucket|count|sum)$", "", name)
                labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', matchers)))
                looked_at += len(labels)
                self.assertEqual(labels - declared[name] - of_targets, set(), query)
            known = set.union(of_targets, *(declared[name] for name in
                                            files.metrics_in(query) - files.OF_PROMETHEUS))
            for labels in re.findall(r"\bby \(([^)]*)\)", query):
                asked = set(labels.replace(" ", "").split(","))
                if not files.recorded_in(query):
                    self.assertEqual(asked - known, set(), query)
        self.assertGreater(looked_at, 50)

    def test_every_recorded_series_that_is_asked_for_is_recorded(self):
        recorded = {rule["record"] for _, rule in files.rules() if "record" in rule}
        self.assertGreater(len(recorded), 10)
        asked = set()
        for _, rule in files.rules():
            asked |= files.recorded_in(rule["expr"])
        for _, _, queries in files.panels():
            for query in queries:
                asked |= files.recorded_in(query)
        self.assertEqual(asked - recorded, set())

    def test_every_alert_says_what_and_links_a_runbook_that_says_the_rest(self):
        alerts = [rule for _, rule in files.rules() if "alert" in rule]
        names = [rule["alert"] for rule in alerts]
        self.assertGreater(len(names), 30)
        self.assertEqual(len(set(names)), len(names))
        for rule in alerts:
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("page", "ticket"))
                self.assertTrue(rule["annotations"]["summary"])
                self.assertTrue(rule["annotations"]["description"])
                link = f"deploy/runbooks/{rule['alert'].lower()}.md"
                self.assertEqual(rule["annotations"]["runbook_url"], link)
                text = (files.ROOT / link).read_text()
                self.assertEqual(re.findall(r"^##? (.*)$", text, re.M),
                                 [rule["alert"], "What it means", "How to see", "How to mend",
                                  "When to wake whom"])
                for part in re.split(r"^## .*$", text, flags=re.M)[1:]:
                    self.assertTrue(part.strip())
        runbooks = {path.stem for path in files.RUNBOOKS.glob("*.md")} - {"README"}
        planned = {name for name in runbooks if "-" in name}  # of what is done without an alert
        self.assertEqual(runbooks - planned, {name.lower() for name in names})
        index = (files.RUNBOOKS / "README.md").read_text()
        self.assertEqual(set(re.findall(r"^\| \[(\w+)\]", index, re.M)), set(names))
        self.assertEqual(planned - set(re.findall(r"\]\(([\w-]+)\.md\)", index)), set())

    def test_runbooks_ask_for_what_there_is_and_link_what_there_is(self):
        declared = set(files.declared()) | files.OF_PROMETHEUS
        for path in sorted(files.RUNBOOKS.glob("*.md")):
            with self.subTest(path.name):
                text = path.read_text()
                # Names of roles and settings begin alike.
                asked = {name for name in files.metrics_in(text)
                         if name not in ("rapport_app", "rapport_feed", "rapport_owner")}
                self.assertEqual(asked - declared, set())
                for link in re.findall(r"\]\(([\w-]+\.md)\)", text):
                    self.assertTrue((files.RUNBOOKS / link).exists(), link)

    def test_dashboards_are_whole(self):
        titles = {}
        for path in sorted(files.DASHBOARDS.glob("*.json")):
            board = json.loads(path.read_text())
            with self.subTest(path.name):
                self.assertEqual(board["uid"], path.stem)
                ids = [panel["id"] for panel in board["panels"]]
                self.assertEqual(len(set(ids)), len(ids))
                for panel in board["panels"]:
                    place = panel["gridPos"]
                    self.assertLessEqual(place["x"] + place["w"], 24)
            titles[board["title"]] = path
        self.assertEqual(len(titles), 4)


if __name__ == "__main__":
    unittest.main()
