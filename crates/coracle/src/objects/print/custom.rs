//! `-o custom-columns`: one row per object.

use serde_json::Value;

use super::tabs;
use crate::objects::{format::Column, jsonpath};

/// The rows below the titles, unless there are to be none.
///
/// # Errors
/// An index that a list does not have.
pub(crate) fn text<'a>(
    columns: &[Column],
    objects: impl IntoIterator<Item = &'a Value>,
    headers: bool,
) -> Result<String, String> {
    let mut text = String::new();
    if headers {
        let titles: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
        text += &(titles.join("\t") + "\n");
    }
    for object in objects {
        let cells: Result<Vec<String>, String> =
            columns.iter().map(|column| cell(column, object)).collect();
        text += &(cells?.join("\t") + "\n");
    }
    Ok(tabs::align(&text, tabs::TABLE))
}

fn cell(column: &Column, object: &Value) -> Result<String, String> {
    let texts: Vec<String> = column.path.find(object)?.into_iter().map(jsonpath::scalar).collect();
    Ok(if texts.is_empty() { "<none>".to_owned() } else { texts.join(",") })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::objects::Form;

    #[test]
    fn what_is_missing_is_none_and_several_values_share_a_cell() {
        let written = "custom-columns=NAME:.metadata.name,N:.n[*]";
        let Ok(Form::Columns(columns)) = Form::parse(written) else { panic!("columns") };
        let objects = [json!({"metadata": {"name": "a"}, "n": [1, 2]}), json!({"n": []})];
        expect![[r#"
            NAME     N
            a        1,2
            <none>   <none>
        "#]]
        .assert_eq(&text(&columns, &objects, true).unwrap());
        assert_eq!(text(&columns, &objects[..1], false).unwrap(), "a     1,2\n");
    }
}
