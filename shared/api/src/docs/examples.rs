//! Examples of parameters that may be left out.

use std::mem;

use serde_json::Value;
use utoipa::openapi::{
    RefOr, Required,
    path::{Operation, Parameter, ParameterBuilder},
    schema::Schema,
};

/// Makes the examples of optional parameters something to read. Swagger UI puts a parameter's own `example` into the form and sends it:
/// a filter that nobody asked for, an instant that is still to come, an idempotency key that was used before. The `examples` of its
/// schema say the same and stay out of the form.
pub(super) fn keep_out_of_forms(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && matches!(parameter.required, Required::False)
            && let Some(example) = example_of(parameter)
            && let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
        {
            schema.examples.push(example);
            *parameter = ParameterBuilder::from(mem::take(parameter)).example(None).build();
        }
    }
}

/// The type tells its example only to serde.
fn example_of(parameter: &Parameter) -> Option<Value> {
    serde_json::to_value(parameter).ok()?.get_mut("example").map(Value::take)
}
