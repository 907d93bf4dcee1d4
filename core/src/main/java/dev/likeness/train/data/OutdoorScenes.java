package dev.likeness.train.data;

import java.awt.Color;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.RoundRectangle2D;

/** Painters of the scenes under the open sky, under water and in space. */
final class OutdoorScenes {

    private OutdoorScenes() {
    }

    static double beach(Brush brush) {
        double horizon = brush.in(0.36, 0.46);
        brush.band(0, horizon, brush.vary(0x56B4F2), brush.vary(0xD6EFFC, 0.04));
        maybeSun(brush, 0.05, horizon - 0.12);
        clouds(brush, brush.count(0, 2), 0.04, horizon - 0.14);
        double shore = horizon + brush.in(0.1, 0.17);
        Color sea = brush.vary(0x1E93BC, 0.08);
        brush.band(horizon, shore + 0.05, sea, Brush.blend(sea, new Color(0x7ADBDD), 0.8));
        for (int i = 0; i < 7; i++) {
            double x = brush.in(-0.1, 1);
            double y = brush.in(horizon + 0.02, shore - 0.02);
            brush.line(x, y, x + brush.in(0.06, 0.16), y, 0.005, new Color(255, 255, 255, 90));
        }
        Path2D sand = brush.hills(shore, 0.012, brush.count(2, 3));
        Color light = brush.vary(0xF3DEA5, 0.06);
        brush.stroke(sand, 0.028, new Color(255, 255, 255, 200));
        brush.fill(sand, shore, light, 1, Brush.blend(light, new Color(0xC9A25E), 0.6));
        specks(brush, brush.count(20, 40), shore + 0.04, Brush.clear(new Color(0xB08D4E), 0.5), 0.004);
        return shore;
    }

    static double snow(Brush brush) {
        double horizon = brush.in(0.44, 0.54);
        brush.band(0, horizon + 0.1, brush.vary(0x9DB4D3, 0.07), brush.vary(0xE3EAF4, 0.03));
        brush.fill(brush.hills(horizon - 0.07, 0.04, 2), new Color(0xC3D1E4));
        int trees = brush.count(3, 8);
        for (int i = 0; i < trees; i++) {
            pine(brush, brush.in(0, 1), horizon + brush.in(0, 0.03), brush.in(0.1, 0.2), brush.vary(0x55806F));
        }
        brush.fill(brush.hills(horizon, 0.02, brush.count(1, 3)), horizon, new Color(0xFBFDFF), 1,
                brush.vary(0xCEDAEA, 0.04));
        brush.fill(brush.hills(horizon + brush.in(0.15, 0.25), 0.03, 2), horizon + 0.12, new Color(255, 255, 255, 160),
                1, new Color(215, 226, 241, 60));
        int flakes = brush.count(25, 60);
        for (int i = 0; i < flakes; i++) {
            double radius = brush.in(0.003, 0.008);
            brush.ellipse(brush.in(0, 1), brush.in(0, 1), radius, radius, new Color(255, 255, 255, 220));
        }
        return horizon;
    }

    static double meadow(Brush brush) {
        double horizon = brush.in(0.48, 0.58);
        brush.band(0, horizon + 0.05, brush.vary(0x55B0F4, 0.08), brush.vary(0xD4EEFC, 0.04));
        maybeSun(brush, 0.06, 0.2);
        clouds(brush, brush.count(1, 3), 0.06, horizon - 0.2);
        brush.fill(brush.hills(horizon - 0.06, 0.05, 2), brush.vary(0x62B54A, 0.08));
        Color grass = brush.vary(0x6BBF42, 0.08);
        brush.fill(brush.hills(horizon, 0.025, 2), horizon, grass, 1, Brush.darker(grass, 0.45));
        int blades = brush.count(25, 50);
        for (int i = 0; i < blades; i++) {
            double x = brush.in(0, 1);
            double y = brush.in(horizon + 0.06, 1);
            double tall = 0.012 + 0.03 * (y - horizon);
            brush.line(x, y, x + brush.in(-0.01, 0.01), y - tall * 2, 0.005,
                    Brush.clear(Brush.lighter(grass, 0.3), 0.7));
        }
        int flowers = brush.count(0, 14);
        for (int i = 0; i < flowers; i++) {
            double y = brush.in(horizon + 0.05, 1);
            double radius = 0.006 + 0.012 * (y - horizon);
            brush.ellipse(brush.in(0, 1), y, radius, radius,
                    new Color(brush.oneOf(0xFFFFFF, 0xFFE14D, 0xFF8FB4, 0xE8F0FF)));
        }
        return horizon;
    }

    static double city(Brush brush) {
        double street = brush.in(0.56, 0.64);
        brush.band(0, street, brush.vary(0x0F1030, 0.15), brush.vary(0x2B2A5C, 0.15));
        stars(brush, brush.count(8, 25), street * 0.5, 0.003);
        if (brush.chance(0.3)) {
            double x = brush.in(0.1, 0.9);
            brush.glow(x, 0.12, 0.14, 0.14, new Color(0xFFF4C8), 0.35);
            brush.ellipse(x, 0.12, 0.045, 0.045, new Color(0xFFF4D0));
        }
        double x = brush.in(-0.1, 0);
        while (x < 1) {
            double width = brush.in(0.1, 0.2);
            building(brush, x, street - brush.in(0.18, 0.48), width, street);
            x += width + brush.in(-0.01, 0.03);
        }
        brush.band(street - 0.004, street + 0.035, new Color(0x5A5B66), new Color(0x45464F));
        brush.band(street + 0.03, 1.01, new Color(0x3A3B42), new Color(0x26272C));
        double dashes = brush.in(0.86, 0.93);
        for (double dash = brush.in(-0.2, 0); dash < 1; dash += 0.3) {
            brush.rectangle(dash, dashes, 0.17, 0.018, new Color(0xE6C766));
        }
        int lamps = brush.count(1, 2);
        for (int i = 0; i < lamps; i++) {
            brush.glow(brush.in(0, 1), street + 0.06, 0.22, 0.09, new Color(0xFFD36B), 0.35);
        }
        return street;
    }

    private static void building(Brush brush, double x, double top, double width, double street) {
        Color wall = Brush.darker(brush.vary(0x35345E, 0.25), brush.in(0.1, 0.4));
        brush.rectangle(x, top, width, street - top, wall);
        int columns = Math.max(2, (int) (width / 0.036));
        double step = width / (columns + 0.5);
        Color lit = brush.vary(0xFFD768, 0.08);
        for (double y = top + 0.025; y < street - 0.05; y += 0.042) {
            for (int column = 0; column < columns; column++) {
                if (brush.chance(0.5)) {
                    brush.rectangle(x + step * (column + 0.5), y, step * 0.5, 0.022,
                            brush.chance(0.85) ? lit : new Color(0xA8D8FF));
                }
            }
        }
    }

    static double sky(Brush brush) {
        brush.band(0, 1, brush.vary(0x2F86E6, 0.08), brush.vary(0xC0E4FB, 0.05));
        maybeSun(brush, 0.06, 0.3);
        int clouds = brush.count(3, 6);
        for (int i = 0; i < clouds; i++) {
            cloud(brush, brush.in(0, 1), (i + brush.in(0.2, 0.8)) / clouds, brush.in(0.22, 0.42));
        }
        return 0;
    }

    static double desert(Brush brush) {
        double horizon = brush.in(0.46, 0.56);
        brush.band(0, horizon + 0.05, brush.vary(0x7EC8EE, 0.08), brush.vary(0xFBEBC4, 0.05));
        double sunX = brush.in(0.1, 0.9);
        double sunY = brush.in(0.08, 0.25);
        brush.glow(sunX, sunY, 0.2, 0.2, new Color(0xFFF3A8), 0.8);
        brush.ellipse(sunX, sunY, 0.055, 0.055, new Color(0xFFF0A0));
        Color dune = brush.vary(0xDDA05A, 0.07);
        brush.fill(brush.hills(horizon - 0.03, 0.05, 2), Brush.lighter(dune, 0.22));
        int cacti = brush.count(0, 2);
        for (int i = 0; i < cacti; i++) {
            cactus(brush, brush.in(0.04, 0.96), horizon + brush.in(0.03, 0.08), brush.in(0.14, 0.24));
        }
        Color front = Brush.darker(dune, 0.04);
        brush.fill(brush.hills(horizon + 0.06, 0.03, 1), horizon, front, 1, Brush.darker(front, 0.2));
        for (int i = 0; i < 4; i++) {
            double y = horizon + 0.17 + 0.08 * i + brush.in(-0.02, 0.02);
            Path2D ripple = new Path2D.Double();
            double x = brush.in(-0.1, 0.6);
            double length = brush.in(0.2, 0.5);
            ripple.moveTo(x, y);
            ripple.quadTo(x + length / 2, y - 0.03, x + length, y);
            brush.stroke(ripple, 0.006, Brush.clear(Brush.darker(front, 0.25), 0.4));
        }
        return horizon + 0.06;
    }

    private static void cactus(Brush brush, double x, double bottom, double height) {
        Color green = brush.vary(0x3E8E4B);
        double thickness = height * 0.2;
        brush.line(x, bottom, x, bottom - height, thickness, green);
        for (int side = -1; side <= 1; side += 2) {
            double arm = bottom - height * brush.in(0.3, 0.5);
            Path2D path = new Path2D.Double();
            path.moveTo(x, arm);
            path.lineTo(x + side * height * 0.28, arm);
            path.lineTo(x + side * height * 0.28, arm - height * 0.25);
            brush.stroke(path, thickness * 0.75, green);
        }
    }

    static double sea(Brush brush) {
        brush.band(0, 1, brush.vary(0x45CFD2, 0.08), brush.vary(0x0B3D78, 0.08));
        int rays = brush.count(3, 5);
        for (int i = 0; i < rays; i++) {
            double x = brush.in(0, 1);
            double width = brush.in(0.04, 0.1);
            double lean = brush.in(-0.25, 0.1);
            brush.fill(Brush.polygon(x, -0.01, x + width, -0.01, x + 2.4 * width + lean, 0.85, x + lean, 0.85), 0,
                    new Color(255, 255, 255, 70), 0.8, new Color(255, 255, 255, 0));
        }
        double floor = brush.in(0.85, 0.91);
        brush.fill(brush.hills(floor, 0.02, 2), floor, brush.vary(0x9C9A6C, 0.08), 1, new Color(0x5E6B58));
        int weeds = brush.count(3, 7);
        for (int i = 0; i < weeds; i++) {
            weed(brush, brush.in(0.02, 0.98), brush.in(0.9, 1), brush.in(0.1, 0.24));
        }
        int bubbles = brush.count(5, 14);
        for (int i = 0; i < bubbles; i++) {
            double radius = brush.in(0.006, 0.016);
            double x = brush.in(0, 1);
            double y = brush.in(0, 0.85);
            brush.ellipse(x, y, radius, radius, new Color(210, 250, 255, 90));
            brush.ellipse(x - radius * 0.3, y - radius * 0.3, radius * 0.35, radius * 0.35,
                    new Color(255, 255, 255, 180));
        }
        return 0;
    }

    private static void weed(Brush brush, double x, double bottom, double height) {
        Path2D path = new Path2D.Double();
        path.moveTo(x, bottom);
        double swing = brush.chance(0.5) ? 0.025 : -0.025;
        for (int i = 0; i < 4; i++) {
            double y = bottom - height * i / 4;
            path.quadTo(x + swing, y - height / 8, x, y - height / 4);
            swing = -swing;
        }
        brush.stroke(path, 0.016, brush.vary(0x2E8F57, 0.15));
    }

    static double space(Brush brush) {
        brush.band(0, 1, brush.vary(0x0A0B26, 0.2), brush.vary(0x1C0E38, 0.2));
        int clouds = brush.count(2, 4);
        for (int i = 0; i < clouds; i++) {
            brush.glow(brush.in(0, 1), brush.in(0, 1), brush.in(0.25, 0.5), brush.in(0.15, 0.35),
                    new Color(brush.oneOf(0x7A2FA0, 0x2F4FB0, 0xA03070, 0x2F7FA0)), brush.in(0.25, 0.5));
        }
        stars(brush, brush.count(60, 110), 1, 0.0045);
        if (brush.chance(0.5)) {
            double x = brush.in(0.06, 0.94);
            double y = brush.in(0.06, 0.94);
            double radius = brush.in(0.03, 0.06);
            Color planet = brush.vary(brush.oneOf(0xC87860, 0x6FA0D0, 0xD0B070), 0.1);
            brush.ellipse(x, y, radius, radius, Brush.darker(planet, 0.35));
            brush.ellipse(x - radius * 0.18, y - radius * 0.18, radius * 0.78, radius * 0.78, planet);
        }
        return 0;
    }

    static double forest(Brush brush) {
        double ground = brush.in(0.52, 0.6);
        brush.band(0, ground + 0.05, brush.vary(0x3F6B45, 0.1), brush.vary(0xA9CB9A, 0.08));
        trunks(brush, brush.count(5, 8), ground, 0.02, 0.035, 0x6E6A4E);
        trunks(brush, brush.count(4, 6), ground + 0.02, 0.04, 0.065, 0x553B28);
        int leaves = brush.count(9, 13);
        for (int i = 0; i < leaves; i++) {
            double radius = brush.in(0.1, 0.18);
            brush.ellipse((i + brush.in(0, 1)) / leaves, brush.in(-0.04, 0.1), radius, radius * 0.7,
                    Brush.darker(brush.vary(0x2F6B35, 0.12), brush.in(0, 0.35)));
        }
        Color moss = brush.vary(0x54843A, 0.08);
        brush.fill(brush.hills(ground, 0.015, 2), ground, moss, 1, Brush.darker(moss, 0.5));
        specks(brush, brush.count(15, 30), ground + 0.05, Brush.clear(Brush.lighter(moss, 0.25), 0.6), 0.012);
        return ground;
    }

    private static void trunks(Brush brush, int count, double bottom, double thin, double thick, int rgb) {
        for (int i = 0; i < count; i++) {
            double x = (i + brush.in(0.1, 0.9)) / count;
            double width = brush.in(thin, thick);
            Color bark = brush.vary(rgb, 0.12);
            brush.fill(Brush.polygon(x - width / 2, -0.01, x + width / 2, -0.01, x + width * 0.7, bottom + 0.03,
                    x - width * 0.7, bottom + 0.03), bark);
            brush.rectangle(x + width * 0.1, -0.01, width * 0.32, bottom + 0.03, Brush.darker(bark, 0.2));
        }
    }

    static double sunset(Brush brush) {
        double horizon = brush.in(0.54, 0.64);
        Color middle = brush.vary(0xD8607A, 0.08);
        brush.band(0, horizon * 0.55 + 0.01, brush.vary(0x59337F, 0.1), middle);
        brush.band(horizon * 0.55, horizon + 0.06, middle, brush.vary(0xFFB35A, 0.05));
        double x = brush.in(0.15, 0.85);
        brush.glow(x, horizon - 0.04, 0.34, 0.3, new Color(0xFFE08A), 0.8);
        brush.ellipse(x, horizon - 0.05, 0.085, 0.085, new Color(0xFFEFB0));
        for (int i = brush.count(1, 4); i > 0; i--) {
            double left = brush.in(-0.1, 0.8);
            double y = brush.in(0.08, horizon - 0.2);
            double width = brush.in(0.2, 0.4);
            brush.rounded(left, y, width, 0.022, 0.011, new Color(255, 190, 150, 110));
            brush.rounded(left + width * 0.25, y + 0.024, width * 0.8, 0.018, 0.009, new Color(255, 170, 150, 90));
        }
        brush.fill(brush.hills(horizon - 0.01, 0.035, 2), brush.vary(0x6A3A63, 0.08));
        brush.fill(brush.hills(horizon + 0.05, 0.02, 1), horizon, brush.vary(0x4A2A50, 0.08), 1, new Color(0x1C1128));
        return horizon + 0.05;
    }

    static double lake(Brush brush) {
        double water = brush.in(0.42, 0.48);
        double shore = water + brush.in(0.2, 0.26);
        brush.band(0, water, brush.vary(0x5FA8E6, 0.07), brush.vary(0xE2F1FA, 0.03));
        clouds(brush, brush.count(0, 2), 0.05, 0.15);
        int peaks = brush.count(3, 4);
        for (int i = 0; i < peaks; i++) {
            mountain(brush, (i + brush.in(0.2, 0.8)) / peaks, water, brush.in(0.2, 0.36), brush.in(0.22, 0.34));
        }
        Color near = brush.vary(0x3D7A9E, 0.08);
        brush.band(water, shore + 0.06, Brush.lighter(near, 0.45), near);
        for (int i = brush.count(6, 10); i > 0; i--) {
            double x = brush.in(-0.1, 0.9);
            double y = brush.in(water + 0.03, shore);
            brush.line(x, y, x + brush.in(0.06, 0.2), y, 0.005, new Color(255, 255, 255, 80));
        }
        for (int i = brush.count(6, 12); i > 0; i--) {
            pine(brush, brush.in(0, 1), water + 0.01, brush.in(0.06, 0.11), brush.vary(0x2F5E4B));
        }
        Color grass = brush.vary(0x7FA650, 0.08);
        brush.fill(brush.hills(shore, 0.018, 2), shore, grass, 1, Brush.darker(grass, 0.4));
        for (int i = brush.count(5, 10); i > 0; i--) {
            double radius = brush.in(0.01, 0.025);
            brush.ellipse(brush.in(0, 1), brush.in(shore + 0.02, 1), radius, radius * 0.6, brush.vary(0xA9ABA6, 0.1));
        }
        return shore;
    }

    private static void mountain(Brush brush, double x, double bottom, double height, double halfWidth) {
        Color rock = brush.vary(0x7C88A0, 0.1);
        double top = bottom - height;
        double lean = brush.in(-0.03, 0.03);
        Path2D outline = Brush.polygon(x - halfWidth, bottom, x + lean, top, x + halfWidth, bottom);
        brush.fill(outline, rock);
        Area shade = new Area(outline);
        shade.intersect(new Area(Brush.polygon(x + lean, top, x + halfWidth, bottom, x + halfWidth * 0.2, bottom)));
        brush.fill(shade, Brush.darker(rock, 0.18));
        Area cap = new Area(outline);
        double snow = top + height * 0.32;
        double spread = halfWidth * 0.4;
        cap.intersect(new Area(Brush.polygon(x + lean, top - 0.01, x + spread, snow, x + spread * 0.4, snow - 0.03,
                x, snow + 0.03, x - spread * 0.4, snow - 0.02, x - spread, snow + 0.01)));
        brush.fill(cap, new Color(0xF7FAFF));
    }

    static double autumn(Brush brush) {
        double ground = brush.in(0.52, 0.6);
        brush.band(0, ground + 0.05, brush.vary(0xF5E3C0, 0.05), brush.vary(0xFBF0D8, 0.03));
        int trees = brush.count(5, 7);
        for (int i = 0; i < trees; i++) {
            double x = (i + brush.in(0.1, 0.9)) / trees;
            double top = brush.in(0.12, 0.26);
            brush.rectangle(x - 0.014, top, 0.028, ground - top + 0.02, brush.vary(0x6B4A34));
            int crown = brush.oneOf(0xE2711D, 0xF2A11F, 0xC8402A, 0xE8B93A);
            for (int blob = 0; blob < 6; blob++) {
                double radius = brush.in(0.06, 0.1);
                brush.ellipse(x + brush.in(-0.08, 0.08), top + brush.in(-0.08, 0.1), radius, radius,
                        brush.vary(crown, 0.08));
            }
        }
        Color earth = brush.vary(0xC98A3C, 0.07);
        brush.fill(brush.hills(ground, 0.012, 2), ground, earth, 1, Brush.darker(earth, 0.35));
        int leaves = brush.count(40, 80);
        for (int i = 0; i < leaves; i++) {
            double y = brush.in(ground + 0.03, 1);
            double radius = 0.006 + 0.018 * (y - ground);
            brush.ellipse(brush.in(0, 1), y, radius * 1.5, radius,
                    brush.vary(brush.oneOf(0xE2711D, 0xF2B13A, 0xB8382A), 0.1));
        }
        return ground;
    }

    static double road(Brush brush) {
        double horizon = brush.in(0.38, 0.46);
        brush.band(0, horizon, brush.vary(0x6DB9EE, 0.07), brush.vary(0xE4F3FB, 0.03));
        clouds(brush, brush.count(1, 2), 0.06, 0.22);
        brush.fill(brush.hills(horizon - 0.04, 0.03, 2), brush.vary(0x7FA98A, 0.08));
        Color grass = brush.vary(0x8DB255, 0.08);
        brush.band(horizon, 1, grass, Brush.darker(grass, 0.25));
        double far = brush.in(0.4, 0.6);
        brush.fill(Brush.polygon(far - 0.03, horizon, far + 0.03, horizon, 1.25, 1.01, -0.25, 1.01), horizon,
                new Color(0x8A8D94), 1, brush.vary(0x5A5D64, 0.06));
        for (int side = -1; side <= 1; side += 2) {
            brush.fill(Brush.polygon(far + side * 0.026, horizon, far + side * 0.029, horizon,
                    0.5 + side * 0.71, 1.01, 0.5 + side * 0.66, 1.01), new Color(0xF2F2F2));
        }
        for (double near = brush.in(0.1, 0.2); near < 1; near *= 1.7) {
            double y = horizon + (1 - horizon) * near;
            double nextY = horizon + (1 - horizon) * Math.min(1.02, near * 1.32);
            double x = far + (0.5 - far) * near;
            double nextX = far + (0.5 - far) * near * 1.32;
            brush.fill(Brush.polygon(x - 0.02 * near, y, x + 0.02 * near, y, nextX + 0.026 * near, nextY,
                    nextX - 0.026 * near, nextY), new Color(0xFFE9A0));
        }
        return horizon + 0.12;
    }

    private static void pine(Brush brush, double x, double bottom, double height, Color green) {
        brush.rectangle(x - height * 0.05, bottom - height * 0.2, height * 0.1, height * 0.2, new Color(0x5F4937));
        for (int tier = 0; tier < 3; tier++) {
            double low = bottom - height * (0.12 + 0.26 * tier);
            double half = height * (0.32 - 0.075 * tier);
            brush.fill(Brush.polygon(x - half, low, x + half, low, x, low - height * 0.38),
                    Brush.lighter(green, 0.08 * tier));
        }
    }

    private static void maybeSun(Brush brush, double radius, double lowest) {
        if (brush.chance(0.4)) {
            double x = brush.in(0.1, 0.9);
            double y = brush.in(0.08, Math.max(0.1, lowest));
            brush.glow(x, y, radius * 3, radius * 3, new Color(0xFFF6C0), 0.8);
            brush.ellipse(x, y, radius, radius, new Color(0xFFF3B4));
        }
    }

    private static void clouds(Brush brush, int count, double top, double bottom) {
        for (int i = 0; i < count; i++) {
            cloud(brush, brush.in(0, 1), brush.in(top, Math.max(top + 0.02, bottom)), brush.in(0.1, 0.2));
        }
    }

    private static void cloud(Brush brush, double x, double y, double width) {
        Color white = new Color(255, 255, 255, 235);
        Area cloud = new Area();
        double height = width * 0.3;
        cloud.add(new Area(new RoundRectangle2D.Double(x - width / 2, y - height / 2, width, height,
                height, height)));
        for (int i = 0; i < 3; i++) {
            double radius = width * brush.in(0.15, 0.24);
            double centreX = x + width * (-0.24 + 0.24 * i + brush.in(-0.04, 0.04));
            cloud.add(new Area(new Ellipse2D.Double(centreX - radius, y - radius * 1.2, 2 * radius,
                    2 * radius)));
        }
        brush.fill(cloud, white);
    }

    private static void stars(Brush brush, int count, double lowest, double greatest) {
        for (int i = 0; i < count; i++) {
            double radius = brush.in(0.0015, greatest);
            brush.ellipse(brush.in(0, 1), brush.in(0, lowest), radius, radius,
                    Brush.clear(new Color(brush.oneOf(0xFFFFFF, 0xFFF2CC, 0xCCDDFF)), brush.in(0.6, 1)));
        }
    }

    private static void specks(Brush brush, int count, double top, Color colour, double radius) {
        for (int i = 0; i < count; i++) {
            brush.ellipse(brush.in(0, 1), brush.in(top, 1), radius * brush.in(0.6, 1.6), radius * brush.in(0.4, 0.8),
                    colour);
        }
    }
}
