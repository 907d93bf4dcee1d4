package dev.likeness.task;

import com.fasterxml.jackson.databind.JsonNode;
import dev.likeness.error.Refusal;
import dev.likeness.weights.JsonFile;
import dev.likeness.weights.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a model folder's model_index.json tells.
 *
 * @param pipeline class name, empty when there is none
 * @param forceZerosForEmptyPrompt whether SDXL is led away from zeros where there is no negative prompt
 */
record ModelIndex(String pipeline, boolean forceZerosForEmptyPrompt) {

    /** @throws Refusal (model) when the folder or the file is missing or unreadable */
    static ModelIndex read(Path folder) {
        Path index = folder.resolve("model_index.json");
        if (!Files.isDirectory(folder)) {
            throw Refusal.model("--model %s is not a folder; point it at a model folder in diffusers layout.", folder);
        }
        if (!Files.isRegularFile(index)) {
            throw Refusal.model("%s has no model_index.json; point --model at a model folder in diffusers layout.", folder);
        }
        JsonNode json = JsonFile.read(index);
        return new ModelIndex(json.path("_class_name").asText(), json.path("force_zeros_for_empty_prompt").asBoolean(true));
    }

    /** The words for a folder of a kind that does not fit. */
    String kind() {
        return pipeline.isEmpty() ? "model without _class_name" : TensorFile.shown(pipeline);
    }
}
