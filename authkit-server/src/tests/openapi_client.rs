//! What `authkit-client` and the other SDKs know of the routes: three files generated from the OpenAPI document.
//! `make generated` writes them.

use crate::openapi_json;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

/// Operations that change the tokens of a client, whose typed methods are shaped by hand.
const FLOWS: [&str; 5] = ["login", "verifyMfa", "refresh", "logout", "verifyEmail"];

#[test]
fn the_clients_operations_are_what_the_openapi_document_says() {
    let document = serde_json::from_str(&openapi_json()).unwrap();
    let operations = operations(&document);
    for (file, fresh) in [
        ("src/operations.rs", table(&operations)),
        ("src/methods.rs", methods(&operations)),
        ("operations.json", table_as_json(&operations, &document)),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../authkit-core/client").join(file);
        if std::env::var_os("AUTHKIT_UPDATE").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap_or_default() == fresh,
            "{file} of authkit-client is not what the code says: run `make generated` and commit the result"
        );
    }
}

#[test]
fn the_arguments_of_an_operation_never_clash() {
    let document = serde_json::from_str(&openapi_json()).unwrap();
    for operation in operations(&document) {
        let names: BTreeSet<&str> = operation.arguments.iter().map(|argument| argument.name.as_str()).collect();
        assert_eq!(names.len(), operation.arguments.len(), "{}", operation.name);
    }
}

struct Operation {
    name: String,
    method: String,
    path: String,
    summary: String,
    description: Option<String>,
    access: String,
    auth: &'static str,
    idempotent: bool,
    /// In the order in which a method takes them: what must be there first.
    arguments: Vec<Argument>,
    body: Option<String>,
    result: Option<String>,
}

struct Argument {
    name: String,
    place: String,
    required: bool,
    schema: Value,
    description: Option<String>,
}

impl Operation {
    fn read(path: &str, method: &str, operation: &Value, document: &Value) -> Self {
        let text = |name: &str| operation[name].as_str().map(str::to_owned);
        let mut arguments = Vec::new();
        let mut idempotent = false;
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str().unwrap() {
                "header" => idempotent |= name == "Idempotency-Key",
                place => arguments.push(Argument {
                    name: name.to_owned(),
                    place: place.to_owned(),
                    required: parameter["required"] == true,
                    schema: parameter["schema"].clone(),
                    description: parameter["description"].as_str().map(str::to_owned),
                }),
            }
        }
        let body = operation.pointer("/requestBody/content/application~1json/schema").map(name_of);
        if let Some(body) = &body {
            let schema = &document["components"]["schemas"][body];
            let needed: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            for (name, field) in schema["properties"].as_object().unwrap() {
                arguments.push(Argument {
                    name: name.clone(),
                    place: "body".to_owned(),
                    required: needed.contains(&name.as_str()),
                    schema: field.clone(),
                    description: description_of(field),
                });
            }
        }
        arguments.sort_by_key(|argument| (argument.place != "path", !argument.required));
        let success = operation["responses"].as_object().unwrap().iter().find(|(status, _)| status.starts_with('2'));
        Self {
            name: text("operationId").unwrap(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text("summary").unwrap(),
            description: text("description"),
            access: text("x-authkit-access").unwrap(),
            auth: auth(&operation["security"]),
            idempotent,
            arguments,
            body,
            result: success.and_then(|(_, answer)| answer.pointer("/content/application~1json/schema")).map(name_of),
        }
    }

    fn named(&self, place: &str) -> Vec<&str> {
        self.arguments
            .iter()
            .filter(|argument| argument.place == place)
            .map(|argument| argument.name.as_str())
            .collect()
    }

    /// What a page of the list holds, when the result is one.
    fn item(&self) -> Option<&str> {
        self.result.as_deref()?.strip_prefix("Page_")
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if path.starts_with("/v1/") || path.starts_with("/.well-known/") {
            let item = item.as_object().unwrap();
            all.extend(item.iter().map(|(method, operation)| Operation::read(path, method, operation, document)));
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Which token an operation takes.
fn auth(security: &Value) -> &'static str {
    let ways: Vec<&Map<String, Value>> =
        security.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let takes = |scheme: &str| ways.iter().any(|way| way.contains_key(scheme));
    let optional = ways.is_empty() || ways.iter().any(|way| way.is_empty());
    match (takes("device_token"), takes("access_token"), optional) {
        (true, ..) => "device",
        (_, true, true) => "optional",
        (_, true, false) => "bearer",
        _ => "none",
    }
}

/// The name of the component that a schema refers to: every body and every answer has one.
fn name_of(schema: &Value) -> String {
    schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn description_of(schema: &Value) -> Option<String> {
    let own = schema["description"].as_str();
    own.or_else(|| schema["oneOf"].as_array()?.iter().find_map(|one| one["description"].as_str())).map(str::to_owned)
}

const HEAD: &str = "// Generated from the OpenAPI document by `make generated`.\n\n";

/// `operations.rs`
fn table(operations: &[Operation]) -> String {
    let mut out = String::from(HEAD);
    out.push_str("use crate::operation::{Auth, Method, Operation};\n\n");
    out.push_str("/// Every operation, sorted by name.\npub(crate) static OPERATIONS: &[Operation] = &[\n");
    for operation in operations {
        let auth = capitalised(operation.auth);
        let method = capitalised(&operation.method.to_lowercase());
        writeln!(
            out,
            "    Operation {{\n        name: {:?},\n        method: Method::{method},\n        path: {:?},\n        path_params: &{:?},\n        query_params: &{:?},\n        body: {},\n        auth: Auth::{auth},\n        idempotent: {},\n        summary: {:?},\n    }},",
            operation.name,
            operation.path,
            operation.named("path"),
            operation.named("query"),
            operation.body.is_some(),
            operation.idempotent,
            operation.summary,
        )
        .unwrap();
    }
    out.push_str("];\n");
    out
}

/// `methods.rs`
fn methods(operations: &[Operation]) -> String {
    let mut types = BTreeSet::from(["Page"]);
    let mut queries = String::new();
    let mut out = String::from("impl Client {\n");
    for operation in operations.iter().filter(|operation| !FLOWS.contains(&operation.name.as_str())) {
        let name = snake(&operation.name);
        let mut parameters = String::new();
        let mut arguments = match &operation.body {
            Some(body) => {
                types.insert(body);
                "arguments(&request)".to_owned()
            }
            None => "no_arguments()".to_owned(),
        };
        for argument in operation.arguments.iter().filter(|argument| argument.place == "path") {
            types.extend(reference(&argument.schema));
            write!(parameters, ", {}: {}", argument.name, rust_type(&argument.schema)).unwrap();
            arguments = format!("with({arguments}, {:?}, {})", argument.name, argument.name);
        }
        if let Some(body) = &operation.body {
            write!(parameters, ", request: {body}").unwrap();
        }
        let query: Vec<&Argument> = operation.arguments.iter().filter(|argument| argument.place == "query").collect();
        if !query.is_empty() {
            let kind = format!("{}Query", capitalised(&operation.name));
            write!(parameters, ", query: &{kind}").unwrap();
            arguments = format!("with_all({arguments}, query)");
            types.extend(query.iter().filter_map(|argument| reference(&argument.schema)));
            queries.push_str(&query_type(&kind, &name, &query));
        }
        let result = match (&operation.result, operation.item()) {
            (_, Some(item)) => {
                types.insert(item);
                format!("Page<{item}>")
            }
            (Some(result), None) => {
                types.insert(result);
                result.clone()
            }
            (None, _) => "()".to_owned(),
        };
        writeln!(out, "    /// {}: `{} {}`.", operation.summary, operation.method, operation.path).unwrap();
        if let Some(description) = &operation.description {
            out.push_str("    ///\n");
            for line in description.lines() {
                out.push_str(format!("    /// {line}").trim_end());
                out.push('\n');
            }
        }
        writeln!(
            out,
            "    pub async fn {name}(&self{parameters}) -> Result<{result}> {{\n        self.typed({:?}, {arguments}).await\n    }}\n",
            operation.name
        )
        .unwrap();
        if let Some(item) = operation.item() {
            writeln!(
                out,
                "    /// The same, page after page.\n    pub fn {name}_pages(&self{parameters}) -> Pages<{item}> {{\n        Pages::new(self, {:?}, {arguments})\n    }}\n",
                operation.name
            )
            .unwrap();
        }
    }
    out.truncate(out.trim_end().len());
    out.push_str("\n}\n");
    let types: Vec<&str> = types.into_iter().collect();
    format!(
        "{HEAD}use crate::{{Client, Pages, Result, typed::{{arguments, no_arguments, with, with_all}}}};\nuse authkit_wire::{{{}}};\nuse jiff::Timestamp;\nuse serde::Serialize;\n\n{queries}{out}",
        types.join(", ")
    )
}

fn query_type(kind: &str, method: &str, query: &[&Argument]) -> String {
    let mut out = format!(
        "/// What [`Client::{method}`] can be asked for.\n#[derive(Clone, Debug, Default, Serialize)]\npub struct {kind} {{\n"
    );
    for argument in query {
        let description = argument.description.as_deref().unwrap_or(&argument.name);
        writeln!(
            out,
            "    /// {}\n    #[serde(skip_serializing_if = \"Option::is_none\")]\n    pub {}: Option<{}>,",
            description.replace('\n', " "),
            argument.name,
            rust_type(&argument.schema)
        )
        .unwrap();
    }
    out.push_str("}\n\n");
    out
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn rust_type(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        return name.to_owned();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => "Timestamp",
        (Some("string"), _) => "String",
        (Some("boolean"), _) => "bool",
        (Some("integer"), Some("int32")) => "u32",
        (Some("integer"), _) => "i64",
        _ => panic!("a parameter of a kind that the generator does not know: {schema}"),
    }
    .to_owned()
}

/// `operations.json`
fn table_as_json(operations: &[Operation], document: &Value) -> String {
    let mut open: Vec<String> = vec!["Problem".to_owned()];
    let listed: Vec<Value> = operations
        .iter()
        .map(|operation| {
            open.extend(operation.body.iter().chain(&operation.result).cloned());
            let arguments: Vec<Value> = operation
                .arguments
                .iter()
                .map(|argument| {
                    references(&argument.schema, &mut open);
                    json!({
                        "name": argument.name,
                        "in": argument.place,
                        "required": argument.required,
                        "description": argument.description,
                        "schema": argument.schema,
                    })
                })
                .collect();
            json!({
                "name": operation.name,
                "method": operation.method,
                "path": operation.path,
                "summary": operation.summary,
                "description": operation.description,
                "auth": operation.auth,
                "access": operation.access,
                "idempotent": operation.idempotent,
                "arguments": arguments,
                "body": operation.body,
                "result": operation.result,
                "item": operation.item(),
            })
        })
        .collect();
    let mut schemas = Map::new();
    while let Some(name) = open.pop() {
        if schemas.contains_key(&name) {
            continue;
        }
        let mut schema = document["components"]["schemas"][&name].clone();
        assert!(schema.is_object(), "{name}");
        // The document writes the items of a page out.
        if let Some(item) = name.strip_prefix("Page_") {
            schema["properties"]["data"]["items"] = json!({"$ref": format!("#/components/schemas/{item}")});
        }
        references(&schema, &mut open);
        schemas.insert(name, schema);
    }
    let text = serde_json::to_string_pretty(&json!({"operations": listed, "schemas": schemas})).unwrap();
    text.replace("#/components/schemas/", "#/schemas/") + "\n"
}

fn references(schema: &Value, into: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            into.extend(reference(schema).map(str::to_owned));
            fields.values().for_each(|field| references(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut out, c| {
        if c.is_uppercase() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        out
    })
}
