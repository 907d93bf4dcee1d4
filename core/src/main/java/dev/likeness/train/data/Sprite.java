package dev.likeness.train.data;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.lang.ref.SoftReference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * One decoded sprite, cropped to what is visible, at halving resolutions.
 * The full resolution is held softly, since all of them together take some hundred megabytes.
 */
final class Sprite {

    /** Clear pixels around each level, so that bilinear sampling fades out at the border. */
    private static final int MARGIN = 2;
    private static final int KEPT_LEVEL = 128;
    private static final int SMALLEST_LEVEL = 32;
    private static final int SHADOW_LEVEL = 48;
    /** Clear border of the shadow picture as a fraction of the sprite's longer side: room for the blur. */
    private static final double SHADOW_MARGIN = 0.2;

    /** Width and height as fractions of the longer side: the greater one is 1. */
    final double width;
    final double height;

    private final Supplier<BufferedImage> source;
    private volatile SoftReference<BufferedImage> full;
    /** Ascending resolutions up to {@value #KEPT_LEVEL} pixels. */
    private final List<BufferedImage> kept = new ArrayList<>();
    private final BufferedImage shadow;

    /** @param source decodes the picture, with alpha, whenever it is asked */
    Sprite(Supplier<BufferedImage> source) {
        this.source = source;
        BufferedImage cropped = crop(source.get());
        full = new SoftReference<>(cropped);
        int contentWidth = cropped.getWidth() - 2 * MARGIN;
        int contentHeight = cropped.getHeight() - 2 * MARGIN;
        int longer = Math.max(contentWidth, contentHeight);
        width = (double) contentWidth / longer;
        height = (double) contentHeight / longer;
        BufferedImage level = cropped;
        for (int side = KEPT_LEVEL; side >= SMALLEST_LEVEL; side /= 2) {
            level = resample(level, side);
            kept.add(0, level);
        }
        shadow = blurredSilhouette(kept.get(1));
    }

    /** Draws the sprite with its visible part filling the given box, in pixels. */
    void draw(Graphics2D graphics, double x, double y, double longerSide, boolean flipped) {
        BufferedImage level = level(longerSide);
        double zoom = longerSide / (Math.max(level.getWidth(), level.getHeight()) - 2.0 * MARGIN);
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, longerSide > 256
                ? RenderingHints.VALUE_INTERPOLATION_BICUBIC : RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(level, fit(x, y, longerSide * width, zoom, MARGIN, flipped), null);
    }

    /** Draws the blurred black silhouette where {@link #draw} with the same numbers would draw the sprite. */
    void drawShadow(Graphics2D graphics, double x, double y, double longerSide, boolean flipped) {
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        double zoom = longerSide / SHADOW_LEVEL;
        graphics.drawImage(shadow,
                fit(x, y, longerSide * width, zoom, SHADOW_MARGIN * SHADOW_LEVEL, flipped), null);
    }

    private static AffineTransform fit(double x, double y, double boxWidth, double zoom, double margin,
                                       boolean flipped) {
        AffineTransform transform = AffineTransform.getTranslateInstance(flipped ? x + boxWidth : x, y);
        transform.scale(flipped ? -zoom : zoom, zoom);
        transform.translate(-margin, -margin);
        return transform;
    }

    private BufferedImage level(double longerSide) {
        for (BufferedImage level : kept) {
            if (Math.max(level.getWidth(), level.getHeight()) - 2 * MARGIN >= longerSide) {
                return level;
            }
        }
        BufferedImage image = full.get();
        if (image == null) {
            image = crop(source.get());
            full = new SoftReference<>(image);
        }
        return image;
    }

    /** Premultiplied copy of the visible part, with a clear margin. */
    private static BufferedImage crop(BufferedImage decoded) {
        int left = decoded.getWidth();
        int top = decoded.getHeight();
        int right = -1;
        int bottom = -1;
        for (int y = 0; y < decoded.getHeight(); y++) {
            for (int x = 0; x < decoded.getWidth(); x++) {
                if (decoded.getRGB(x, y) >>> 24 > 8) {
                    left = Math.min(left, x);
                    right = Math.max(right, x);
                    top = Math.min(top, y);
                    bottom = Math.max(bottom, y);
                }
            }
        }
        BufferedImage cropped = clear(right - left + 1 + 2 * MARGIN, bottom - top + 1 + 2 * MARGIN);
        Graphics2D graphics = cropped.createGraphics();
        graphics.clipRect(MARGIN, MARGIN, right - left + 1, bottom - top + 1);
        graphics.drawImage(decoded, MARGIN - left, MARGIN - top, null);
        graphics.dispose();
        return cropped;
    }

    /** The picture with the longer side of its content at the given length; factors up to two in either direction. */
    private static BufferedImage resample(BufferedImage image, int longerSide) {
        int contentWidth = image.getWidth() - 2 * MARGIN;
        int contentHeight = image.getHeight() - 2 * MARGIN;
        double zoom = (double) longerSide / Math.max(contentWidth, contentHeight);
        BufferedImage result = clear((int) Math.round(contentWidth * zoom) + 2 * MARGIN,
                (int) Math.round(contentHeight * zoom) + 2 * MARGIN);
        Graphics2D graphics = result.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        AffineTransform transform = AffineTransform.getTranslateInstance(MARGIN, MARGIN);
        transform.scale(zoom, zoom);
        transform.translate(-MARGIN, -MARGIN);
        graphics.drawImage(image, transform, null);
        graphics.dispose();
        return result;
    }

    private BufferedImage blurredSilhouette(BufferedImage image) {
        int margin = (int) Math.round(SHADOW_MARGIN * SHADOW_LEVEL);
        int shadowWidth = (int) Math.ceil(SHADOW_LEVEL * width) + 2 * margin;
        int shadowHeight = (int) Math.ceil(SHADOW_LEVEL * height) + 2 * margin;
        BufferedImage result = clear(shadowWidth, shadowHeight);
        Graphics2D graphics = result.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        double zoom = SHADOW_LEVEL / (Math.max(image.getWidth(), image.getHeight()) - 2.0 * MARGIN);
        graphics.drawImage(image, fit(margin, margin, 0, zoom, MARGIN, false), null);
        graphics.dispose();
        int[] pixels = ((DataBufferInt) result.getRaster().getDataBuffer()).getData();
        float[] alpha = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            alpha[i] = pixels[i] >>> 24;
        }
        // Three box blurs come close to a Gaussian.
        for (int pass = 0; pass < 3; pass++) {
            alpha = boxBlur(alpha, shadowWidth, shadowHeight, 1, shadowWidth);
            alpha = boxBlur(alpha, shadowHeight, shadowWidth, shadowWidth, 1);
        }
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = Math.round(alpha[i]) << 24;
        }
        return result;
    }

    private static float[] boxBlur(float[] values, int length, int lines, int step, int lineStep) {
        int radius = 2;
        float[] result = new float[values.length];
        for (int line = 0; line < lines; line++) {
            for (int i = 0; i < length; i++) {
                float sum = 0;
                for (int j = Math.max(0, i - radius); j <= Math.min(length - 1, i + radius); j++) {
                    sum += values[line * lineStep + j * step];
                }
                result[line * lineStep + i * step] = sum / (2 * radius + 1);
            }
        }
        return result;
    }

    static BufferedImage clear(int width, int height) {
        return new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB_PRE);
    }
}
