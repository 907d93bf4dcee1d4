package dev.likeness.eval;

import dev.likeness.image.ContactSheet;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One HTML file that shows what was measured, without a script and without other files. The same results give the same bytes
 * on the same machine; charts are drawn in its fonts.
 */
final class Report {

    private static final int WIDE = 6; // grids of more columns show smaller pictures
    private static final int LARGE = 256;
    private static final int SMALL = 128;

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

    private Report() {}

    /** @param file where a shot's picture lies */
    static String html(Suite suite, Map<String, String> settings, Map<String, Map<Instrument, Summary>> summaries,
            Function<Suite.Shot, Path> file) {
        StringBuilder html = new StringBuilder("""
                <!DOCTYPE html>
                <html lang="en">
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width">
                <title>Likeness: %1$s</title>
                <style>
                %2$s</style>
                <h1>Likeness: %1$s</h1>
                """.formatted(escape(suite.name()), STYLE));
        suite.notes().forEach(note -> html.append("<p>%s</p>\n".formatted(escape(note))));
        html.append("<h2>Means</h2>\n").append(table(suite, summaries));
        suite.curves().forEach(curve -> html.append(chart(curve, summaries)));
        suite.grids().forEach(grid -> html.append(grid(grid, file)));
        html.append("<h2>What is measured</h2>\n<div class=\"scroll\"><table>\n");
        for (Instrument instrument : suite.instruments()) {
            html.append("<tr id=\"%s\"><th scope=\"row\">%s<td>%s <span class=\"note\">It cannot tell: %s</span>\n"
                    .formatted(instrument.id(), escape(instrument.title()), escape(instrument.definition()),
                    escape(instrument.limits())));
        }
        html.append("</table></div>\n<h2>Settings</h2>\n<table>\n");
        settings.forEach((name, value) -> html.append("<tr><th scope=\"row\">%s<td><code>%s</code>\n".formatted(
                escape(name), escape(value))));
        return html.append("</table>\n</html>\n").toString();
    }

    private static String table(Suite suite, Map<String, Map<Instrument, Summary>> summaries) {
        boolean competition = !suite.controls().containsAll(suite.methods().keySet());
        StringBuilder html = new StringBuilder("<p class=\"note\">Each figure is the mean over subjects, with half the width "
                + "of its 95 % interval.");
        if (competition) {
            html.append(" The best of each column stands out; controls, in italics, take no part in that.");
        }
        html.append("</p>\n<div class=\"scroll\"><table class=\"figures\">\n<tr><th>");
        for (Instrument instrument : suite.instruments()) {
            html.append("<th scope=\"col\"><a href=\"#%s\">%s</a>".formatted(instrument.id(), escape(instrument.heading())));
        }
        html.append('\n');
        suite.methods().forEach((method, title) -> {
            boolean control = competition && suite.controls().contains(method);
            html.append("<tr%s><th scope=\"row\">%s<br><code>%s</code>".formatted(control ? " class=\"control\"" : "",
                    escape(title), escape(method)));
            suite.instruments().forEach(instrument -> html.append(cell(suite, summaries, method, instrument)));
            html.append('\n');
        });
        return html.append("</table></div>\n").toString();
    }

    private static String cell(Suite suite, Map<String, Map<Instrument, Summary>> summaries, String method,
            Instrument instrument) {
        Summary summary = summaries.get(method).get(instrument);
        if (summary == null) {
            return "<td>";
        }
        double[] means = summaries.values().stream().filter(row -> row.containsKey(instrument))
                .mapToDouble(row -> row.get(instrument).mean()).sorted().toArray();
        double span = means[means.length - 1] - means[0];
        String bar = span > 0 ? String.format(Locale.ROOT, "<span class=\"bar\" style=\"width:%.0f%%\"></span>",
                100 * (summary.mean() - means[0]) / span) : "";
        String margin = summary.subjects() < 2 ? ""
                : " <span class=\"margin\">± %s</span>".formatted(instrument.number(summary.margin()));
        boolean best = !suite.controls().contains(method)
                && best(suite, summaries, instrument).filter(mean -> mean == summary.mean()).isPresent();
        return "<td%s>%s%s%s".formatted(best ? " class=\"best\"" : "", instrument.number(summary.mean()), margin, bar);
    }

    /** The best mean of those that compete; empty when there is no competition. */
    static Optional<Double> best(Suite suite, Map<String, Map<Instrument, Summary>> summaries, Instrument instrument) {
        double[] means = summaries.entrySet().stream()
                .filter(row -> !suite.controls().contains(row.getKey()) && row.getValue().containsKey(instrument))
                .mapToDouble(row -> row.getValue().get(instrument).mean()).sorted().toArray();
        if (instrument.better() == Instrument.Better.NEITHER || means.length < 2 || means[0] == means[means.length - 1]) {
            return Optional.empty();
        }
        return Optional.of(instrument.better() == Instrument.Better.MORE ? means[means.length - 1] : means[0]);
    }

    private static String chart(Suite.Curve curve, Map<String, Map<Instrument, Summary>> summaries) {
        byte[] light = Charts.png(curve, summaries, false);
        return light == null ? "" : """
                <figure><figcaption>%1$s</figcaption>
                <picture><source media="(prefers-color-scheme: dark)" srcset="%2$s"><img src="%3$s" alt="%1$s"></picture>
                </figure>
                """.formatted(escape(curve.title()), data("png", Charts.png(curve, summaries, true)), data("png", light));
    }

    private static String grid(Suite.Grid grid, Function<Suite.Shot, Path> file) {
        StringBuilder html = new StringBuilder("<h2>%s</h2>\n<div class=\"scroll\"><table class=\"grid\">\n".formatted(
                escape(grid.title())));
        if (!grid.columns().isEmpty()) {
            html.append("<tr>");
            grid.columns().forEach(column -> html.append("<th scope=\"col\">").append(escape(column)));
            html.append('\n');
        }
        for (List<Suite.Shot> row : grid.rows()) {
            html.append("<tr>");
            for (Suite.Shot shot : row) {
                Path picture = file.apply(shot);
                html.append("<td>");
                if (Files.exists(picture)) {
                    html.append("<img alt=\"\" src=\"%s\">".formatted(
                            data("jpeg", Jpeg.of(Jpeg.fit(Pictures.read(picture), side(grid))))));
                }
                html.append(escape(shot.label()));
            }
            html.append('\n');
        }
        return html.append("</table></div>\n").toString();
    }

    /** A grid as one picture; what is not there stays white. */
    static Picture sheet(Suite.Grid grid, Function<Suite.Shot, Path> file) {
        int side = side(grid);
        List<Picture> pictures = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        for (List<Suite.Shot> row : grid.rows()) {
            for (int column = 0; column < row.size(); column++) {
                Path path = file.apply(row.get(column));
                pictures.add(Files.exists(path) ? square(Jpeg.fit(Pictures.read(path), side), side)
                        : Picture.filled(side, side, 0xFFFFFF));
                labels.add(row.get(column).label().isEmpty() ? grid.columns().get(column) : row.get(column).label());
            }
        }
        return ContactSheet.of(pictures, labels, grid.rows().get(0).size());
    }

    private static Picture square(Picture picture, int side) {
        int left = (side - picture.width()) / 2;
        int top = (side - picture.height()) / 2;
        return picture.pad(left, top, side - picture.width() - left, side - picture.height() - top, 0xFFFFFF);
    }

    private static int side(Suite.Grid grid) {
        return grid.rows().get(0).size() > WIDE ? SMALL : LARGE;
    }

    private static String data(String type, byte[] bytes) {
        return "data:image/" + type + ";base64," + new String(Base64.getEncoder().encode(bytes), StandardCharsets.US_ASCII);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
