package dev.likeness.server.studio;

import java.awt.image.BufferedImage;
import java.util.function.IntPredicate;

/** Where in a picture a subject is, by its colours. */
final class Colours {

    /** The teapot's pink, which no scene of these tests has. */
    static final IntPredicate PINK = rgb -> red(rgb) > 150 && green(rgb) < 120 && blue(rgb) > 60 && blue(rgb) < 190;

    /** The dragon's green. */
    static final IntPredicate GREEN = rgb -> green(rgb) > red(rgb) + 40 && green(rgb) > blue(rgb) + 10 && green(rgb) > 90;

    private Colours() {}

    private static int red(int rgb) {
        return rgb >> 16 & 255;
    }

    private static int green(int rgb) {
        return rgb >> 8 & 255;
    }

    private static int blue(int rgb) {
        return rgb & 255;
    }

    /** The mean place of the pixels of a colour, in fractions of the picture, and their share of it: {x, y, share}. */
    static double[] middle(BufferedImage picture, IntPredicate colour) {
        double x = 0;
        double y = 0;
        int count = 0;
        for (int row = 0; row < picture.getHeight(); row++) {
            for (int column = 0; column < picture.getWidth(); column++) {
                if (colour.test(picture.getRGB(column, row))) {
                    x += column + 0.5;
                    y += row + 0.5;
                    count++;
                }
            }
        }
        double pixels = (double) picture.getWidth() * picture.getHeight();
        return new double[] {x / count / picture.getWidth(), y / count / picture.getHeight(), count / pixels};
    }

    /** Mean distance of two pictures over a part of them, by channel, 0 to 255. */
    static double distance(BufferedImage one, BufferedImage other, int left, int top, int width, int height) {
        double sum = 0;
        for (int y = top; y < top + height; y++) {
            for (int x = left; x < left + width; x++) {
                int a = one.getRGB(x, y);
                int b = other.getRGB(x, y);
                sum += Math.abs(red(a) - red(b)) + Math.abs(green(a) - green(b)) + Math.abs(blue(a) - blue(b));
            }
        }
        return sum / (3.0 * width * height);
    }
}
