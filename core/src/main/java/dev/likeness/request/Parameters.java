package dev.likeness.request;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.denoise.Evaluations;
import dev.likeness.task.DiffusionModel;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Sampling;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;

/** Effective parameters by flag name, the form that metadata holds and {@code replay} reads. */
public final class Parameters {

    private static final ObjectMapper JSON = new ObjectMapper();

    private Parameters() {}

    /** All that every task shares, without the seed. @param prompt null for a task that takes none */
    public static ObjectNode of(String prompt, Sampling sampling, FluxModel model) {
        ObjectNode parameters = parameters(prompt, sampling);
        parameters.put("guidance-scale", sampling.guidanceScale()).put("true-cfg-scale", sampling.trueCfgScale());
        parameters.put("max-sequence-length", sampling.maxSequenceLength());
        putMachine(parameters, model.dtype(), model.device()).put("memory", model.memory().plan().flag());
        model.singleFiles().forEach((component, file) ->
                parameters.put(component.flag().substring("--".length()), file.toString()));
        model.loras().forEach(lora -> parameters.withArray("lora").add(lora.flag(lora.path().toString())));
        return parameters;
    }

    /** The same of a model that tells noise from latents. */
    public static ObjectNode of(String prompt, Sampling sampling, DiffusionModel model) {
        ObjectNode parameters = parameters(prompt, sampling).put("true-cfg-scale", sampling.trueCfgScale());
        return putMachine(parameters, model.dtype(), model.device());
    }

    private static ObjectNode parameters(String prompt, Sampling sampling) {
        ObjectNode parameters = JSON.createObjectNode();
        if (prompt != null) {
            parameters.put("prompt", prompt);
        }
        parameters.put("negative-prompt", sampling.negativePrompt());
        return parameters.put("width", sampling.width()).put("height", sampling.height()).put("steps", sampling.steps());
    }

    private static ObjectNode putMachine(ObjectNode parameters, DType dtype, Device device) {
        return parameters.put("dtype", dtype.flag()).put("device", device.name()).put("threads", Ops.threads(0));
    }

    /**
     * The record of one picture, for {@link dev.likeness.metadata.Metadata#toChunks}.
     *
     * @param model its name
     * @param parameters every effective parameter by its flag name, without the seed; input files named from the folder
     *     that the picture is written to
     */
    public static ObjectNode record(String task, String model, ObjectNode parameters, Generation generation,
            Generation.Image image) {
        ObjectNode record = JSON.createObjectNode();
        record.put("task", task).put("model", model);
        record.set("parameters", parameters.deepCopy().put("seed", image.seed()));
        record.set("evaluations", evaluations(generation.evaluations(), generation.images().size()));
        return record;
    }

    /**
     * Passes of one picture. Those of its references are left out: what these take depends on what was made before, and the
     * same picture shall be the same file.
     */
    private static JsonNode evaluations(Evaluations all, int pictures) {
        return JSON.createObjectNode().put("target", all.target() / pictures)
                .put("unconditional", all.unconditional() / pictures);
    }
}
