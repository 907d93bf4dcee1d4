package dev.likeness.eval;

import dev.likeness.analysis.AttentionMaps;
import dev.likeness.image.ContactSheet;
import dev.likeness.image.Picture;
import dev.likeness.inject.Positions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where chosen places of a picture look in a reference that they share attention with, by the positions that the reference's
 * tokens are given (paper, figure 3): a row of pictures, then a row of heat maps for each place.
 */
public final class AttentionFigure {

    private static final int SIDE = 256; // of a picture in the figure
    private static final int[] MARKS = {0xE6194B, 0x3CB44B, 0x4363D8, 0xF58231, 0x911EB4, 0x008080};

    /** A way of giving positions: the picture that came of it and a map for each query. */
    private record Shared(Picture picture, double[][] maps) {}

    private final Analysed model;
    private final HeldOut reference;
    private final String prompt;
    private final List<AttentionMaps.Query> queries;
    private final Map<String, Shared> ways = new LinkedHashMap<>();

    /** Draws the picture once for each way. */
    public AttentionFigure(Analysed model, HeldOut reference, String prompt, List<AttentionMaps.Query> queries) {
        this.model = model;
        this.reference = reference;
        this.prompt = prompt;
        this.queries = queries;
        List<Positions> positions = model.hasPositions() ? List.of(Positions.KEEP, Positions.ZERO, Positions.SHIFT)
                : List.of(Positions.KEEP);
        for (Positions way : positions) {
            AttentionMaps maps = new AttentionMaps(queries, model.grid(), model.grid());
            Picture picture = model.share(prompt, reference, way, maps);
            ways.put(model.hasPositions() ? "positions " + way.name().toLowerCase(Locale.ROOT) : "no positions",
                    new Shared(picture, maps.maps()));
        }
    }

    /** The figure as one picture. */
    public Picture picture() {
        List<HtmlPage.Cell> cells = rows().stream().flatMap(List::stream).toList();
        return ContactSheet.of(cells.stream().map(HtmlPage.Cell::picture).toList(),
                cells.stream().map(HtmlPage.Cell::label).toList(), ways.size() + 1);
    }

    /** The same in an HTML file, with what was done and what is to be seen. */
    public String html(Map<String, String> settings) {
        return HtmlPage.head("attention") + HtmlPage.paragraph("At every step and in every layer the picture's tokens attend to "
                + "all tokens of the reference as well. Marked are the places whose attention is shown; a heat map shows how much "
                + "of it goes to each token of the reference, the mean over heads, layers and steps. The brightest token of each "
                + "map has full heat; below stand what the whole reference gets, and what the token at the place's own position gets.")
                + HtmlPage.grid(model.name() + " (" + model.kind() + "): " + prompt, List.of(), rows())
                + HtmlPage.settings(settings) + HtmlPage.END;
    }

    private List<List<HtmlPage.Cell>> rows() {
        List<List<HtmlPage.Cell>> rows = new ArrayList<>();
        List<HtmlPage.Cell> first = new ArrayList<>(List.of(new HtmlPage.Cell(large(reference.picture()), "reference")));
        ways.forEach((name, way) -> {
            Picture picture = large(way.picture);
            for (int i = 0; i < queries.size(); i++) {
                picture = marked(picture, i);
            }
            first.add(new HtmlPage.Cell(picture, name));
        });
        rows.add(first);
        for (int i = 0; i < queries.size(); i++) {
            int number = i;
            AttentionMaps.Query query = queries.get(i);
            List<HtmlPage.Cell> row = new ArrayList<>(List.of(new HtmlPage.Cell(marked(large(reference.picture()), i),
                    String.format(Locale.ROOT, "place %.2f,%.2f", query.x(), query.y()))));
            int own = query.token(model.grid(), model.grid());
            ways.values().forEach(way -> {
                double[] map = way.maps[number];
                row.add(new HtmlPage.Cell(heat(map, number), String.format(Locale.ROOT, "reference %.1f %%, own position %.2f %%",
                        100 * Arrays.stream(map).sum(), 100 * map[own])));
            });
            rows.add(row);
        }
        return rows;
    }

    private static Picture large(Picture picture) {
        return picture.resize(SIDE, SIDE);
    }

    /** The reference in grey under colours from dark to bright, the place framed. */
    private Picture heat(double[] map, int query) {
        double most = Arrays.stream(map).max().orElseThrow();
        Picture ground = large(reference.picture());
        byte[] rgb = new byte[3 * SIDE * SIDE];
        int grid = model.grid();
        for (int i = 0; i < SIDE * SIDE; i++) {
            int token = i / SIDE * grid / SIDE * grid + i % SIDE * grid / SIDE;
            double heat = most == 0 ? 0 : Math.sqrt(map[token] / most); // the root, so that faint attention is seen beside strong
            double grey = 0.45 * ground.luminance(i);
            rgb[3 * i] = level(grey + heat * (255 - grey));
            rgb[3 * i + 1] = level(grey + heat * heat * (220 - grey));
            rgb[3 * i + 2] = level(grey * (1 - 0.8 * heat));
        }
        return marked(Picture.of(SIDE, SIDE, rgb, null), query);
    }

    private static byte level(double value) {
        return (byte) Math.round(Math.max(0, Math.min(255, value)));
    }

    /** With a frame around the token of a query. */
    private Picture marked(Picture picture, int query) {
        int grid = model.grid();
        int token = queries.get(query).token(grid, grid);
        int left = token % grid * SIDE / grid;
        int top = token / grid * SIDE / grid;
        int right = (token % grid + 1) * SIDE / grid - 1;
        int bottom = (token / grid + 1) * SIDE / grid - 1;
        int colour = MARKS[query % MARKS.length];
        byte[] rgb = picture.rgb();
        for (int y = top - 1; y <= bottom + 1; y++) {
            for (int x = left - 1; x <= right + 1; x++) {
                boolean frame = Math.min(Math.min(x - left, right - x), Math.min(y - top, bottom - y)) < 1;
                if (frame && x >= 0 && y >= 0 && x < SIDE && y < SIDE) {
                    int at = 3 * (y * SIDE + x);
                    rgb[at] = (byte) (colour >> 16);
                    rgb[at + 1] = (byte) (colour >> 8);
                    rgb[at + 2] = (byte) colour;
                }
            }
        }
        return Picture.of(SIDE, SIDE, rgb, null);
    }
}
