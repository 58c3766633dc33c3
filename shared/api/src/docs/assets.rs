//! The files that the documentation pages load, compiled in. `assets/update.sh` tells where the large ones come from.

use std::{io::Read as _, sync::LazyLock};

use axum::{
    body::Bytes,
    extract::Path,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;

use crate::{cached, problem::Problem};

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: Content,
}

enum Content {
    Plain(&'static [u8]),
    Gzip(&'static [u8]),
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

const ASSETS: [Asset; 7] = [
    Asset { name: "swagger-ui.js", content_type: JAVASCRIPT, content: Content::Gzip(include_bytes!("../../assets/swagger-ui.js.gz")) },
    Asset { name: "swagger-ui.css", content_type: CSS, content: Content::Gzip(include_bytes!("../../assets/swagger-ui.css.gz")) },
    Asset { name: "redoc.js", content_type: JAVASCRIPT, content: Content::Gzip(include_bytes!("../../assets/redoc.js.gz")) },
    Asset { name: "swagger-ui-start.js", content_type: JAVASCRIPT, content: Content::Plain(include_bytes!("swagger-ui-start.js")) },
    Asset { name: "redoc-start.js", content_type: JAVASCRIPT, content: Content::Plain(include_bytes!("redoc-start.js")) },
    Asset { name: "page.css", content_type: CSS, content: Content::Plain(include_bytes!("page.css")) },
    Asset { name: "icon.svg", content_type: "image/svg+xml", content: Content::Plain(include_bytes!("icon.svg")) },
];

static ETAGS: LazyLock<[HeaderValue; ASSETS.len()]> = LazyLock::new(|| {
    ASSETS.each_ref().map(|asset| match asset.content {
        Content::Plain(bytes) | Content::Gzip(bytes) => cached::etag(bytes),
    })
});

pub(super) async fn serve(Path(name): Path<String>, request: HeaderMap) -> Result<Response, Problem> {
    let (asset, etag) = ASSETS
        .iter()
        .zip(&*ETAGS)
        .find(|(asset, _)| asset.name == name)
        .ok_or_else(|| Problem::not_found("the documentation has no such file"))?;

    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
        (header::ETAG, etag.clone()),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    let body = match asset.content {
        Content::Plain(bytes) => Bytes::from_static(bytes),
        Content::Gzip(bytes) if takes_gzip(&request) => {
            return Ok((headers, [(header::CONTENT_ENCODING, "gzip")], Bytes::from_static(bytes)).into_response());
        }
        Content::Gzip(bytes) => {
            let mut plain = Vec::new();
            GzDecoder::new(bytes).read_to_end(&mut plain).map_err(|error| Problem::internal(&error))?;
            plain.into()
        }
    };
    Ok((headers, body).into_response())
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    offers
        .map(|offer| offer.split_once(';').map_or((offer, ""), |(coding, weight)| (coding, weight)))
        .any(|(coding, weight)| matches!(coding.trim(), "gzip" | "*") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
}
