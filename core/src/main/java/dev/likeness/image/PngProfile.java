package dev.likeness.image;

import org.w3c.dom.Node;

import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.ComponentSampleModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.zip.InflaterInputStream;

/**
 * The colour profile inside a PNG (chunk iCCP), which Java's reader parses and then ignores: screenshots of wide-gamut
 * screens would come out pale.
 */
final class PngProfile {

    private static final String METADATA = "javax_imageio_png_1.0";
    private static final int MAX_BYTES = 4 << 20;

    private PngProfile() {
    }

    /** The image with the colour space that its file names; as it is when the file names none that applies. */
    static BufferedImage apply(ImageReader reader, BufferedImage image) throws IOException {
        ColorModel model = image.getColorModel();
        boolean rgb = model.getColorSpace().isCS_sRGB() && image.getSampleModel() instanceof ComponentSampleModel
                && model.getNumColorComponents() == 3;
        if (!reader.getFormatName().equalsIgnoreCase("png") || !rgb) {
            return image;
        }
        byte[] compressed = compressedProfile(reader.getImageMetadata(0).getAsTree(METADATA));
        if (compressed == null) {
            return image;
        }
        try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(compressed))) {
            ColorSpace space = new ICC_ColorSpace(ICC_Profile.getInstance(in.readNBytes(MAX_BYTES)));
            if (space.getType() != ColorSpace.TYPE_RGB) {
                return image;
            }
            ColorModel named = new ComponentColorModel(space, model.hasAlpha(), model.isAlphaPremultiplied(),
                    model.hasAlpha() ? Transparency.TRANSLUCENT : Transparency.OPAQUE, model.getTransferType());
            return new BufferedImage(named, image.getRaster(), model.isAlphaPremultiplied(), null);
        } catch (IOException | IllegalArgumentException e) {
            // A damaged profile is no reason to refuse sound pixels: viewers take them for sRGB too.
            return image;
        }
    }

    private static byte[] compressedProfile(Node tree) {
        for (Node node = tree.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof IIOMetadataNode chunk && node.getNodeName().equals("iCCP")) {
                return chunk.getUserObject() instanceof byte[] bytes ? bytes : null;
            }
        }
        return null;
    }
}
