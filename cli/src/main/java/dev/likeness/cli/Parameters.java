package dev.likeness.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Sampling;
import dev.likeness.tensor.Ops;

/** Effective parameters by flag name, the form that metadata holds and {@code replay} reads. */
final class Parameters {

    private Parameters() {}

    /** All that every task shares, without the seed. @param prompt null for a task that takes none */
    static ObjectNode of(String prompt, Sampling sampling, FluxModel model) {
        ObjectNode parameters = new ObjectMapper().createObjectNode();
        if (prompt != null) {
            parameters.put("prompt", prompt);
        }
        parameters.put("negative-prompt", sampling.negativePrompt());
        parameters.put("width", sampling.width()).put("height", sampling.height()).put("steps", sampling.steps());
        parameters.put("guidance-scale", sampling.guidanceScale()).put("true-cfg-scale", sampling.trueCfgScale());
        parameters.put("max-sequence-length", sampling.maxSequenceLength());
        parameters.put("dtype", model.dtype().flag()).put("device", model.device().name()).put("threads", Ops.threads(0));
        model.singleFiles().forEach((component, file) ->
                parameters.put(component.flag().substring("--".length()), file.toString()));
        return parameters;
    }
}
