package dev.likeness.eval;

import dev.likeness.image.Picture;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Parts of an HTML file that needs no script and no other file. */
final class HtmlPage {

    /** The end of the file. */
    static final String END = "</html>\n";

    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1f252c; --soft: #5d6874; --line: #d9dee4; --page: #fff; --bar: #cfe2f8;
              --best: #11683f; }
            @media (prefers-color-scheme: dark) { :root { --ink: #e3e8ee; --soft: #9aa6b2; --line: #353d46; --page: #14181d;
              --bar: #20405f; --best: #74d6a5; } }
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto;
              max-width: 90rem; padding: 0 1.2rem; }
            h1, h2 { line-height: 1.2; } h2 { margin-top: 2.4rem; }
            .scroll { overflow-x: auto; } a { color: inherit; }
            table { border-collapse: collapse; } th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; }
            tr { border-bottom: 1px solid var(--line); } th { font-weight: 600; }
            .figures td { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
            .figures th[scope=row] { min-width: 13rem; } code { font-weight: 400; }
            .figures th[scope=col] { text-align: right; vertical-align: bottom; }
            .bar { display: block; height: 4px; margin-left: auto; background: var(--bar); }
            .margin, .note, code { color: var(--soft); font-size: .85em; }
            .best { color: var(--best); font-weight: 700; } .control { font-style: italic; }
            .grid td, .grid th { padding: 2px 3px; font-size: .75rem; font-weight: 400; } .grid tr { border: 0; }
            .grid img { display: block; } figure { display: inline-block; margin: 0; }
            """;

    /** A picture with a line of text. @param picture null where there is none */
    record Cell(Picture picture, String label) {}

    private HtmlPage() {}

    /** The beginning of the file, down to its first heading. */
    static String head(String title) {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width">
                <title>Likeness: %1$s</title>
                <style>
                %2$s</style>
                <h1>Likeness: %1$s</h1>
                """.formatted(escape(title), STYLE);
    }

    static String paragraph(String text) {
        return "<p>%s</p>\n".formatted(escape(text));
    }

    /** Pictures in rows under a heading. @param columns headings, as many as cells in a row; empty for none */
    static String grid(String title, List<String> columns, List<List<Cell>> rows) {
        StringBuilder html = new StringBuilder(
                "<h2>%s</h2>\n<div class=\"scroll\"><table class=\"grid\">\n".formatted(escape(title)));
        if (!columns.isEmpty()) {
            html.append("<tr>");
            columns.forEach(column -> html.append("<th scope=\"col\">").append(escape(column)));
            html.append('\n');
        }
        for (List<Cell> row : rows) {
            html.append("<tr>");
            for (Cell cell : row) {
                html.append("<td>");
                if (cell.picture != null) {
                    html.append("<img alt=\"\" src=\"%s\">".formatted(data("jpeg", Jpeg.of(cell.picture))));
                }
                html.append(escape(cell.label));
            }
            html.append('\n');
        }
        return html.append("</table></div>\n").toString();
    }

    /** A table of names and values under its heading. */
    static String settings(Map<String, String> settings) {
        StringBuilder html = new StringBuilder("<h2>Settings</h2>\n<table>\n");
        settings.forEach((name, value) -> html.append("<tr><th scope=\"row\">%s<td><code>%s</code>\n".formatted(escape(name),
                escape(value))));
        return html.append("</table>\n").toString();
    }

    static String data(String type, byte[] bytes) {
        return "data:image/" + type + ";base64," + new String(Base64.getEncoder().encode(bytes), StandardCharsets.US_ASCII);
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
