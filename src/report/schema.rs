//! The JSON Schemas of the documents, derived from their types.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::documents::{
    AuthDocument, ErrorDocument, FoundDocument, OrganizationsDocument, PlanDocument, RehearsalDocument, ResultDocument,
    RunsDocument, StatusDocument, ValidationDocument,
};
use super::json::FORMAT_VERSION;
use super::overview::Overview;

/// The schema of a kind of document, as `dectl schema` prints it; `None` if there is no such kind.
pub fn schema(kind: &str) -> Option<Value> {
    Some(match kind {
        "auth" => of::<AuthDocument>(kind),
        "error" => of::<ErrorDocument>(kind),
        "found" => of::<FoundDocument>(kind),
        "organizations" => of::<OrganizationsDocument>(kind),
        "plan" => of::<PlanDocument>(kind),
        "rehearsal" => of::<RehearsalDocument>(kind),
        "report" => of::<Overview>(kind),
        "result" => of::<ResultDocument>(kind),
        "runs" => of::<RunsDocument>(kind),
        "saved-plan" => complete(kind, crate::storage::saved_plan_schema(settings())),
        "status" => of::<StatusDocument>(kind),
        "validation" => of::<ValidationDocument>(kind),
        _ => return None,
    })
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true)
}

fn of<T: JsonSchema>(kind: &str) -> Value {
    complete(kind, settings().into_generator().into_root_schema_for::<T>())
}

/// Adds what every document has.
fn complete(kind: &str, mut schema: Schema) -> Value {
    Exact.transform(&mut schema);
    schema.insert("$id".to_owned(), format!("urn:dectl:schema:{kind}:{FORMAT_VERSION}").into());
    schema.insert("title".to_owned(), format!("dectl {kind}").into());
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.insert("formatVersion".to_owned(), json!({ "const": FORMAT_VERSION }));
        properties.insert("kind".to_owned(), json!({ "const": kind }));
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        let missing = ["formatVersion", "kind"].into_iter().filter(|name| !required.iter().any(|known| known == name));
        let missing: Vec<Value> = missing.map(Value::from).collect();
        required.extend(missing);
    }
    schema.into()
}

/// Says what serialization guarantees: no other fields, none that is null where it could be left out. The widths of Rust's
/// numbers are no matter of a document.
struct Exact;

impl Transform for Exact {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        object.remove("format");
        if let Some(Value::String(description)) = object.get_mut("description") {
            // A line of a comment is none of a description.
            *description = description.replace('\n', " ");
        }
        let required: Vec<Value> = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        let optional = properties.iter_mut().filter(|(name, _)| !required.contains(&Value::from(name.as_str())));
        for (_, property) in optional {
            let Some(Value::Array(types)) = property.get_mut("type") else { continue };
            types.retain(|one| one != "null");
            if let [one] = &types[..] {
                property["type"] = one.clone();
            }
        }
        object.entry("additionalProperties").or_insert(Value::Bool(false));
    }
}
