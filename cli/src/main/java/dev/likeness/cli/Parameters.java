package dev.likeness.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.task.Sampling;

/** Effective parameters by flag name, the form that metadata holds and {@code replay} reads. */
final class Parameters {

    private Parameters() {}

    /** All that every task shares, without the seed. */
    static ObjectNode of(String prompt, Sampling sampling, ModelOptions model) {
        ObjectNode parameters = new ObjectMapper().createObjectNode();
        parameters.put("prompt", prompt).put("negative-prompt", sampling.negativePrompt());
        parameters.put("width", sampling.width()).put("height", sampling.height()).put("steps", sampling.steps());
        parameters.put("guidance-scale", sampling.guidanceScale()).put("true-cfg-scale", sampling.trueCfgScale());
        parameters.put("dtype", model.dtype).put("device", model.device);
        return parameters;
    }
}
