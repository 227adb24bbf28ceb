//! `mems report --html`: one page that holds everything and needs nothing: data, style and script in one file.

use std::io::{self, Write};

use crate::export;
use crate::record::Record;
use crate::sites::Sites;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// Writes the page.
pub fn write(records: &[Record], sites: &Sites, to: &mut dyn Write) -> io::Result<()> {
    // What stands in a script element must not close it.
    let data = export::json(records, sites).to_string().replace("</", "<\\/").replace("<!--", "<\\!--");
    let title = records.first().map_or(String::new(), Record::program);
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut rest = PAGE;
    for (mark, text) in
        [("{{title}}", title.as_str()), ("{{style}}", STYLE), ("{{data}}", &data), ("{{script}}", SCRIPT)]
    {
        let (before, after) =
            rest.split_once(mark).ok_or_else(|| io::Error::other("the page has lost a mark"))?;
        to.write_all(before.as_bytes())?;
        to.write_all(text.as_bytes())?;
        rest = after;
    }
    to.write_all(rest.as_bytes())
}
