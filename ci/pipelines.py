#!/usr/bin/env python3
"""Runs the example pipelines with the runners of the forges, against a simulated organization.

GitHub's workflows run in act, with the real gh against a stand-in of the API of GitHub; GitLab's component runs in
gitlab-ci-local, where node is installed. Actions that need GitHub itself (checkout and artifacts) have stand-ins.
Metrics are read by the parser of a client library, and manifests of the documentation compared with published schemas.

usage: ci/pipelines.py DECTL
"""

import http.server
import json
import os
import pathlib
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading

import kubernetes_validate
import yaml
from prometheus_client.openmetrics import parser as openmetrics

ROOT = pathlib.Path(__file__).resolve().parent.parent
GITLAB_CI_LOCAL = "gitlab-ci-local@4.65.0"

CHECKOUT = 'cp -R "$STAND_IN_REPOSITORY/." .'
UPLOAD = """
rm -rf "$STAND_IN_ARTIFACTS/$NAME"; mkdir -p "$STAND_IN_ARTIFACTS/$NAME"
if [ -d "$FILES" ]; then cp -R "$FILES/." "$STAND_IN_ARTIFACTS/$NAME/"; else cp "$FILES" "$STAND_IN_ARTIFACTS/$NAME/"; fi
"""
DOWNLOAD = 'mkdir -p "$FILES"; cp -R "$STAND_IN_ARTIFACTS/$NAME/." "$FILES/"'
STAND_INS = {
    "actions/checkout": CHECKOUT,
    "actions/upload-artifact": UPLOAD,
    "actions/download-artifact": DOWNLOAD,
    "your-organization/dectl": 'echo "$STAND_IN_TOOLS" >> "$GITHUB_PATH"',
}


def only(words, value):
    """What of an answer is named in its query."""
    if isinstance(value, list):
        return [only(words, item) for item in value]
    if isinstance(value, dict):
        return {name: only(words, item) for name, item in value.items() if name in words}
    return value


class Forge:
    """As much of the API of GitHub as the workflows ask for: comments of a pull request, issues, labels."""

    def __init__(self):
        self.comments = {}
        self.issues = {}
        self.labels = {}

    def answer(self, method, path, body):
        path = path.split("?")[0]
        if path == "/graphql":
            # gh takes nothing that it has not asked for.
            words = set(re.findall(r"\w+", body["query"]))
            return {"data": only(words, self.graphql(body["query"], body.get("variables", {})))}
        if method == "GET" and path.endswith("/issues/17/comments"):
            return [{"id": number, "body": text} for number, text in self.comments.items()]
        if method == "PATCH" and (found := re.search(r"/issues/comments/(\d+)$", path)):
            self.comments[int(found[1])] = body["body"]
            return {"id": int(found[1])}
        if method == "POST" and path.endswith("/labels"):
            self.labels[body["name"]] = body
            return body
        if method == "GET" and path.endswith("/labels"):
            return list(self.labels.values())
        raise KeyError(f"{method} {path}")

    def graphql(self, query, variables):
        issue = lambda number: {"__typename": "Issue", "id": f"I{number}", "number": number, "url": f"https://x/{number}",
                                "stateReason": "", **self.issues[number]}
        page = {"hasNextPage": False, "endCursor": None}
        if "pullRequest(number" in query:
            return {"repository": {"pullRequest": {"id": "P17", "number": 17, "url": "https://x/17"}}}
        if "addComment" in query:
            number = 4711 + len(self.comments)
            self.comments[number] = variables["input"]["body"]
            return {"addComment": {"commentEdge": {"node": {"url": f"https://x/{number}"}}}}
        if "enumValues" in query:
            return {"SearchType": {"enumValues": [{"name": "ISSUE"}]}}
        if "search(" in query:
            nodes = [issue(number) for number, one in self.issues.items() if one["state"] == "OPEN"]
            return {"repository": {"hasIssuesEnabled": True},
                    "search": {"issueCount": len(nodes), "nodes": nodes, "pageInfo": page}}
        if "labels(" in query and "issueOrPullRequest" not in query:
            nodes = [{"id": f"L-{name}", "name": name, "color": "x"} for name in self.labels]
            return {"repository": {"labels": {"nodes": nodes, "pageInfo": page}}}
        if "createIssue" in query:
            number = len(self.issues) + 1
            given = variables["input"]
            self.issues[number] = {"title": given["title"], "body": given["body"], "state": "OPEN",
                                   "labels": given.get("labelIds")}
            return {"createIssue": {"issue": {"id": f"I{number}", "url": f"https://x/{number}"}}}
        if "updateIssue" in query:
            given = variables["input"] if "input" in variables else variables
            self.issues[int(given["id"][1:])]["body"] = given["body"]
            return {"updateIssue": {"__typename": "", "issue": {"id": given["id"]}}}
        if "closeIssue" in query:
            self.issues[int(variables["input"]["issueId"][1:])]["state"] = "CLOSED"
            return {"closeIssue": {"issue": {"id": variables["input"]["issueId"]}}}
        if "issueOrPullRequest" in query:
            return {"repository": {"hasIssuesEnabled": True, "issue": issue(variables["number"])}}
        repository = {"id": "R", "databaseId": 1, "name": "sites", "owner": {"login": "acme"}, "hasIssuesEnabled": True,
                      "viewerPermission": "WRITE", "defaultBranchRef": {"name": "main"}, "isPrivate": True, "parent": None}
        if "RepositoryNetwork" in query:
            return {"viewer": {"login": "ci"}, "repo_000": repository}
        if "repository(" in query:
            return {"repository": repository}
        if "__type" in query:
            return {name: {"fields": []} for name in re.findall(r"(\w+): ?__type", query)}
        raise KeyError(query)

    def serve(self, path):
        forge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def address_string(self):
                return "gh"

            def log_message(self, *_):
                pass

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    status, answer = 200, forge.answer(self.command, self.path, json.loads(body or b"{}"))
                except Exception as error:  # What is not known is said, so that it is seen in the log of the step.
                    status, answer = 500, {"message": f"the stand-in does not know {error!r}"}
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = handle_any

        server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Simulator:
    """A simulated organization that listens."""

    def __init__(self, dectl):
        self.process = subprocess.Popen([dectl, "simulate"], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"WEBEX_API_URL=(\S+)", line):
                self.url = found[1]
                return
        raise SystemExit("the simulator did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def git(directory, *arguments):
    identity = ["-c", "user.name=ci", "-c", "user.email=ci@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, stdout=subprocess.DEVNULL)


def repository(directory):
    """A repository of sites: the example."""
    (directory / "sites/codes").mkdir(parents=True)
    shutil.copy(ROOT / "examples/networks.yaml", directory / "sites")
    shutil.copy(ROOT / "examples/codes/hq-ward-2", directory / "sites/codes")


def expect(condition, what, log=""):
    if not condition:
        print(log, file=sys.stderr)
        raise SystemExit(f"FAILED: {what}")
    print(f"  {what}")


def github(work, dectl):
    print("GitHub, with act and gh")
    sites, tools, artifacts = work / "sites", work / "tools", work / "artifacts"
    repository(sites)
    shutil.copytree(ROOT / "examples/pipelines/github", sites / ".github/workflows")
    git(sites, "init", "--quiet", "--initial-branch=main")
    git(sites, "add", "--all")
    git(sites, "commit", "--quiet", "--message=sites")
    git(sites, "remote", "add", "origin", "https://github.com/acme/sites.git")
    tools.mkdir()
    (tools / "dectl").symlink_to(dectl)
    artifacts.mkdir()
    workflows = "".join(path.read_text() for path in (sites / ".github/workflows").iterdir())
    options = []
    for name, script in STAND_INS.items():
        directory = work / "actions" / name.split("/")[1]
        directory.mkdir(parents=True)
        inputs = {one: {"default": ""} for one in ["name", "retention-days", "include-hidden-files", "persist-credentials", "run-id", "github-token"]}
        step = {"shell": "bash", "run": script, "env": {"NAME": "${{ inputs.name }}", "FILES": "${{ inputs.path }}"}}
        action = {"name": name, "inputs": {**inputs, "path": {"default": "."}}, "runs": {"using": "composite", "steps": [step]}}
        (directory / "action.yml").write_text(json.dumps(action))
        git(directory, "init", "--quiet", "--initial-branch=main")
        git(directory, "add", "--all")
        git(directory, "commit", "--quiet", "--message=stand-in")
        for pin in set(re.findall(re.escape(name) + r"@([\w.]+)", workflows)):
            options += ["--local-repository", f"{name}@{pin}={directory}"]
    (work / "secrets").write_text("SERVICE_APP_CLIENT_ID=simulated-client\nSERVICE_APP_CLIENT_SECRET=simulated-secret\n"
                                  "SERVICE_APP_REFRESH_TOKEN=simulated-refresh-token\nDECTL_PLAN_KEY=the key of the pipelines\n"
                                  "GITHUB_TOKEN=stand-in\n")
    event = {"pull_request": {"number": 17, "head": {"ref": "change", "repo": {"full_name": "acme/sites"}}, "base": {"ref": "main"}},
             "repository": {"full_name": "acme/sites", "default_branch": "main"}}
    (work / "event.json").write_text(json.dumps(event))
    forge, simulator = Forge(), Simulator(dectl)
    forge.serve(work / "gh.sock")
    (work / "gh").mkdir()
    (work / "gh/config.yml").write_text(f"version: 1\nhttp_unix_socket: {work / 'gh.sock'}\n")
    environment = {"STAND_IN_REPOSITORY": sites, "STAND_IN_ARTIFACTS": artifacts, "STAND_IN_TOOLS": tools,
                   "WEBEX_API_URL": simulator.url, "GH_CONFIG_DIR": work / "gh"}
    variables = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]

    def run(kind, workflow, fails=False):
        # act knows neither environments nor approvals, and `deployment: false` of an environment not at all.
        path = sites / ".github/workflows" / workflow
        text = re.sub(r"environment:\n( +)name: (.*)\n\1deployment: false", r"environment: \2", path.read_text())
        path.write_text(text)
        command = ["act", kind, "--workflows", path, "--platform", "ubuntu-latest=-self-hosted", "--action-offline-mode",
                   "--secret-file", work / "secrets", "--eventpath", work / "event.json", *options, *variables]
        ended = subprocess.run(command, cwd=sites, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, "XDG_CACHE_HOME": str(work / "cache")})
        log = ended.stdout
        expect((ended.returncode != 0) == fails, f"{workflow}: {'fails' if fails else 'succeeds'}", log)
        return log

    try:
        log = run("pull_request", "plan.yml")
        expect("9 to update" in "".join(forge.comments.values()), "the pull request has a comment with the plan", log)
        run("pull_request", "plan.yml")
        expect(len(forge.comments) == 1, "the comment is updated, not repeated", log)
        log = run("schedule", "drift.yml")
        expect([one["state"] for one in forge.issues.values()] == ["OPEN"], "drift opens one issue", log)
        log = run("push", "apply.yml")
        expect("9 applied" in log and (artifacts / "journal").is_dir(), "the merge is applied, and its journal kept", log)
        log = run("schedule", "drift.yml")
        expect([one["state"] for one in forge.issues.values()] == ["CLOSED"], "the issue is closed", log)
        log = run("push", "apply.yml")
        expect("nothing to do" in log, "a second merge has nothing to do", log)
        log = run("workflow_dispatch", "undo.yml")
        expect("9 applied" in log, "the apply is undone", log)
        file = sites / "sites/networks.yaml"
        file.write_text(file.read_text().replace("Oslo HQ", "Olso HQ"))
        run("pull_request", "plan.yml", fails=True)
        expect("Oslo HQ" in "".join(forge.comments.values()), "a wrong file fails the job and is explained in the comment")
    finally:
        simulator.stop()


def gitlab(work, dectl):
    print("GitLab, with gitlab-ci-local")
    npm, rsync = shutil.which("npm"), shutil.which("rsync")
    if not npm or not rsync:
        return print(f"  skipped: {'npm' if not npm else 'rsync'} is not installed")
    runner = work / "runner"
    installed = subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", runner, GITLAB_CI_LOCAL])
    if installed.returncode != 0:
        return print("  skipped: gitlab-ci-local cannot be installed")
    sites = work / "sites"
    repository(sites)
    # Its schema does not know `access: maintainer` of artifacts, which GitLab has had since 2025.
    component = (ROOT / "examples/pipelines/gitlab/templates/dectl.yml").read_text()
    component = re.sub(r"\n +access: maintainer", "", component)
    component = re.sub(r"  image:\n    name: .*\n    entrypoint: .*\n", "  variables: { LOCAL: 'yes' }\n", component)
    (sites / "templates").mkdir()
    (sites / "templates/dectl.yml").write_text(component)
    (sites / ".gitlab-ci.yml").write_text((ROOT / "examples/pipelines/gitlab/.gitlab-ci.yml").read_text())
    (sites / ".gitignore").write_text(".gitlab-ci-local\n")
    git(sites, "init", "--quiet", "--initial-branch=main")
    git(sites, "add", "--all")
    git(sites, "commit", "--quiet", "--message=sites")
    git(sites, "remote", "add", "origin", "https://gitlab.com/acme/sites.git")
    simulator = Simulator(dectl)
    tools = work / "tools"
    tools.mkdir()
    (tools / "dectl").symlink_to(dectl)

    def run(*jobs, manual=()):
        variables = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "DECTL_PLAN_KEY": "the key of the pipelines",
                     "WEBEX_API_URL": simulator.url, "WEBEX_ACCESS_TOKEN": "simulated-token"}
        command = [runner / "node_modules/.bin/gitlab-ci-local", "--force-shell-executor", "--shell-isolation",
                   *[part for job in manual for part in ("--manual", job)],
                   *[part for name, value in variables.items() for part in ("--variable", f"{name}={value}")], *jobs]
        ended = subprocess.run(command, cwd=sites, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
        return ended.returncode, ended.stdout

    try:
        code, log = run("validate", "plan", "apply", manual=["apply"])
        expect(code == 0, "validate, plan and apply succeed", log)
        expect("9 to update" in log, "the plan is in the log", log)
        code, log = run("drift")
        expect(code == 0, "nothing has drifted", log)
        code, log = run("undo-plan", "undo", manual=["undo-plan", "undo"])
        expect(code == 0, "the apply is undone", log)
        code, log = run("drift")
        expect(code != 0, "drift fails the pipeline", log)
    finally:
        simulator.stop()


def metrics(work, dectl):
    print("Metrics, with the parser of prometheus_client")
    repository(work)
    simulator = Simulator(dectl)
    environment = {**os.environ, "WEBEX_API_URL": simulator.url, "WEBEX_ACCESS_TOKEN": "simulated-token"}

    def read(*arguments):
        subprocess.run([dectl, *arguments, "sites", "--journal", "journal", "--metrics", "metrics.prom"], cwd=work, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        families = openmetrics.text_string_to_metric_families((work / "metrics.prom").read_text())
        return {family.name: family for family in families}

    def sum_of(family, **labels):
        return sum(one.value for one in family.samples if labels.items() <= one.labels.items())

    try:
        expect(sum_of(read("status")["dectl_networks"], state="drifted") > 0, "status: networks have drifted")
        expect(sum_of(read("apply", "--yes")["dectl_apply_changes"], status="applied") == 9, "apply: nine changes")
        expect(sum_of(read("status")["dectl_networks"], state="drifted") == 0, "status: nothing has drifted")
    finally:
        simulator.stop()


def manifests(_work, _dectl):
    print("Manifests, with the schemas of Kubernetes")
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/scale.md").read_text(), re.DOTALL)
    jobs = [manifest for manifest in map(yaml.safe_load, blocks) if manifest.get("kind") == "Job"]
    for job in jobs:
        kubernetes_validate.validate(job, "1.37", strict=True)
    expect(len(jobs) == 1, "docs/scale.md: the job is valid")


def main():
    dectl = pathlib.Path(sys.argv[1]).resolve()
    for pipelines in (github, gitlab, metrics, manifests):
        with tempfile.TemporaryDirectory(prefix="dectl-pipelines-") as work:
            pipelines(pathlib.Path(work), dectl)


if __name__ == "__main__":
    main()
