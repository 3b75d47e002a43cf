//! The files of Swagger UI, as they lie in `assets/swagger-ui`. They are part of the binary, and packed: every browser
//! unpacks gzip, and the house need not.

/// One file of the page.
pub(super) struct Asset {
    name: &'static str,
    pub(super) content_type: &'static str,
    pub(super) is_gzip: bool,
    pub(super) bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../assets/swagger-ui/", $name))
    };
}

static ASSETS: [Asset; 5] = [
    Asset { name: "index.html", content_type: HTML, is_gzip: false, bytes: file!("index.html") },
    Asset {
        name: "swagger-initializer.js",
        content_type: JAVASCRIPT,
        is_gzip: false,
        bytes: file!("swagger-initializer.js"),
    },
    Asset {
        name: "swagger-ui-bundle.js",
        content_type: JAVASCRIPT,
        is_gzip: true,
        bytes: file!("swagger-ui-bundle.js.gz"),
    },
    Asset { name: "swagger-ui.css", content_type: CSS, is_gzip: true, bytes: file!("swagger-ui.css.gz") },
    Asset { name: "favicon-32x32.png", content_type: "image/png", is_gzip: false, bytes: file!("favicon-32x32.png") },
];

/// The file with this name.
pub(super) fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}
