package dev.likeness.features;

import com.fasterxml.jackson.databind.JsonNode;
import dev.likeness.features.Preprocessing.Frame;
import dev.likeness.features.Preprocessing.Middle;
import dev.likeness.features.Preprocessing.Shortest;
import dev.likeness.features.Preprocessing.Whole;
import dev.likeness.image.Pillow;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * preprocessor_config.json as it stands; the components are its keys. Files of different years say the same differently, and
 * what they leave out is the default of the processor that they name.
 *
 * @param size     both edges, a shortest edge, or a number: a square for ViT, a shortest edge for the others
 * @param resample Pillow's number of the filter
 * @param cropSize both edges, or a number for a square
 */
record PreprocessorJson(
        String imageProcessorType,
        String featureExtractorType,
        JsonNode size,
        Integer resample,
        Boolean doCenterCrop,
        JsonNode cropSize,
        Boolean doRescale,
        Double rescaleFactor,
        Boolean doNormalize,
        List<Double> imageMean,
        List<Double> imageStd) {

    static final Set<String> UNUSED = Set.of("data_format", "default_to_square", "device", "disable_grouping",
            "do_convert_rgb", "input_data_format", "pad_size", "processor_class", "return_tensors");
    static final Map<String, String> FIXED = Map.of("do_resize", "true", "do_pad", "false");

    private static final List<Double> CLIP_MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
    private static final List<Double> CLIP_STD = List.of(0.26862954, 0.26130258, 0.27577711);
    private static final List<Double> HALF = List.of(0.5, 0.5, 0.5);
    private static final int BILINEAR = 2;
    private static final int BICUBIC = 3;
    private static final int EDGE = 224;

    /** @throws IllegalArgumentException when it says something that is not done here */
    Preprocessing preprocessing() {
        boolean vit = isVit();
        Pillow filter = switch (resample != null ? resample : vit ? BILINEAR : BICUBIC) {
            case BILINEAR -> Pillow.BILINEAR;
            case BICUBIC -> Pillow.BICUBIC;
            default -> throw new IllegalArgumentException("resample must be 2 (bilinear) or 3 (bicubic), it is " + resample);
        };
        double factor = isFalse(doRescale) ? 1 : rescaleFactor == null ? 1 / 255.0 : rescaleFactor;
        if (isFalse(doNormalize)) {
            return new Preprocessing(frame(vit), filter, factor, List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));
        }
        return new Preprocessing(frame(vit), filter, factor, imageMean != null ? imageMean : vit ? HALF : CLIP_MEAN,
                imageStd != null ? imageStd : vit ? HALF : CLIP_STD);
    }

    private boolean isVit() {
        String name = imageProcessorType != null ? imageProcessorType : String.valueOf(featureExtractorType);
        return switch (name.replaceFirst("(ImageProcessor(Fast|Pil)?|FeatureExtractor)$", "")) {
            case "CLIP", "Bit" -> false;
            case "ViT" -> true;
            default -> throw new IllegalArgumentException("image_processor_type must be CLIPImageProcessor, BitImageProcessor "
                    + "or ViTImageProcessor, it is " + name);
        };
    }

    private Frame frame(boolean vit) {
        boolean object = size != null && size.isObject();
        if (object && (size.has("longest_edge") || size.has("max_height"))) {
            throw new IllegalArgumentException("size must be both edges or the shortest one, it is " + size);
        }
        Whole crop = doCenterCrop == null ? vit ? null : whole(cropSize) : doCenterCrop ? whole(cropSize) : null;
        if (object ? !size.has("shortest_edge") : vit) {
            Whole whole = whole(size);
            if (crop != null && !crop.equals(whole)) {
                throw new IllegalArgumentException("crop_size must be equal to size where that has two edges");
            }
            return whole;
        }
        int edge = object ? size.path("shortest_edge").asInt() : whole(size).width();
        return crop == null ? new Shortest(edge) : new Middle(edge, crop.width(), crop.height());
    }

    private static Whole whole(JsonNode edges) {
        if (edges == null || edges.isNull()) {
            return new Whole(EDGE, EDGE);
        }
        return edges.isObject() ? new Whole(edges.path("width").asInt(), edges.path("height").asInt())
                : new Whole(edges.asInt(), edges.asInt());
    }

    private static boolean isFalse(Boolean value) {
        return Boolean.FALSE.equals(value);
    }
}
