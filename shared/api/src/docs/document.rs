//! The `OpenAPI` document: what the routes say of themselves, and what is true of all of them.

use utoipa::openapi::{
    Components, Info, License, OpenApi, OpenApiBuilder, Tag,
    path::{Operation, PathItem},
    security::{Http, HttpAuthScheme, SecurityScheme},
};

use super::{examples, responses};

const DESCRIPTION: &str = include_str!("description.md");

const TAGS: [(&str, &str); 9] = [
    ("Auth", "One-time codes by mail, tokens, and the user's own account, profile and preferences."),
    ("Admin", "Users, their roles, and the log of who did what and who was turned away."),
    ("Stocks", "Companies, end-of-day prices as traded or adjusted, and technical indicators."),
    ("Signals", "What the model proposes, why, how sure it is, and how its past proposals turned out."),
    ("Portfolio", "Orders, positions, trades and the ledger they follow from, and what they are worth."),
    ("Charts", "A stock with its indicators, signals and trades, and the portfolio beside the market, as pictures."),
    ("Data", "Ingestion runs, the quality gate's quarantine and the state of the data."),
    ("System", "Health and metrics."),
    ("Clock", "The simulated clock of a replay on one machine."),
];

/// Completes what the groups' routers describe: title, tags, security scheme, and on each operation the problems and
/// headers that the edge itself may answer with.
pub fn document(groups: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    let mut info = Info::new("StockGPT API", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    let mut license = License::new("MIT");
    license.identifier = Some("MIT".to_owned());
    info.license = Some(license);

    let mut document = OpenApiBuilder::new().info(info).build();
    for group in groups {
        document.merge(group);
    }

    let components = document.components.get_or_insert_with(Components::new);
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The `access_token` from `POST /api/v1/auth/login`."))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    responses::declare(components);

    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            responses::complete(operation, path);
            examples::keep_out_of_forms(operation);
        }
    }
    document.tags = Some(used_tags(&mut document));
    document
}

/// Each operation of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().filter_map(Option::as_mut)
}

fn used_tags(document: &mut OpenApi) -> Vec<Tag> {
    let used: Vec<String> = document
        .paths
        .paths
        .values_mut()
        .flat_map(|item| operations(item).flat_map(|operation| operation.tags.clone().unwrap_or_default()).collect::<Vec<_>>())
        .collect();
    let tag = |(name, description): (&str, &str)| {
        let mut tag = Tag::new(name);
        tag.description = Some(description.to_owned());
        tag
    };
    TAGS.into_iter().filter(|(name, _)| used.iter().any(|tag| tag == name)).map(tag).collect()
}
