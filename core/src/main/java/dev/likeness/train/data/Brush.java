package dev.likeness.train.data;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RadialGradientPaint;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.util.random.RandomGenerator;

/**
 * Paints into a square picture in unit coordinates (0 to 1, y down), so that a scene looks the same at every size.
 * Colours are {@code 0xRRGGBB}.
 */
final class Brush {

    final Graphics2D graphics;
    private final RandomGenerator random;

    Brush(BufferedImage image, RandomGenerator random) {
        this.random = random;
        graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        graphics.scale(image.getWidth(), image.getHeight());
    }

    /** Uniform in the range. */
    double in(double low, double high) {
        return low + (high - low) * random.nextDouble();
    }

    /** Uniform in the range, both ends included. */
    int count(int low, int high) {
        return random.nextInt(low, high + 1);
    }

    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    int oneOf(int... values) {
        return values[random.nextInt(values.length)];
    }

    /** The colour with hue, saturation and brightness shifted at random by up to the amount (0 to 1). */
    Color vary(int rgb, double amount) {
        float[] hsb = Color.RGBtoHSB(rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255, null);
        return Color.getHSBColor((float) (hsb[0] + in(-amount, amount) / 4),
                clamp(hsb[1] * (1 + in(-amount, amount))), clamp(hsb[2] * (1 + in(-amount, amount))));
    }

    Color vary(int rgb) {
        return vary(rgb, 0.1);
    }

    /** The colour between two: 0 gives the first, 1 the second. */
    static Color blend(Color first, Color second, double share) {
        return new Color((int) Math.round(first.getRed() + (second.getRed() - first.getRed()) * share),
                (int) Math.round(first.getGreen() + (second.getGreen() - first.getGreen()) * share),
                (int) Math.round(first.getBlue() + (second.getBlue() - first.getBlue()) * share));
    }

    static Color darker(Color colour, double share) {
        return blend(colour, Color.BLACK, share);
    }

    static Color lighter(Color colour, double share) {
        return blend(colour, Color.WHITE, share);
    }

    /** @param opacity 0 to 1 */
    static Color clear(Color colour, double opacity) {
        return new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), (int) Math.round(255 * opacity));
    }

    void fill(Shape shape, Color colour) {
        graphics.setPaint(colour);
        graphics.fill(shape);
    }

    /** Fills the shape with a gradient from the colour at one height to that at another. */
    void fill(Shape shape, double topY, Color top, double bottomY, Color bottom) {
        graphics.setPaint(new GradientPaint(0, (float) topY, top, 0, (float) bottomY, bottom));
        graphics.fill(shape);
    }

    /** The band between two heights over the full width, from one colour to another. */
    void band(double topY, double bottomY, Color top, Color bottom) {
        fill(rectangle(-0.01, topY, 1.02, bottomY - topY), topY, top, bottomY, bottom);
    }

    void rectangle(double x, double y, double width, double height, Color colour) {
        fill(rectangle(x, y, width, height), colour);
    }

    static Rectangle2D rectangle(double x, double y, double width, double height) {
        return new Rectangle2D.Double(x, y, width, height);
    }

    void rounded(double x, double y, double width, double height, double radius, Color colour) {
        fill(new RoundRectangle2D.Double(x, y, width, height, 2 * radius, 2 * radius), colour);
    }

    void ellipse(double centreX, double centreY, double radiusX, double radiusY, Color colour) {
        fill(new Ellipse2D.Double(centreX - radiusX, centreY - radiusY, 2 * radiusX, 2 * radiusY), colour);
    }

    /** A disc that fades from its centre to nothing at its edge; radii differ for an ellipse. */
    void glow(double centreX, double centreY, double radiusX, double radiusY, Color colour, double opacity) {
        var saved = graphics.getTransform();
        graphics.translate(centreX, centreY);
        graphics.scale(radiusX, radiusY);
        graphics.setPaint(new RadialGradientPaint(0, 0, 1, new float[] {0, 0.35f, 0.7f, 1}, new Color[] {
                clear(colour, opacity), clear(colour, opacity * 0.72), clear(colour, opacity * 0.2),
                clear(colour, 0)}));
        graphics.fill(new Ellipse2D.Double(-1, -1, 2, 2));
        graphics.setTransform(saved);
    }

    void line(double x1, double y1, double x2, double y2, double thickness, Color colour) {
        stroke(new Line2D.Double(x1, y1, x2, y2), thickness, colour);
    }

    void stroke(Shape shape, double thickness, Color colour) {
        graphics.setPaint(colour);
        graphics.setStroke(new BasicStroke((float) thickness, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        graphics.draw(shape);
    }

    /** Closed polygon through x, y pairs. */
    static Path2D polygon(double... coordinates) {
        Path2D path = new Path2D.Double();
        path.moveTo(coordinates[0], coordinates[1]);
        for (int i = 2; i < coordinates.length; i += 2) {
            path.lineTo(coordinates[i], coordinates[i + 1]);
        }
        path.closePath();
        return path;
    }

    /** Everything below a smooth wavy line around the height. */
    Path2D hills(double height, double amplitude, int waves) {
        double phase = in(0, 2 * Math.PI);
        double second = in(0, 2 * Math.PI);
        Path2D path = new Path2D.Double();
        path.moveTo(-0.02, 1.02);
        for (int i = 0; i <= 32; i++) {
            double x = -0.02 + 1.04 * i / 32;
            double wave = Math.sin(phase + x * waves * Math.PI) + 0.35 * Math.sin(second + x * waves * 2.3 * Math.PI);
            path.lineTo(x, height + amplitude * wave / 1.35);
        }
        path.lineTo(1.02, 1.02);
        path.closePath();
        return path;
    }

    private static float clamp(double value) {
        return (float) Math.max(0, Math.min(1, value));
    }
}
