package dev.likeness.segment;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.platform.Fp16Conversions;
import dev.likeness.error.Refusal;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;

import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Masks by a segmentation network in an ONNX file: BiRefNet, IS-Net, U2-Net and others that turn one picture [1, 3, H, W]
 * into a map [1, 1, H, W].
 *
 * <p>Networks give several maps: U2-Net and IS-Net all of one size, the best first; BiRefNet from coarse to fine. So of the
 * finest ones the first is taken. Maps of BiRefNet are logits, those of the others probabilities: what leaves 0 to 1 goes
 * through a sigmoid. They are not stretched to 0 to 1 as some tools do, which would make a subject out of noise.
 */
public final class OnnxSegmenter {

    /** Side of the picture that a network of free size is given. */
    private static final int DEFAULT_SIZE = 1024;
    /** How far rounding may carry a probability beyond 0 or 1. */
    private static final float ROUNDING = 1e-3f;
    /** What stands behind transparent pictures. */
    private static final int WHITE = 0xFFFFFF;

    /** What the network expects in place of colours from 0 to 1: (colour - mean) / deviation. */
    public enum Normalisation {
        /** Means and deviations of ImageNet: BiRefNet, U2-Net. */
        IMAGENET(new float[] {0.485f, 0.456f, 0.406f}, new float[] {0.229f, 0.224f, 0.225f}),
        /** Mean 0.5, deviation 1: IS-Net. */
        HALF(new float[] {0.5f, 0.5f, 0.5f}, new float[] {1, 1, 1}),
        /** As they are. */
        NONE(new float[3], new float[] {1, 1, 1});

        private final float[] mean;
        private final float[] deviation;

        Normalisation(float[] mean, float[] deviation) {
            this.mean = mean;
            this.deviation = deviation;
        }
    }

    /**
     * @param size          side of the square, in pixels, that the picture is brought to; null for what the file says, or
     *                      1024 where it leaves that open
     * @param normalisation of colours
     */
    public record Options(Integer size, Normalisation normalisation) {

        public static final Options DEFAULT = new Options(null, Normalisation.IMAGENET);

        public Options {
            Objects.requireNonNull(normalisation);
            if (size != null && size < 1) {
                throw new IllegalArgumentException("a side of " + size + " pixels");
            }
        }
    }

    private OnnxSegmenter() {
    }

    /**
     * @return the mask at the picture's size
     * @throws Refusal (input) when the file is missing, no ONNX model or not of this kind, does not take the size, or finds
     *                 no subject
     */
    public static Mask segment(Path onnx, Picture picture, Options options) {
        requireFile(onnx);
        OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "likeness");
        try (OrtSession session = open(onnx, environment)) {
            Map<String, NodeInfo> inputs = session.getInputInfo();
            if (inputs.size() != 1) {
                throw notOfThisKind(onnx, inputs.size() + " inputs", null);
            }
            String input = inputs.keySet().iterator().next();
            TensorInfo info = imageInput(onnx, inputs.get(input));
            int height = side(onnx, info.getShape()[2], options.size);
            int width = side(onnx, info.getShape()[3], options.size);
            Mask mask;
            try (OnnxTensor image = image(environment, picture.resize(width, height).flatten(WHITE), options.normalisation,
                        info.type);
                    OrtSession.Result result = session.run(Map.of(input, image), mapOutputs(onnx, session))) {
                mask = mask(onnx, result);
            } catch (OrtException e) {
                throw Refusal.input("The network %s does not run on a picture of %d x %d pixels (%s); give another size or "
                        + "another network.", onnx, width, height, reason(e), e);
            }
            if (mask.isEmpty()) {
                throw Refusal.input("The network %s finds no subject in the reference picture; give a mask with --mask FILE.",
                        onnx);
            }
            return mask.resize(picture.width(), picture.height());
        } catch (OrtException e) {
            throw Refusal.input("%s cannot be read as an ONNX model (%s); export or copy it again.", onnx, reason(e), e);
        }
    }

    private static void requireFile(Path onnx) {
        if (!Files.exists(onnx)) {
            throw Refusal.input("The network %s does not exist; check the path.", onnx);
        }
        if (!Files.isRegularFile(onnx) || !Files.isReadable(onnx)) {
            throw Refusal.input("The network %s is not a file that can be read; name an ONNX file.", onnx);
        }
    }

    private static OrtSession open(Path onnx, OrtEnvironment environment) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL); // what is wrong is told once, by us
            return environment.createSession(onnx.toString(), options);
        }
    }

    private static TensorInfo imageInput(Path onnx, NodeInfo node) {
        if (!(node.getInfo() instanceof TensorInfo info) || !isFloat(info)) {
            throw notOfThisKind(onnx, "the input " + node.getName() + " of another type", null);
        }
        if (!matches(info.getShape(), 3)) {
            throw notOfThisKind(onnx, "the input " + node.getName(), info.getShape());
        }
        return info;
    }

    private static boolean isFloat(TensorInfo info) {
        return info.type == OnnxJavaType.FLOAT || info.type == OnnxJavaType.FLOAT16;
    }

    /** Whether a shape can be [1, channels, H, W]; negative lengths are open. */
    private static boolean matches(long[] shape, int channels) {
        return shape.length == 4 && (shape[0] == 1 || shape[0] < 0) && (shape[1] == channels || shape[1] < 0);
    }

    private static int side(Path onnx, long fixed, Integer wanted) {
        if (fixed > 0 && wanted != null && fixed != wanted) {
            throw Refusal.input("The network %s takes pictures with a side of %d pixels, not %d; leave the size out.", onnx,
                    fixed, wanted);
        }
        return fixed > 0 ? Math.toIntExact(fixed) : wanted != null ? wanted : DEFAULT_SIZE;
    }

    /** Names of the outputs that can be maps; features of many channels would only cost memory. */
    private static Set<String> mapOutputs(Path onnx, OrtSession session) throws OrtException {
        Set<String> maps = new LinkedHashSet<>();
        String last = "no outputs";
        long[] lastShape = null;
        for (NodeInfo node : session.getOutputInfo().values()) {
            if (node.getInfo() instanceof TensorInfo info) {
                last = "the output " + node.getName();
                lastShape = info.getShape();
                if (isFloat(info) && matches(lastShape, 1)) {
                    maps.add(node.getName());
                }
            }
        }
        if (maps.isEmpty()) {
            throw notOfThisKind(onnx, last, lastShape);
        }
        return maps;
    }

    private static Refusal notOfThisKind(Path onnx, String has, long[] shape) {
        StringBuilder text = new StringBuilder(has);
        if (shape != null) {
            text.append(" of shape [");
            for (int i = 0; i < shape.length; i++) {
                text.append(i == 0 ? "" : ", ").append(shape[i] < 0 ? "?" : shape[i]);
            }
            text.append(']');
        }
        return Refusal.input("The network %s has %s, but one that turns a picture [1, 3, H, W] into a map [1, 1, H, W] is "
                + "wanted; use one such as BiRefNet, IS-Net or U2-Net.", onnx, text);
    }

    /** [1, 3, H, W] */
    private static OnnxTensor image(OrtEnvironment environment, Picture picture, Normalisation normalisation,
            OnnxJavaType type) throws OrtException {
        byte[] rgb = picture.rgb();
        float[] planes = new float[rgb.length];
        for (int c = 0; c < 3; c++) {
            for (int i = c, to = c * (rgb.length / 3); i < rgb.length; i += 3, to++) {
                planes[to] = ((rgb[i] & 255) / 255f - normalisation.mean[c]) / normalisation.deviation[c];
            }
        }
        long[] shape = {1, 3, picture.height(), picture.width()};
        FloatBuffer values = FloatBuffer.wrap(planes);
        return type == OnnxJavaType.FLOAT ? OnnxTensor.createTensor(environment, values, shape)
                : OnnxTensor.createTensor(environment, Fp16Conversions.convertFloatBufferToFp16Buffer(values), shape, type);
    }

    /** At the network's size. */
    private static Mask mask(Path onnx, OrtSession.Result result) {
        OnnxTensor finest = null;
        long most = 0;
        for (Map.Entry<String, OnnxValue> output : result) {
            OnnxTensor map = (OnnxTensor) output.getValue();
            long[] shape = map.getInfo().getShape();
            if (!matches(shape, 1)) {
                throw notOfThisKind(onnx, "the output " + output.getKey(), shape);
            }
            if (shape[2] * shape[3] > most) {
                finest = map;
                most = shape[2] * shape[3];
            }
        }
        if (finest == null) {
            throw notOfThisKind(onnx, "only empty outputs", null);
        }
        float[] values = new float[(int) most];
        finest.getFloatBuffer().get(values); // half precision is widened
        long[] shape = finest.getInfo().getShape();
        return Mask.of((int) shape[3], (int) shape[2], coverage(onnx, values));
    }

    private static float[] coverage(Path onnx, float[] values) {
        boolean logits = false;
        for (float value : values) {
            if (Float.isNaN(value)) {
                throw Refusal.input("The network %s gives values that are no numbers; use it in single precision.", onnx);
            }
            logits |= value < -ROUNDING || value > 1 + ROUNDING;
        }
        float[] coverage = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            coverage[i] = logits ? (float) (1 / (1 + Math.exp(-values[i]))) : Math.max(0, Math.min(1, values[i]));
        }
        return coverage;
    }

    /** What ONNX Runtime says, without its codes, its places in C++ and our path; the cause holds it all. */
    private static String reason(OrtException e) {
        String message = e.getMessage() == null ? "" : e.getMessage().lines().findFirst().orElse("");
        String told = message.replaceFirst("^.*(Status Message: | failed:)", "").replaceFirst("^\\S+\\.(cc|h):\\d+ .*\\) ", "")
                .replaceFirst("^Error code - \\w+ - message: ", "").replaceFirst("\\.$", "");
        return told.isEmpty() ? e.getClass().getSimpleName() : told;
    }
}
