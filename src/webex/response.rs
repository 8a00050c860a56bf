//! Parses the status, headers and body of a response into a value or an error. No I/O.

use jiff::Timestamp;

use super::api::{ItemResult, ResponseHead, WriteAck};
use super::credentials::TokenResponse;
use super::error::{ApiError, ErrorClass, MaybeApplied};
use super::retry_after::{RetryAfter, http_date};
use super::wire::{self, WireError};

/// The target of the link with `rel="next"` (RFC 8288), if there is one.
pub fn next_page(link: &str) -> Option<&str> {
    let mut rest = link;
    while let Some(start) = rest.find('<') {
        let (target, parameters) = rest[start + 1..].split_once('>')?;
        let end = parameters.find(",<").or_else(|| parameters.find(", <")).unwrap_or(parameters.len());
        let is_next =
            parameters[..end].split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
                let value = value.trim().trim_end_matches(',').trim_matches('"');
                name.trim().eq_ignore_ascii_case("rel")
                    && value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
            });
        if is_next {
            return Some(target.trim());
        }
        rest = &parameters[end..];
    }
    None
}

/// Joins the pages of a list into one body; `key` is the field with the items.
///
/// # Errors
/// If a page is not such a list.
pub fn join_pages(key: &str, pages: &[Vec<u8>]) -> Result<Vec<u8>, ApiError> {
    let malformed = || {
        let message = format!("a page of the list has no list `{key}`");
        ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No)
    };
    let mut items = Vec::new();
    let mut first = None;
    for page in pages {
        let mut value: serde_json::Value = serde_json::from_slice(page).map_err(|_| malformed())?;
        let list = value[key].as_array_mut().ok_or_else(malformed)?;
        items.append(list);
        first.get_or_insert(value);
    }
    let mut joined = first.ok_or_else(malformed)?;
    joined[key] = items.into();
    // Values always serialize.
    Ok(serde_json::to_vec(&joined).unwrap_or_default())
}

/// Parses the response of the token endpoint.
///
/// # Errors
/// If the status is not a success or the body contains no token.
pub(super) fn parse_token_response(
    head: &ResponseHead,
    body: &[u8],
    now: Timestamp,
) -> Result<TokenResponse, ApiError> {
    success(head, body, now).map_err(|error| match error.status {
        // The token endpoint answers 400 to an unknown refresh token; a retry does not help.
        Some(400) => ApiError { class: ErrorClass::Unauthorized, ..error },
        _ => error,
    })?;
    wire::parse_token_response(body, now).map_err(|error| invalid_body_error(&error, head, body))
}

/// What the numbers of four digits in an error may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Access codes, which are hidden: of networks, and of whatever else may be mentioned beside them.
    Networks,
    /// Extensions: of handsets and members.
    Lines,
}

/// Reads the body of a success.
pub(crate) fn body_of<'a, T>(
    subject: Subject,
    parse: impl Fn(&[u8]) -> Result<T, WireError> + 'a,
) -> impl Fn(&ResponseHead, &[u8], Timestamp) -> Result<T, ApiError> + 'a {
    move |head, body, now| {
        checked(head, body, now, subject)?;
        parse(body).map_err(|error| invalid_body_error(&error, head, body))
    }
}

/// Reads the results of adding several things. A success whose body cannot be read has no results: a list then shows what
/// was added.
pub(crate) fn results_of(
    subject: Subject,
    parse: impl Fn(&[u8]) -> Vec<ItemResult> + 'static,
) -> impl Fn(&ResponseHead, &[u8], Timestamp) -> Result<Vec<ItemResult>, ApiError> {
    move |head, body, now| {
        checked(head, body, now, subject)?;
        let shown = |result: ItemResult| {
            let message = one_line(&redact(subject)(&result.message));
            // What is hidden in a message is no error code.
            let code = result.code.filter(|code| !message.contains(&code.to_string()));
            let message = code.map_or(message.clone(), |code| format!("{message} (code {code})").trim().to_owned());
            ItemResult { message, ..result }
        };
        Ok(parse(body).into_iter().map(shown).collect())
    }
}

/// Reads whether a write was applied. The body of a success says nothing.
pub(crate) fn acknowledgement_of(
    subject: Subject,
) -> impl Fn(&ResponseHead, &[u8], Timestamp) -> Result<WriteAck, ApiError> {
    move |head, body, now| {
        checked(head, body, now, subject)?;
        Ok(if head.status == 202 { WriteAck::Accepted } else { WriteAck::Applied })
    }
}

/// What may be shown of a text of Webex.
fn redact(subject: Subject) -> impl Fn(&str) -> String {
    match subject {
        Subject::Networks => redact_codes,
        Subject::Lines => str::to_owned,
    }
}

/// Checks that the status is a success.
///
/// # Errors
/// What the response says otherwise, without any number that may be an access code.
pub(crate) fn success(head: &ResponseHead, body: &[u8], now: Timestamp) -> Result<(), ApiError> {
    checked(head, body, now, Subject::Networks)
}

fn checked(head: &ResponseHead, body: &[u8], now: Timestamp, subject: Subject) -> Result<(), ApiError> {
    if (200..300).contains(&head.status) {
        return Ok(());
    }
    let class = match head.status {
        429 => ErrorClass::RateLimited,
        423 => ErrorClass::Locked,
        401 | 403 => ErrorClass::Unauthorized,
        404 | 410 => ErrorClass::NotFound,
        409 => ErrorClass::Conflict,
        408 | 425 => ErrorClass::Transient,
        501 | 505 => ErrorClass::Permanent,
        500.. => ErrorClass::Transient,
        _ => ErrorClass::Permanent,
    };
    let server_time = head.date.as_deref().and_then(http_date).unwrap_or(now);
    let ErrorBody { message, code, tracking_id } = parse_error_body(head.status, body, subject);
    Err(ApiError {
        class,
        status: Some(head.status),
        code,
        message,
        tracking_id: head.tracking_id.clone().or(tracking_id),
        retry_after: head.retry_after.as_deref().map(|header| RetryAfter::parse(header, server_time)),
        applied: if class == ErrorClass::Transient { MaybeApplied::Unknown } else { MaybeApplied::No },
    })
}

fn invalid_body_error(error: &WireError, head: &ResponseHead, body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    let message = match page_title(&text) {
        // A captive portal answers 200 with a login page.
        Some(_) => parse_error_body(head.status, body, Subject::Networks).message,
        None => error.to_string(),
    };
    ApiError {
        class: if matches!(error, WireError::Cut(_)) { ErrorClass::Transient } else { ErrorClass::Permanent },
        status: Some(head.status),
        code: None,
        message,
        tracking_id: head.tracking_id.clone(),
        retry_after: None,
        applied: MaybeApplied::No,
    }
}

struct ErrorBody {
    message: String,
    code: Option<u32>,
    tracking_id: Option<String>,
}

/// Extracts the error message from either documented format, from an HTML page, or from an empty body.
fn parse_error_body(status: u16, body: &[u8], subject: Subject) -> ErrorBody {
    let redact = redact(subject);
    let text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
        let tracking_id = value["trackingId"].as_str().map(one_line);
        let message = one_line(&json_error_messages(&value, &redact).join("; "));
        return ErrorBody { code: json_error_code(&value).or_else(|| named_code(&message)), message, tracking_id };
    }
    let message = match page_title(&text) {
        _ if (300..400).contains(&status) => "unexpected redirect (not followed, to protect the token)".to_owned(),
        Some("") => "response is an HTML page, probably from a proxy".to_owned(),
        Some(title) => format!("response is an HTML page, probably from a proxy: {}", one_line(title)),
        None => one_line(&redact(&text)),
    };
    ErrorBody { message, code: None, tracking_id: None }
}

/// The first error code of either format, a number or a text.
fn json_error_code(value: &serde_json::Value) -> Option<u32> {
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let older = list(&value["error"]).iter().flat_map(|error| list(&error["message"])).collect::<Vec<_>>();
    let places = [value.clone(), value["error"].clone()].into_iter().chain(list(&value["errors"])).chain(older);
    places.flat_map(|place| [place["errorCode"].clone(), place["code"].clone()]).find_map(|code| {
        code.as_u64().and_then(|code| u32::try_from(code).ok()).or_else(|| code.as_str()?.parse().ok())
    })
}

/// The code in a message such as `[Error 5302] Invalid line port`.
fn named_code(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("[Error ")?;
    rest.split_once(']')?.0.trim().parse().ok()
}

fn json_error_messages(value: &serde_json::Value, redact: impl Fn(&str) -> String) -> Vec<String> {
    let describe = |item: &serde_json::Value| {
        let description = redact(item["description"].as_str()?);
        let code = &item[if item["errorCode"].is_null() { "code" } else { "errorCode" }];
        let code = code.as_str().map(str::to_owned).or_else(|| code.as_i64().map(|code| code.to_string()));
        Some(code.map_or(description.clone(), |code| format!("{description} (code {code})")))
    };
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let mut all: Vec<String> = list(&value["errors"]).iter().filter_map(describe).collect();
    for error in list(&value["error"]) {
        let messages: Vec<String> = list(&error["message"]).iter().filter_map(describe).collect();
        all.extend(messages.into_iter().chain(error["message"].as_str().map(&redact)));
    }
    if let Some(message) =
        value["message"].as_str().filter(|message| !all.iter().any(|other| other.starts_with(*message)))
    {
        all.insert(0, redact(message));
    }
    all
}

/// Redacts every word of four digits: servers echo access codes, including those of other networks.
fn redact_codes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
        let length = rest[start..].find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len() - start);
        let word = &rest[start..start + length];
        out.push_str(&rest[..start]);
        out.push_str(if word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit()) {
            "••••"
        } else {
            word
        });
        rest = &rest[start + length..];
    }
    out.push_str(rest);
    out
}

fn page_title(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    if !lower.trim_start().starts_with('<') {
        return None;
    }
    let title = lower.find("<title>").map(|at| at + "<title>".len());
    let end = title.and_then(|start| lower[start..].find("</title>").map(|length| start + length));
    Some(title.zip(end).map_or("", |(start, end)| text[start..end].trim()))
}

/// Puts an external message on one line without control characters. Truncation happens after redaction,
/// since part of a token is secret, too.
fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> ApiError {
        let head = ResponseHead { status, retry_after: Some("5".to_owned()), ..ResponseHead::default() };
        success(&head, body.as_bytes(), Timestamp::UNIX_EPOCH).expect_err("no success")
    }

    #[test]
    fn both_published_shapes_of_an_error_are_read() {
        let one = error(
            404,
            r#"{"message":"Not found","errors":[{"description":"No such network","errorCode":27455}],"trackingId":"T1"}"#,
        );
        assert_eq!((one.class, &*one.message), (ErrorClass::NotFound, "Not found; No such network (code 27455)"));
        assert_eq!(one.tracking_id.as_deref(), Some("T1"));
        let other = error(
            409,
            r#"{"error":[{"key":"409","message":[{"description":"Taken","code":"25"}]}],"trackingId":"T2"}"#,
        );
        assert_eq!((other.class, &*other.message), (ErrorClass::Conflict, "Taken (code 25)"));
    }

    #[test]
    fn pages_nothing_and_noise_are_an_error_of_one_line() {
        assert_eq!(
            error(502, "<HTML><title>502 Bad\nGateway</title>").message,
            "response is an HTML page, probably from a proxy: 502 Bad Gateway"
        );
        assert_eq!(error(500, "").to_string(), "status 500");
        assert_eq!(error(500, "a\u{1b}[2J\nb").message, "a [2J b");
        assert_eq!(error(302, "").class, ErrorClass::Permanent);
    }

    #[test]
    fn the_header_takes_precedence_over_the_body() {
        let limited = error(429, "{}");
        assert_eq!(limited.class, ErrorClass::RateLimited);
        assert_eq!(limited.retry_after, Some(RetryAfter::Wait(std::time::Duration::from_secs(5))));
    }

    #[test]
    fn the_error_code_of_an_item_is_no_access_code() {
        let item = |body: &str| {
            let body = format!(r#"{{"items":[{{"mac":"A","result":{{"status":409,"error":{body}}}}}]}}"#);
            let read = results_of(Subject::Networks, |body| wire::item_results(body, "items", "mac"));
            let results =
                read(&ResponseHead { status: 200, ..ResponseHead::default() }, body.as_bytes(), Timestamp::UNIX_EPOCH);
            results.expect("a success").remove(0).message
        };
        for (error, expected) in [
            (r#"{"message":"code 4821 is taken","errorCode":5100}"#, "code •••• is taken (code 5100)"),
            (r#"{"message":"taken","code":"E17"}"#, "taken (code E17)"),
            (r#"{"errorCode":27455}"#, "(code 27455)"),
            (r#"{"message":"[Error 27455] taken","errorCode":"27455"}"#, "[Error 27455] taken"),
        ] {
            assert_eq!(item(error), expected);
        }
    }

    #[test]
    fn a_code_that_the_server_repeats_is_hidden() {
        let sent = crate::model::Settings {
            name: "A".into(),
            display_name: None,
            code_enabled: Some(true),
            code: Some(crate::model::CodeText::new("4821")),
        };
        let head = ResponseHead { status: 409, ..ResponseHead::default() };
        let refused = acknowledgement_of(Subject::Networks)(
            &head,
            br#"{"message":"code X4821 is in use"}"#,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(refused.expect_err("a conflict").redact_code_of(&sent).message, "code X•••• is in use");
    }
}
