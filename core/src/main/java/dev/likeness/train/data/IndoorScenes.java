package dev.likeness.train.data;

import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.geom.Path2D;

/** Painters of the scenes indoors, of surfaces seen from above and of plain backgrounds. */
final class IndoorScenes {

    private IndoorScenes() {
    }

    static double plain(Brush brush, int rgb) {
        Color colour = brush.vary(rgb, 0.04);
        brush.band(0, 1, Brush.lighter(colour, 0.06), Brush.darker(colour, 0.07));
        brush.glow(brush.in(0.3, 0.7), brush.in(0.25, 0.55), 0.75, 0.75, Color.WHITE, 0.12);
        return 0;
    }

    static double table(Brush brush) {
        double edge = brush.in(0.4, 0.5);
        Color wall = brush.vary(brush.oneOf(0xE4D8C8, 0xD9D4CC, 0xE9DFCB), 0.04);
        brush.band(0, edge + 0.01, Brush.lighter(wall, 0.25), Brush.darker(wall, 0.12));
        Color wood = brush.vary(0xB97A45, 0.08);
        brush.band(edge, 1, Brush.lighter(wood, 0.08), Brush.darker(wood, 0.22));
        int planks = brush.count(4, 5);
        double y = edge;
        for (int i = 0; i < planks; i++) {
            double next = edge + (1 - edge) * Math.pow((i + 1.0) / planks, 1.25);
            Color plank = brush.vary(0xB97A45, 0.06);
            brush.rectangle(-0.01, y, 1.02, next - y, Brush.clear(plank, 0.4));
            grain(brush, y, next, Brush.darker(wood, 0.3));
            brush.line(-0.01, next, 1.01, next, 0.007, Brush.darker(wood, 0.42));
            y = next;
        }
        brush.line(-0.01, edge, 1.01, edge, 0.012, Brush.lighter(wood, 0.25));
        return edge;
    }

    private static void grain(Brush brush, double top, double bottom, Color colour) {
        for (int i = brush.count(2, 4); i > 0; i--) {
            double x = brush.in(-0.2, 0.9);
            double y = brush.in(top + 0.01, bottom - 0.01);
            double length = brush.in(0.12, 0.4);
            Path2D path = new Path2D.Double();
            path.moveTo(x, y);
            path.quadTo(x + length / 2, y + brush.in(-0.012, 0.012), x + length, y);
            brush.stroke(path, 0.004, Brush.clear(colour, 0.55));
        }
    }

    static double bricks(Brush brush) {
        Color mortar = brush.vary(0xD9C8BC, 0.05);
        brush.rectangle(-0.01, -0.01, 1.02, 1.02, mortar);
        int brick = brush.oneOf(0xB5483A, 0xA84438, 0xC05A44, 0xA05040);
        int rows = brush.count(9, 12);
        double height = 1.0 / rows;
        double width = height * 2.3;
        double gap = height * 0.14;
        double shift = brush.in(-width, 0);
        for (int row = 0; row < rows; row++) {
            for (double x = shift + (row % 2) * width / 2 - width; x < 1; x += width) {
                Color colour = brush.vary(brick, 0.12);
                double y = row * height + gap / 2;
                brush.fill(Brush.rectangle(x, y, width - gap, height - gap), y, Brush.lighter(colour, 0.08),
                        y + height - gap, Brush.darker(colour, 0.08));
            }
        }
        return 0;
    }

    static double tiles(Brush brush) {
        Color grout = new Color(0xE9EDEE);
        brush.rectangle(-0.01, -0.01, 1.02, 1.02, grout);
        int base = brush.oneOf(0x7FC4D6, 0x8FCFB8, 0xA9C4E8, 0xE9B7C0);
        int accent = brush.oneOf(0x2F7FA6, 0x3F9F8F, 0x3F5FA8);
        int rows = brush.count(5, 7);
        double step = 1.0 / rows;
        double gap = step * 0.07;
        double accents = brush.in(0, 0.15);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < rows; column++) {
                Color colour = brush.vary(brush.chance(accents) ? accent : base, 0.05);
                double x = column * step + gap / 2;
                double y = row * step + gap / 2;
                double side = step - gap;
                brush.rounded(x, y, side, side, step * 0.06, colour);
                brush.fill(Brush.polygon(x + side * 0.12, y + side * 0.12, x + side * 0.55, y + side * 0.12,
                        x + side * 0.12, y + side * 0.55), new Color(255, 255, 255, 60));
            }
        }
        return 0;
    }

    static double room(Brush brush) {
        double floor = brush.in(0.6, 0.68);
        Color wall = brush.vary(brush.oneOf(0xCFE0D2, 0xF0DDB8, 0xD9D2EC, 0xF1CFC4), 0.04);
        brush.band(0, floor, Brush.lighter(wall, 0.15), Brush.darker(wall, 0.06));
        window(brush, brush.in(0.1, 0.52), brush.in(0.07, 0.13), brush.in(0.3, 0.38), brush.in(0.32, 0.38));
        brush.band(floor - 0.035, floor + 0.005, new Color(0xFAF7F2), new Color(0xDDD6CC));
        Color wood = brush.vary(0xA97548, 0.07);
        brush.band(floor, 1.01, Brush.darker(wood, 0.1), Brush.lighter(wood, 0.1));
        double vanishing = brush.in(0.3, 0.7);
        for (int i = -8; i <= 8; i++) {
            brush.line(vanishing + i * 0.1, floor + 0.005, vanishing + i * 0.22, 1.02, 0.005, Brush.darker(wood, 0.3));
        }
        return floor;
    }

    private static void window(Brush brush, double x, double y, double width, double height) {
        Color frame = new Color(0xFBFBF8);
        brush.rectangle(x - 0.02, y - 0.02, width + 0.04, height + 0.04, new Color(0, 0, 0, 30));
        brush.rectangle(x - 0.025, y - 0.03, width + 0.04, height + 0.04, frame);
        brush.fill(Brush.rectangle(x, y, width - 0.01, height - 0.02), y, brush.vary(0x6FBDF2, 0.06), y + height,
                brush.vary(0xDDF2FD, 0.03));
        double hill = y + height * 0.75;
        brush.fill(Brush.rectangle(x, hill, width - 0.01, y + height - 0.02 - hill), brush.vary(0x7DBB5C, 0.08));
        brush.rectangle(x + width / 2 - 0.012, y, 0.016, height - 0.02, frame);
        brush.rectangle(x, y + height * 0.45, width - 0.01, 0.016, frame);
        brush.rectangle(x - 0.04, y + height, width + 0.07, 0.022, new Color(0xEDEAE2));
    }

    static double stage(Brush brush) {
        double floor = brush.in(0.66, 0.74);
        Color cloth = brush.vary(0xA31D2B, 0.08);
        brush.rectangle(-0.01, -0.01, 1.02, floor + 0.02, cloth);
        int folds = brush.count(8, 11);
        double width = 1.0 / folds;
        for (int i = 0; i < folds; i++) {
            double x = i * width;
            brush.graphics.setPaint(new GradientPaint((float) x, 0, Brush.darker(cloth, 0.45),
                    (float) (x + width * 0.5), 0, Brush.lighter(cloth, 0.1), true));
            brush.graphics.fill(Brush.rectangle(x, -0.01, width + 0.002, floor + 0.02));
        }
        for (int i = 0; i < 5; i++) {
            brush.ellipse((i + 0.5) / 5, 0.02, 0.115, 0.09, Brush.darker(cloth, 0.25));
            brush.ellipse((i + 0.5) / 5, 0.005, 0.105, 0.085, cloth);
        }
        Color wood = brush.vary(0x9A6A3E, 0.07);
        brush.band(floor, 1.01, Brush.darker(wood, 0.15), wood);
        for (int i = -9; i <= 9; i++) {
            brush.line(0.5 + i * 0.09, floor + 0.004, 0.5 + i * 0.15, 1.02, 0.005, Brush.darker(wood, 0.35));
        }
        brush.glow(brush.in(0.4, 0.6), floor + 0.12, 0.5, 0.2, new Color(0xFFF3C4), 0.55);
        brush.glow(brush.in(0.4, 0.6), 0.4, 0.45, 0.5, new Color(0xFFE9B0), 0.22);
        return floor;
    }

    static double carpet(Brush brush) {
        Color main = brush.vary(brush.oneOf(0x8E2436, 0x27406F, 0x2F5E4E, 0x6A2F5E), 0.08);
        Color second = brush.vary(brush.oneOf(0xD9A441, 0xE8D2A0, 0xD98A4A), 0.06);
        brush.rectangle(-0.01, -0.01, 1.02, 1.02, main);
        double inset = brush.in(0.03, 0.06);
        border(brush, inset, 0.025, second);
        double band = brush.in(0.08, 0.11);
        border(brush, inset + 0.025 + band, 0.015, second);
        diamonds(brush, inset + 0.025 + band / 2, band * 0.36, second);
        double inner = inset + band + 0.06;
        Color field = Brush.blend(main, second, 0.16);
        brush.rectangle(inner, inner, 1 - 2 * inner, 1 - 2 * inner, field);
        for (int ring = 0; ring < 3; ring++) {
            double radius = (0.5 - inner) * (0.9 - 0.28 * ring);
            brush.fill(Brush.polygon(0.5, 0.5 - radius, 0.5 + radius, 0.5, 0.5, 0.5 + radius, 0.5 - radius, 0.5),
                    ring % 2 == 0 ? Brush.blend(main, second, 0.75) : main);
        }
        return 0;
    }

    private static void border(Brush brush, double inset, double thickness, Color colour) {
        double side = 1 - 2 * inset;
        brush.rectangle(inset, inset, side, thickness, colour);
        brush.rectangle(inset, 1 - inset - thickness, side, thickness, colour);
        brush.rectangle(inset, inset, thickness, side, colour);
        brush.rectangle(1 - inset - thickness, inset, thickness, side, colour);
    }

    private static void diamonds(Brush brush, double line, double radius, Color colour) {
        int count = 8;
        for (int i = 0; i <= count; i++) {
            double along = line + (1 - 2 * line) * i / count;
            double[][] centres = {{along, line}, {along, 1 - line}, {line, along}, {1 - line, along}};
            for (double[] centre : centres) {
                brush.fill(Brush.polygon(centre[0], centre[1] - radius, centre[0] + radius, centre[1], centre[0],
                        centre[1] + radius, centre[0] - radius, centre[1]), colour);
            }
        }
    }

    static double blanket(Brush brush) {
        brush.rectangle(-0.01, -0.01, 1.02, 1.02, new Color(0xFBF8F2));
        Color colour = brush.vary(0xD8393F, 0.08);
        double step = brush.in(0.11, 0.16);
        double shift = brush.in(-step, 0);
        var saved = brush.graphics.getTransform();
        brush.graphics.rotate(brush.in(-0.12, 0.12), 0.5, 0.5);
        // Two half-clear layers of stripes: full colour where they cross, as in woven cloth.
        for (double at = shift - 2 * step; at < 1.3; at += step) {
            brush.rectangle(at, -0.3, step / 2, 1.6, Brush.clear(colour, 0.55));
            brush.rectangle(-0.3, at, 1.6, step / 2, Brush.clear(colour, 0.55));
        }
        brush.graphics.setTransform(saved);
        return 0;
    }
}
