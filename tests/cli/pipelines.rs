//! The pipelines of `examples/pipelines` and docs/gitops.md: their very commands are run, against the simulator.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dectl::simulator::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN};
use serde_json::Value;

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
        for name in ["issues", "comments", "labels"] {
            fs::write(root.join(name), "").expect("a file");
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dectl"), tools.join("dectl")).expect("a link");
        copy_example(&env);
        fs::create_dir_all(root.join("repository/sites/codes")).expect("a directory");
        for name in ["networks.yaml", "codes/hq-ward-2"] {
            fs::rename(root.join(name), root.join("repository/sites").join(name)).expect("it was there");
        }
        Self { env, artefacts, tools }
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
        let outputs = step["env"].as_object().into_iter().flatten().filter_map(|(name, value)| {
            let expression = value.as_str()?.strip_prefix("${{ steps.")?.strip_suffix(" }}")?;
            let (id, output) = expression.split_once(".outputs.")?;
            Some((name.as_str(), steps.get(id)?.get(output)?.as_str()))
        });
        let ended = self.shell(script, workspace, &output, outputs);
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
            .env("GITHUB_OUTPUT", output)
            .env("GITHUB_STEP_SUMMARY", self.root().join("summary"))
            .env("GH_FOLDER", self.root())
            .envs(environment);
        command.output().expect("bash runs")
    }

    fn action(&self, action: &str, with: &Value, workspace: &Path) {
        let copy = |from: &Path, to: &Path| {
            let copied = Command::new("cp").arg("-R").args([from, to]).status().expect("cp runs");
            assert!(copied.success(), "{} to {}", from.display(), to.display());
        };
        let text = |name: &str| with[name].as_str();
        match action.split('@').next().expect("a name") {
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
    let sealed = fs::read(forge.artefacts.join("plan/plan.age")).expect("the plan");
    assert!(!sealed.windows(4).any(|window| window == b"1201"), "a code is in the clear");
    // Nothing to do: no plan is saved, no approval is requested.
    let summary = forge.run("apply.yml");
    assert!(summary.contains("nothing to do") && !summary.contains("applied"), "{summary}");
    assert_eq!(forge.env.counters().writes, 9);
    let summary = forge.run("undo.yml");
    assert!(summary.contains("9 applied"), "{summary}");
    assert_eq!(forge.env.counters().writes, 18);
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

#[test]
fn the_jobs_of_gitlab_run_too() {
    let forge = Forge::new();
    let pipeline = read("gitlab/.gitlab-ci.yml");
    let workspace = forge.root().join("repository");
    let run = |job: &str| {
        let lines = pipeline[job]["script"].as_array().expect("a script");
        let script: Vec<&str> = lines.iter().map(|line| line.as_str().expect("a command")).collect();
        forge.shell(&script.join("\n"), &workspace, &forge.root().join("output"), std::iter::empty())
    };
    assert_eq!(run("drift").status.code(), Some(2), "before");
    for job in ["validate", "preview", "plan", "apply", "drift"] {
        let ended = run(job);
        assert!(ended.status.success(), "{job}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    assert_eq!(forge.env.counters().writes, 9);
    let ended = run("undo");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(forge.env.counters().writes, 18);
    for job in pipeline["stages"].as_array().expect("stages") {
        assert!(pipeline[job.as_str().expect("a name")].is_object(), "{job}");
    }
    for path in ["apply", "plan"] {
        let kept = pipeline[path]["artifacts"]["paths"][0].as_str().expect("a path");
        assert!(workspace.join(kept).exists(), "{kept} is kept, but not there");
    }
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
#[test]
fn the_action_installs_only_what_matches_its_checksum() {
    let action: Value = serde_yaml::from_str(
        &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).expect("the action"),
    )
    .expect("YAML");
    let script = action["runs"]["steps"][0]["run"].as_str().expect("a script");
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path();
    let release = root.join("releases/download/v0.1.0");
    fs::create_dir_all(&release).expect("a directory");
    let archive = "dectl-x86_64-unknown-linux-musl.tar.gz";
    fs::write(root.join("dectl"), "#!/bin/sh\necho here\n").expect("a file");
    let made = format!(
        "tar -czf releases/download/v0.1.0/{archive} dectl && cd releases/download/v0.1.0 && sha256sum {archive} > SHA256SUMS"
    );
    assert!(Command::new("sh").args(["-c", &made]).current_dir(root).status().expect("sh runs").success());
    let install = |name: &str| {
        let path = root.join(name);
        fs::create_dir_all(&path).expect("a directory");
        Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", script])
            .env("VERSION", "v0.1.0")
            .env("SERVER", format!("file://{}", root.display()))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .env("RUNNER_TEMP", &path)
            .env("GITHUB_PATH", path.join("path"))
            .output()
            .expect("bash runs")
    };
    if Command::new("curl").arg("--version").output().is_err() {
        skipped("there is no curl");
        return;
    }
    let ended = install("first");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let path = fs::read_to_string(root.join("first/path")).expect("a path");
    assert!(Path::new(path.trim()).join("dectl").exists());
    fs::write(release.join(archive), "something else").expect("a file");
    assert!(!install("second").status.success());
    assert!(!root.join("second/path").exists());
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
