package dev.likeness.request;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.denoise.Evaluations;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Sampling;
import dev.likeness.tensor.Ops;

/** Effective parameters by flag name, the form that metadata holds and {@code replay} reads. */
public final class Parameters {

    private static final ObjectMapper JSON = new ObjectMapper();

    private Parameters() {}

    /** All that every task shares, without the seed. @param prompt null for a task that takes none */
    public static ObjectNode of(String prompt, Sampling sampling, FluxModel model) {
        ObjectNode parameters = JSON.createObjectNode();
        if (prompt != null) {
            parameters.put("prompt", prompt);
        }
        parameters.put("negative-prompt", sampling.negativePrompt());
        parameters.put("width", sampling.width()).put("height", sampling.height()).put("steps", sampling.steps());
        parameters.put("guidance-scale", sampling.guidanceScale()).put("true-cfg-scale", sampling.trueCfgScale());
        parameters.put("max-sequence-length", sampling.maxSequenceLength());
        parameters.put("dtype", model.dtype().flag()).put("device", model.device().name()).put("threads", Ops.threads(0))
                .put("memory", model.memory().plan().flag());
        model.singleFiles().forEach((component, file) ->
                parameters.put(component.flag().substring("--".length()), file.toString()));
        model.loras().forEach(lora -> parameters.withArray("lora").add(lora.flag(lora.path().toString())));
        return parameters;
    }

    /**
     * The record of one picture, for {@link dev.likeness.metadata.Metadata#toChunks}.
     *
     * @param parameters every effective parameter by its flag name, without the seed; input files named from the folder
     *     that the picture is written to
     */
    public static ObjectNode record(String task, FluxModel model, ObjectNode parameters, Generation generation,
            Generation.Image image) {
        ObjectNode record = JSON.createObjectNode();
        record.put("task", task).put("model", model.name());
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
