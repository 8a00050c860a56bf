//! The pipelines of `examples/pipelines` and docs/gitops.md: their very commands are run, against the simulator.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dectl::simulator::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN};
use serde_json::{Value, json};

use crate::harness::{TestEnv, copy_example, skipped};

fn pipelines() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pipelines")
}

fn read(name: &str) -> Value {
    let text = fs::read_to_string(pipelines().join(name)).expect("a pipeline");
    serde_yaml::from_str(&text).expect("YAML")
}

/// A forge: runs the jobs of a workflow one after the other, keeps artefacts, and notes what `gh` is told.
struct Forge {
    env: TestEnv,
    artefacts: PathBuf,
    tools: PathBuf,
    /// What somebody has filled in who starts a workflow by hand.
    inputs: BTreeMap<String, String>,
}

/// A `gh` that notes what it is told, answers from files, and knows a label only after it was made.
const GH: &str = r#"#!/bin/sh
echo "$@" >> "$GH_FOLDER/gh.log"
case "$*" in
  "issue list"*) cat "$GH_FOLDER/issues" ;;
  "label create dect-drift --force"*) echo dect-drift >> "$GH_FOLDER/labels" ;;
  "issue create"*--label\ dect-drift*) grep -q dect-drift "$GH_FOLDER/labels" || { echo "could not add label" >&2; exit 1; } ;;
  "api --paginate"*) cat "$GH_FOLDER/comments" ;;
esac
"#;

/// A `curl` that notes its arguments, its configuration and the message.
const CURL: &str = r#"#!/bin/sh
{ echo "$@"; cat; cat message.md; } >> "$GH_FOLDER/curl.log"
"#;

/// What a step has left.
type Outputs = BTreeMap<String, String>;

impl Forge {
    fn new() -> Self {
        let env = TestEnv::new();
        let root = env.dir.path().to_path_buf();
        let (artefacts, tools) = (root.join("artefacts"), root.join("tools"));
        fs::create_dir_all(&artefacts).expect("a directory");
        fs::create_dir_all(&tools).expect("a directory");
        fs::write(tools.join("gh"), GH).expect("a file");
        fs::set_permissions(tools.join("gh"), fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::write(tools.join("curl"), CURL).expect("a file");
        fs::set_permissions(tools.join("curl"), fs::Permissions::from_mode(0o755)).expect("a mode");
        for name in ["issues", "comments", "labels"] {
            fs::write(root.join(name), "").expect("a file");
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dectl"), tools.join("dectl")).expect("a link");
        copy_example(&env);
        fs::create_dir_all(root.join("repository/sites/codes")).expect("a directory");
        for name in ["networks.yaml", "codes/hq-ward-2"] {
            fs::rename(root.join(name), root.join("repository/sites").join(name)).expect("it was there");
        }
        Self { env, artefacts, tools, inputs: [("max-deletes".to_owned(), "0".to_owned())].into() }
    }

    fn root(&self) -> &Path {
        self.env.dir.path()
    }

    fn told_gh(&self) -> String {
        fs::read_to_string(self.root().join("gh.log")).unwrap_or_default()
    }

    /// Runs a workflow that must succeed; the summary of all its jobs.
    fn run(&self, workflow: &str) -> String {
        self.try_run(workflow).unwrap_or_else(|failed| panic!("{failed}"))
    }

    /// Runs a workflow until a step fails: then what it was, and what it said.
    fn try_run(&self, workflow: &str) -> Result<String, String> {
        let workflow = read(&format!("github/{workflow}"));
        let summary = self.root().join("summary");
        fs::write(&summary, "").expect("a file");
        let mut jobs: Vec<(String, Value)> = Vec::new();
        for (name, job) in workflow["jobs"].as_object().expect("jobs") {
            jobs.push((name.clone(), job.clone()));
        }
        // A job runs after the jobs it needs.
        jobs.sort_by_key(|(_, job)| !job["needs"].is_null());
        let mut needs: BTreeMap<String, Outputs> = BTreeMap::new();
        for (name, job) in jobs {
            if !holds(&job["if"], &needs, &BTreeMap::new()) {
                continue;
            }
            let workspace = self.root().join(format!("workspace-{name}"));
            let _none = fs::remove_dir_all(&workspace);
            fs::create_dir_all(&workspace).expect("a directory");
            let mut steps: BTreeMap<String, Outputs> = BTreeMap::new();
            for step in job["steps"].as_array().expect("steps") {
                if holds(&step["if"], &needs, &steps) {
                    let outputs = self.step(step, &workspace, &steps)?;
                    if let Some(id) = step["id"].as_str() {
                        steps.insert(id.to_owned(), outputs);
                    }
                }
            }
            needs.insert(name, steps.into_values().flatten().collect());
        }
        Ok(fs::read_to_string(summary).expect("the summary"))
    }

    fn step(&self, step: &Value, workspace: &Path, steps: &BTreeMap<String, Outputs>) -> Result<Outputs, String> {
        if let Some(action) = step["uses"].as_str() {
            self.action(action, &step["with"], workspace);
            return Ok(Outputs::new());
        }
        let output = self.root().join("output");
        fs::write(&output, "").expect("a file");
        let script = step["run"].as_str().expect("a command");
        // Untrusted text must not become part of a script.
        assert!(!script.contains("${{"), "{script}");
        let inputs = step["env"].as_object().into_iter().flatten().filter_map(|(name, value)| {
            let input = value.as_str()?.strip_prefix("${{ inputs.")?.strip_suffix(" }}")?;
            let (input, default) = input.split_once(" || ").unwrap_or((input, "''"));
            let given = self.inputs.get(input).map_or_else(|| default.trim_matches('\''), String::as_str);
            Some((name.as_str(), given))
        });
        let outputs = step["env"].as_object().into_iter().flatten().filter_map(|(name, value)| {
            let expression = value.as_str()?.strip_prefix("${{ steps.")?.strip_suffix(" }}")?;
            let (id, output) = expression.split_once(".outputs.")?;
            Some((name.as_str(), steps.get(id)?.get(output)?.as_str()))
        });
        let ended = self.shell(script, workspace, &output, inputs.chain(outputs));
        if !ended.status.success() {
            return Err(format!("{script}\n{}", String::from_utf8_lossy(&ended.stderr)));
        }
        let text = fs::read_to_string(output).expect("the output");
        let outputs = text.lines().filter_map(|line| line.split_once('='));
        Ok(outputs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    fn shell<'a>(
        &self,
        script: &str,
        workspace: &Path,
        output: &Path,
        environment: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Output {
        let path = format!("{}:{}", self.tools.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("bash");
        command.args(["-e", "-o", "pipefail", "-c", script]).current_dir(workspace).env_clear();
        command
            .env("PATH", path)
            .env("WEBEX_API_URL", format!("http://{}/v1", self.env.address()))
            .env("SERVICE_APP_CLIENT_ID", CLIENT_ID)
            .env("SERVICE_APP_CLIENT_SECRET", CLIENT_SECRET)
            .env("SERVICE_APP_REFRESH_TOKEN", REFRESH_TOKEN)
            .env("DECTL_PLAN_KEY", "the key of this pipeline")
            .env("PULL_REQUEST", "17")
            .env("RUNNER_TEMP", self.root())
            .env("GITHUB_OUTPUT", output)
            .env("GITHUB_STEP_SUMMARY", self.root().join("summary"))
            .env("GH_FOLDER", self.root())
            .env("WEBEX_SPACE", "the-space")
            .env("WEBEX_BOT_TOKEN", "the-bot")
            .envs(environment);
        command.output().expect("bash runs")
    }

    fn action(&self, action: &str, with: &Value, workspace: &Path) {
        let copy = |from: &Path, to: &Path| {
            let copied = Command::new("cp").arg("-R").args([from, to]).status().expect("cp runs");
            assert!(copied.success(), "{} to {}", from.display(), to.display());
        };
        let text = |name: &str| with[name].as_str();
        // Pinned by hash, but for the action that everyone has a copy of.
        let (name, pin) = action.split_once('@').expect("a version");
        let is_hash = pin.len() == 40 && pin.chars().all(|c| c.is_ascii_hexdigit());
        assert!(is_hash || name.starts_with("your-organization/"), "{action}");
        match name {
            "actions/checkout" => copy(&self.root().join("repository/."), workspace),
            "your-organization/dectl" => {}
            "actions/upload-artifact" => {
                let path = workspace.join(text("path").expect("a path"));
                let kept = self.artefacts.join(text("name").expect("a name"));
                let _none = fs::remove_dir_all(&kept);
                fs::create_dir_all(&kept).expect("a directory");
                let contents = if path.is_dir() { path.join(".") } else { path };
                copy(&contents, &kept);
            }
            "actions/download-artifact" => {
                let target = workspace.join(text("path").unwrap_or("."));
                fs::create_dir_all(&target).expect("a directory");
                copy(&self.artefacts.join(text("name").expect("a name")).join("."), &target);
            }
            other => panic!("what is {other}?"),
        }
    }
}

/// The few conditions that these workflows have.
fn holds(condition: &Value, needs: &BTreeMap<String, Outputs>, steps: &BTreeMap<String, Outputs>) -> bool {
    let Some(condition) = condition.as_str().filter(|condition| *condition != "always()") else { return true };
    let (left, right) = condition.split_once(" == ").expect("a comparison");
    if left.starts_with("github.event.pull_request.head.repo") {
        // This pull request comes from the repository itself.
        return true;
    }
    let parts: Vec<&str> = left.split('.').collect();
    let [scope, id, "outputs", name] = parts[..] else { panic!("what is {left}?") };
    let outputs = if scope == "needs" { needs.get(id) } else { steps.get(id) };
    outputs.and_then(|outputs| outputs.get(name)).is_some_and(|value| value == right.trim_matches('\''))
}

#[test]
fn a_pull_request_gets_a_comment_that_updates_itself() {
    let forge = Forge::new();
    let summary = forge.run("plan.yml");
    assert!(summary.contains("9 to update"), "{summary}");
    assert!(forge.told_gh().ends_with("pr comment 17 --body-file plan.md\n"), "{}", forge.told_gh());
    // Found among other comments by its first line.
    fs::write(forge.root().join("comments"), "4711\n4712\n").expect("a file");
    forge.run("plan.yml");
    let patch = "api --silent --method PATCH repos/{owner}/{repo}/issues/comments/4711 --field body=@plan.md\n";
    assert!(forge.told_gh().ends_with(patch), "{}", forge.told_gh());
    let comment = fs::read_to_string(forge.root().join("workspace-plan/plan.md")).expect("the comment");
    assert!(comment.starts_with("<!-- dectl plan -->\n"), "{comment}");
    assert!(forge.told_gh().contains("startswith(\"<!-- dectl plan -->\")"), "{}", forge.told_gh());
    assert_eq!(forge.env.counters().writes, 0);
}

#[test]
fn a_failed_plan_is_commented_and_fails_the_job() {
    let forge = Forge::new();
    let file = forge.root().join("repository/sites/networks.yaml");
    let text = fs::read_to_string(&file).expect("the file").replace("Oslo HQ", "Olso HQ");
    fs::write(&file, text).expect("a file");
    let failed = forge.try_run("plan.yml").expect_err("it fails");
    assert!(failed.starts_with("exit \"$CODE\""), "{failed}");
    let comment = fs::read_to_string(forge.root().join("workspace-plan/plan.md")).expect("the comment");
    assert!(comment.contains("Oslo HQ"), "did you mean: {comment}");
    assert!(forge.told_gh().contains("pr comment"), "{}", forge.told_gh());
}

#[test]
fn a_merge_applies_the_approved_encrypted_plan_and_can_be_undone() {
    let forge = Forge::new();
    let summary = forge.run("apply.yml");
    assert!(summary.contains("9 applied"), "{summary}");
    assert_eq!(forge.env.counters().writes, 9);
    let posted = fs::read_to_string(forge.root().join("curl.log")).expect("a message");
    assert!(posted.contains("roomId=the-space") && posted.contains("9 applied"), "{posted}");
    assert!(posted.contains("header = \"Authorization: Bearer the-bot\""), "not among the arguments: {posted}");
    let sealed = fs::read(forge.artefacts.join("plan/plan.age")).expect("the plan");
    assert!(!sealed.windows(4).any(|window| window == b"1201"), "a code is in the clear");
    // Nothing to do: no plan is saved, no approval is requested.
    let summary = forge.run("apply.yml");
    assert!(summary.contains("nothing to do") && !summary.contains("applied"), "{summary}");
    assert_eq!(forge.env.counters().writes, 9);
    let summary = forge.run("undo.yml");
    let (plan, result) = summary.split_once("### dectl apply").expect("a plan, and then a result");
    assert!(plan.contains("9 to update") && result.contains("9 applied"), "{summary}");
    assert_eq!(forge.env.counters().writes, 18);
    // The journal that the undo has kept says that it was the undo.
    assert!(forge.try_run("undo.yml").is_err_and(|error| error.contains("is already undone by run")));
}

/// A pull request can change its own workflow, so its jobs must not hold what writes.
#[test]
fn a_pull_request_holds_no_secret_that_writes() {
    let environment = |job: &Value| match &job["environment"] {
        Value::Object(environment) => environment["name"].as_str().map(str::to_owned),
        environment => environment.as_str().map(str::to_owned),
    };
    let mut writers = Vec::new();
    for workflow in ["plan.yml", "apply.yml", "drift.yml", "undo.yml"] {
        let yaml = read(&format!("github/{workflow}"));
        assert_eq!(yaml["permissions"], serde_json::json!({}), "{workflow}: each job asks for what it needs");
        for (name, job) in yaml["jobs"].as_object().expect("jobs") {
            let text = job.to_string();
            assert_eq!(text.contains("secrets."), environment(job).is_some(), "{workflow}: secrets of an environment");
            if text.contains("dectl apply") {
                writers.push((workflow, name.clone(), environment(job)));
            } else {
                assert_ne!(environment(job).as_deref(), Some("dect"), "{workflow}: {name}");
            }
            let is_public = matches!(workflow, "plan.yml" | "drift.yml");
            assert!(!is_public || !text.contains("DECTL_PLAN_KEY"), "{workflow}: {name}");
        }
    }
    assert_eq!(writers.len(), 2);
    assert!(writers.iter().all(|(_, _, environment)| environment.as_deref() == Some("dect")), "{writers:?}");
}

#[test]
fn drift_opens_one_issue_updates_it_and_closes_it() {
    let forge = Forge::new();
    assert!(forge.run("drift.yml").contains("9 drifted"));
    assert!(forge.told_gh().contains("issue create --title DECT networks have drifted"), "{}", forge.told_gh());
    fs::write(forge.root().join("issues"), "4\n").expect("a file");
    forge.run("drift.yml");
    assert!(forge.told_gh().ends_with("issue edit 4 --body-file status.md\n"), "{}", forge.told_gh());
    forge.run("apply.yml");
    forge.run("drift.yml");
    assert!(forge.told_gh().contains("issue close 4"), "{}", forge.told_gh());
    fs::write(forge.root().join("issues"), "").expect("a file");
    let told = forge.told_gh();
    forge.run("drift.yml");
    assert_eq!(
        forge.told_gh().replace(&told, "").lines().count(),
        1,
        "it asks whether there is an issue, and that is all"
    );
}

/// The jobs of the component of GitLab with their defaults filled in.
fn component() -> Value {
    let text = fs::read_to_string(pipelines().join("gitlab/templates/dectl.yml")).expect("the component");
    let (spec, mut jobs) = text.split_once("\n---\n").map(|(spec, jobs)| (spec, jobs.to_owned())).expect("two parts");
    let spec: Value = serde_yaml::from_str(spec).expect("YAML");
    for (name, input) in spec["spec"]["inputs"].as_object().expect("inputs") {
        let value = match &input["default"] {
            Value::Null => "registry.example.com/dectl:0.1.0".to_owned(),
            Value::String(value) => value.clone(),
            value => value.to_string(),
        };
        assert!(input["description"].is_string() && jobs.contains(&format!("$[[ inputs.{name} ]]")), "{name}");
        jobs = jobs.replace(&format!("$[[ inputs.{name} ]]"), &value);
    }
    assert!(!jobs.contains("$[["), "an input that is not declared");
    serde_yaml::from_str(&jobs).expect("YAML")
}

#[test]
fn the_jobs_of_gitlab_run_too() {
    let forge = Forge::new();
    let pipeline = read("gitlab/.gitlab-ci.yml");
    assert_eq!(pipeline["include"][0]["local"], "templates/dectl.yml");
    let jobs = component();
    let workspace = forge.root().join("repository");
    let run = |job: &str, part: &str| {
        let lines = jobs[job][part].as_array().expect("a script");
        let script: Vec<&str> = lines.iter().map(|line| line.as_str().expect("a command")).collect();
        forge.shell(&script.join("\n"), &workspace, &forge.root().join("output"), std::iter::empty())
    };
    assert_eq!(run("drift", "script").status.code(), Some(2), "before");
    for job in ["validate", "preview", "plan", "apply", "drift"] {
        let ended = run(job, "script");
        assert!(ended.status.success(), "{job}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    assert!(run("validate", "after_script").status.success());
    assert_eq!(forge.env.counters().writes, 9);
    for (job, writes) in [("undo-plan", 9), ("undo", 18)] {
        let ended = run(job, "script");
        assert!(ended.status.success(), "{job}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(forge.env.counters().writes, writes, "{job}");
    }
    for stage in pipeline["stages"].as_array().expect("stages") {
        assert!(jobs[stage.as_str().expect("a name")].is_object(), "{stage}");
    }
    let mut kept = 0;
    for (name, job) in jobs.as_object().expect("jobs") {
        let artifacts = &job["artifacts"];
        let reports = artifacts["reports"].as_object().into_iter().flat_map(|reports| reports.values());
        for path in artifacts["paths"].as_array().into_iter().flatten().chain(reports) {
            let path = path.as_str().expect("a path");
            assert!(workspace.join(path).exists(), "{name} keeps {path}, which is not there");
            kept += 1;
        }
    }
    assert_eq!(kept, 7);
}

#[test]
fn the_steps_of_atlantis_run() {
    let forge = Forge::new();
    let server = read("atlantis/repos.yaml");
    let project = &read("atlantis/atlantis.yaml")["projects"][0];
    // What a pull request can change decides neither what runs nor who approves.
    assert!(project["workflow"].is_null() && project["apply_requirements"].is_null());
    let policy = &server["repos"][0];
    assert_eq!((&policy["allowed_overrides"], &policy["allow_custom_workflows"]), (&json!([]), &json!(false)));
    assert_eq!(policy["apply_requirements"][0], "approved");
    let workflow = &server["workflows"][policy["workflow"].as_str().expect("a workflow")];
    let workspace = forge.root().join("repository");
    let run = |script: &str, key: &str| {
        let environment = [("PLANFILE", "dect.tfplan"), ("DECTL_PLAN_KEY", key)].into_iter();
        forge.shell(script, &workspace, &forge.root().join("output"), environment)
    };
    for (stage, writes) in [("plan", 0), ("apply", 9)] {
        for step in workflow[stage]["steps"].as_array().expect("steps") {
            let ended = run(step["run"].as_str().expect("a command"), "the key of this server");
            assert!(ended.status.success(), "{stage}: {}", String::from_utf8_lossy(&ended.stderr));
        }
        assert_eq!(forge.env.counters().writes, writes, "{stage}");
    }
    let first = workflow["plan"]["steps"][0]["run"].as_str().expect("a command");
    assert!(!run(first, "").status.success(), "without a key");
}

#[test]
fn a_merge_that_deletes_needs_the_number_before_the_approval() {
    let forge = Forge::new();
    let list = forge.env.run(&["export", "-o", "json"]).json();
    let network = &list["dectNetworks"][0];
    let file = format!(
        "version: 1\nlocations: [{{ id: {}, networks: [{{ id: {}, state: absent }}] }}]\n",
        network["location"]["id"], network["id"]
    );
    fs::write(forge.root().join("repository/sites/networks.yaml"), file).expect("a file");
    let mut forge = forge;
    let refused = forge.try_run("apply.yml").expect_err("nothing says that it may");
    assert!(refused.contains("refusing to delete") && refused.contains("--max-deletes"), "{refused}");
    assert!(!forge.artefacts.join("plan").exists(), "there is nothing to approve");
    forge.inputs.insert("max-deletes".to_owned(), "99".to_owned());
    let summary = forge.run("apply.yml");
    assert!(summary.contains("1 applied") || summary.contains("applied"), "{summary}");
    assert_eq!(forge.env.counters().writes, 1);
}

#[test]
fn the_image_finds_the_archives_in_its_context() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| fs::read_to_string(root.join(name)).expect("a file");
    let copied: Vec<String> = text("Dockerfile")
        .lines()
        .filter(|line| line.starts_with("COPY ") && !line.contains("--from="))
        .filter_map(|line| line.split(' ').nth(1).map(str::to_owned))
        .collect();
    assert!(!copied.is_empty());
    let ignored = text(".dockerignore");
    for path in copied {
        assert!(ignored.lines().any(|line| line == format!("!{path}")), "{path} is not part of the context");
    }
}

/// The hook, as pre-commit itself runs it on a repository.
#[test]
fn pre_commit_validates_what_is_committed() {
    let runs =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|ended| ended.status.success());
    if !runs("pre-commit") || !runs("git") {
        skipped("there is no pre-commit");
        return;
    }
    let forge = Forge::new();
    let hooks = forge.root().join("hooks");
    fs::create_dir_all(&hooks).expect("a directory");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    fs::copy(manifest, hooks.join(".pre-commit-hooks.yaml")).expect("a copy");
    let repository = forge.root().join("repository");
    let shell = |script: &str, directory: &Path| {
        let home = forge.root().display().to_string();
        let environment = [("HOME", home.as_str()), ("PRE_COMMIT_HOME", home.as_str())].into_iter();
        forge.shell(script, directory, &forge.root().join("output"), environment)
    };
    let commit = "git init --quiet . && git add --all && \
                  git -c user.name=x -c user.email=x@example.com commit --quiet --message x";
    for directory in [&hooks, &repository] {
        let ended = shell(commit, directory);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let validate = "pre-commit try-repo ../hooks dectl-validate --all-files";
    let ended = shell(validate, &repository);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    fs::write(repository.join("sites/wrong.yaml"), "version: 1\nlocations: [{nam: x}]\n").expect("a file");
    assert!(shell("git add --all", &repository).status.success());
    let ended = shell(validate, &repository);
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(!ended.status.success() && said.contains("unknown-field"), "{said}");
}

/// The container commands of docs/scale.md, in a directory instead of a container.
#[test]
fn scale_page_manifests_run() {
    let forge = Forge::new();
    let root = forge.root().display().to_string();
    fs::rename(forge.root().join("repository/sites"), forge.root().join("acme")).expect("a directory");
    fs::write(forge.root().join("organizations.txt"), "nobody nothing\nY2lz acme\n").expect("a file");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md")).expect("the page");
    let documents: Vec<Value> = page
        .split("```yaml\n")
        .skip(1)
        .map(|block| serde_yaml::from_str(block.split("```").next().expect("a block")).expect("YAML"))
        .collect();
    let of_kind = |kind: &str| documents.iter().find(|document| document["kind"] == kind).expect("it is shown");
    let here = |text: &Value| {
        let text =
            text.as_str().expect("a text").replace("/desired", &root).replace("/journal", &format!("{root}/journal"));
        text.replace("{{inputs.parameters.files}}", "acme").replace("{{inputs.parameters.org}}", "Y2lz")
    };
    let run = |script: &str| {
        let index = [("JOB_COMPLETION_INDEX", "1")].into_iter();
        let ended = forge.shell(script, forge.root(), &forge.root().join("output"), index);
        assert!(ended.status.success(), "{script}\n{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).expect("text")
    };
    run(&here(&of_kind("Job")["spec"]["template"]["spec"]["containers"][0]["args"][0]));
    assert_eq!(forge.env.counters().writes, 9);
    assert!(forge.root().join("journal/Y2lz").is_dir(), "a journal for each organization");
    let container = &of_kind("Workflow")["spec"]["templates"][1]["container"];
    let words = container["command"].as_array().into_iter().chain(container["args"].as_array()).flatten();
    let said = run(&words.map(|word| format!("'{}'", here(word))).collect::<Vec<_>>().join(" "));
    assert!(said.contains("Nothing to do"), "{said}");
}

#[test]
fn every_workflow_can_be_read_and_leaves_expressions_out_of_its_scripts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("action.yml")];
    for dir in [root.join(".github/workflows"), pipelines().join("github")] {
        // A packaged crate has no .github.
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        files.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    for file in files {
        let text = fs::read_to_string(&file).expect("a file");
        let value: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let jobs = value["jobs"].as_object().into_iter().flat_map(|jobs| jobs.values());
        for step in jobs.chain([&value["runs"]]).flat_map(|job| job["steps"].as_array().into_iter().flatten()) {
            let run = step["run"].as_str().unwrap_or_default();
            assert!(!run.contains("${{"), "{}: {run}", file.display());
        }
    }
}

/// The composite action, with a release on this disk instead of a forge's.
#[cfg(target_os = "linux")]
struct Action {
    dir: tempfile::TempDir,
    script: String,
}

#[cfg(target_os = "linux")]
const ARCHIVE: &str = "dectl-x86_64-unknown-linux-musl.tar.gz";

#[cfg(target_os = "linux")]
impl Action {
    /// With a release of the version of this repository; `None` where there is no curl.
    fn new() -> Option<Self> {
        if Command::new("curl").arg("--version").output().is_err() {
            skipped("there is no curl");
            return None;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
        let action: Value = serde_yaml::from_str(&fs::read_to_string(path).expect("the action")).expect("YAML");
        let script = action["runs"]["steps"][0]["run"].as_str().expect("a script").to_owned();
        let dir = tempfile::tempdir().expect("a directory");
        let this = Self { dir, script };
        fs::create_dir_all(this.release()).expect("a directory");
        fs::create_dir_all(this.root().join("tools")).expect("a directory");
        fs::write(this.root().join("dectl"), "#!/bin/sh\necho here\n").expect("a file");
        // Attests what it was told to.
        let gh = "#!/bin/sh\necho \"$@\" >> \"$GH_LOG\"\n[ \"$GH_TOKEN\" = good ]\n";
        let tool = this.root().join("tools/gh");
        fs::write(&tool, gh).expect("a file");
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a mode");
        let release = this.release().display().to_string();
        let made = format!("tar -czf {release}/{ARCHIVE} dectl && cd {release} && sha256sum {ARCHIVE} > SHA256SUMS");
        assert!(Command::new("sh").args(["-c", &made]).current_dir(this.root()).status().expect("sh runs").success());
        Some(this)
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn release(&self) -> PathBuf {
        let version = env!("CARGO_PKG_VERSION");
        self.root().join(format!("acme/dectl/releases/download/v{version}"))
    }

    /// Runs the action as a runner does that has unpacked it at this name: a tag, a moving tag or a hash.
    fn install(&self, named: &str, inputs: &[(&str, &str)]) -> Output {
        let action = self.root().join("_actions/acme/dectl").join(named);
        fs::create_dir_all(&action).expect("a directory");
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        fs::copy(manifest, action.join("Cargo.toml")).expect("a copy");
        let temporary = self.root().join("temporary");
        let _none = fs::remove_dir_all(&temporary);
        fs::create_dir_all(&temporary).expect("a directory");
        let path = format!("{}:{}", self.root().join("tools").display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("bash");
        command.args(["-e", "-o", "pipefail", "-c", &self.script]).env("PATH", path);
        command
            .envs([("VERSION", ""), ("REPOSITORY", ""), ("ATTESTATION", "required"), ("GH_TOKEN", "good")])
            .env("SERVER", format!("file://{}", self.root().display()))
            .env("ACTION_REPOSITORY", "acme/dectl")
            .env("ACTION_PATH", &action)
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .env("RUNNER_TEMP", &temporary)
            .env("GITHUB_PATH", temporary.join("path"))
            .env("GH_LOG", self.root().join("gh.log"))
            .envs(inputs.iter().copied());
        command.output().expect("bash runs")
    }

    /// Whether something was put on the path.
    fn is_installed(&self) -> bool {
        let path = fs::read_to_string(self.root().join("temporary/path")).unwrap_or_default();
        !path.is_empty() && Path::new(path.trim()).join("dectl").exists()
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_action_installs_its_own_version_however_it_is_named() {
    let Some(action) = Action::new() else { return };
    let hash = "3d3c42e5aac5ba805825da76410c181273ba90b1";
    for named in [concat!("v", env!("CARGO_PKG_VERSION")), "v0", hash, "main"] {
        let ended = action.install(named, &[]);
        assert!(ended.status.success() && action.is_installed(), "{named}: {ended:?}");
    }
    let told = fs::read_to_string(action.root().join("gh.log")).expect("what gh was told");
    assert_eq!(told.lines().next(), Some(format!("attestation verify {ARCHIVE} --repo acme/dectl").as_str()));
    for version in [env!("CARGO_PKG_VERSION"), concat!("v", env!("CARGO_PKG_VERSION"))] {
        assert!(action.install(hash, &[("VERSION", version)]).status.success(), "{version}");
    }
    for inputs in [
        ("VERSION", "main"),
        ("VERSION", hash),
        ("VERSION", "v1"),
        ("VERSION", "../../x"),
        ("VERSION", "v0.1.0/../../x"),
        ("VERSION", "v9.9.9"),
        ("REPOSITORY", "acme"),
        ("REPOSITORY", "a/b/c"),
        ("ATTESTATION", "maybe"),
        ("RUNNER_ARCH", "RISCV64"),
    ] {
        let ended = action.install(hash, &[inputs]);
        assert!(!ended.status.success() && !action.is_installed(), "{inputs:?}: {ended:?}");
        assert!(String::from_utf8_lossy(&ended.stdout).contains("::error::"), "{inputs:?}: {ended:?}");
    }
    assert!(!action.install(hash, &[("ACTION_REPOSITORY", "")]).status.success(), "the releases are not known");
    assert!(action.install(hash, &[("ACTION_REPOSITORY", ""), ("REPOSITORY", "acme/dectl")]).status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn the_action_installs_only_what_matches_its_checksum_and_is_attested() {
    let Some(action) = Action::new() else { return };
    assert!(!action.install("v0", &[("GH_TOKEN", "bad")]).status.success() && !action.is_installed());
    assert!(action.install("v0", &[("GH_TOKEN", "bad"), ("ATTESTATION", "skip")]).status.success());
    fs::write(action.release().join(ARCHIVE), "something else").expect("a file");
    assert!(!action.install("v0", &[("ATTESTATION", "skip")]).status.success());
    assert!(!action.is_installed());
}

#[test]
fn every_piece_of_yaml_in_the_docs_can_be_read() {
    let mut read = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).expect("docs") {
        let path = entry.expect("a page").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let page = fs::read_to_string(&path).expect("a page");
        for block in page.split("```yaml\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let value: Result<Value, _> = serde_yaml::from_str(block);
            assert!(value.is_ok_and(|value| !value.is_null()), "{}:\n{block}", path.display());
            read += 1;
        }
    }
    assert!(read >= 6, "{read}");
}

/// The lines of docs/scale.md for GNU parallel, with forty organizations; then the same again.
#[test]
fn scale_page_runs_forty_organizations_in_parallel() {
    use dectl::simulator::{FaultConfig, SimulatedOrganization, SimulatedState};
    if Command::new("parallel").arg("--version").output().is_err() {
        return skipped("GNU parallel is not installed");
    }
    let organization = || SimulatedOrganization::new(SimulatedState::generated(1, 5), FaultConfig::default());
    let names: Vec<String> = (0..40).map(|at| format!("org{at}")).collect();
    let others = names.iter().map(|name| (name.clone(), organization().with_id(name.clone()))).collect();
    let env = TestEnv::with_organizations(organization(), others);
    let rule = "version: 1\nrules: [{ match: { name: '(?<x>.*)' }, set: { displayName: New } }]\n";
    names.iter().for_each(|name| env.write(&format!("files-{name}/networks.yaml"), rule));
    let lines: String = names.iter().map(|name| format!("{name} files-{name}\n")).collect();
    env.write("organizations.txt", &lines);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dectl"), env.dir.path().join("dectl")).expect("a link");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md")).expect("the page");
    let scripts: Vec<&str> = page.split("```bash\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [apply, drift] = scripts[..] else { panic!("two lines: {scripts:?}") };
    let run = |script: &str| {
        let path = format!("{}:{}", env.dir.path().display(), std::env::var("PATH").unwrap_or_default());
        let output = env
            .command(&[])
            .get_envs()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
            .collect::<Vec<_>>();
        let mut bash = Command::new("bash");
        bash.args(["-e", "-c", script]).current_dir(env.dir.path()).env_clear().envs(output);
        let ended = bash.env("PATH", path).env("HOME", env.dir.path()).output().expect("bash runs");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).expect("text")
    };
    let report = run(apply);
    assert!(report.ends_with("Report: 40 documents of 40 organizations: 40 in order\n"), "{report}");
    // What has not failed is not run again.
    let journals = || fs::read_dir(env.dir.path().join("journals/files-org7")).expect("a directory").count();
    let before = journals();
    run(apply);
    assert_eq!(journals(), before);
    run(drift);
    assert!(env.run(&["report", "results"]).stdout.ends_with("80 documents of 40 organizations: 80 in order\n"));
}
