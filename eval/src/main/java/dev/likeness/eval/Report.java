package dev.likeness.eval;

import static dev.likeness.eval.HtmlPage.data;
import static dev.likeness.eval.HtmlPage.escape;

import dev.likeness.image.ContactSheet;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

    private Report() {}

    /** @param file where a shot's picture lies */
    static String html(Suite suite, Map<String, String> settings, Map<String, Map<Instrument, Summary>> summaries,
            Function<Suite.Shot, Path> file) {
        StringBuilder html = new StringBuilder(HtmlPage.head(suite.name()));
        suite.notes().forEach(note -> html.append(HtmlPage.paragraph(note)));
        html.append("<h2>Means</h2>\n").append(table(suite, summaries));
        suite.curves().forEach(curve -> html.append(chart(curve, summaries)));
        suite.grids().forEach(grid -> html.append(grid(grid, file)));
        html.append("<h2>What is measured</h2>\n<div class=\"scroll\"><table>\n");
        for (Instrument instrument : suite.instruments()) {
            html.append("<tr id=\"%s\"><th scope=\"row\">%s<td>%s <span class=\"note\">It cannot tell: %s</span>\n"
                    .formatted(instrument.id(), escape(instrument.title()), escape(instrument.definition()),
                    escape(instrument.limits())));
        }
        return html.append("</table></div>\n").append(HtmlPage.settings(settings)).append(HtmlPage.END).toString();
    }

    private static String table(Suite suite, Map<String, Map<Instrument, Summary>> summaries) {
        boolean competition = !suite.controls().containsAll(suite.methods().keySet());
        StringBuilder html = new StringBuilder("<p class=\"note\">Each figure is the mean over subjects, with half the "
                + "width of its 95 % interval.");
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
        return HtmlPage.grid(grid.title(), grid.columns(), grid.rows().stream().map(row -> row.stream().map(shot -> {
            Path path = file.apply(shot);
            Picture picture = Files.exists(path) ? Jpeg.fit(Pictures.read(path), side(grid)) : null;
            return new HtmlPage.Cell(picture, shot.label());
        }).toList()).toList());
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
}
