package dev.likeness.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.nio.file.Path;
import java.util.List;

/**
 * The routes txt2img and img2img of AUTOMATIC1111's stable-diffusion-webui. Fields that mean nothing here (samplers,
 * scripts, face restoration ...) are passed over.
 */
final class Webui {

    static final String PREFIX = "/sdapi/";

    private static final int MASK_BLUR = 4; // as there

    private final Synchronous synchronous;

    Webui(Synchronous synchronous) {
        this.synchronous = synchronous;
    }

    void addTo(RoutesConfig routes) {
        routes.post("/sdapi/v1/txt2img", context -> {
            Fields fields = fields(context);
            ObjectNode request = JsonNodeFactory.instance.objectNode().put("task", "generate");
            copy(fields, "width", request, "width");
            copy(fields, "height", request, "height");
            answer(context, fields, request);
        });
        routes.post("/sdapi/v1/img2img", context -> {
            Fields fields = fields(context);
            List<String> images = fields.texts("init_images");
            if (images.size() != 1) {
                throw Problem.at("/init_images", "One picture is changed and there are %d; send one.", images.size());
            }
            if (!fields.has("mask")) {
                throw Problem.at("/mask", "Pictures are changed inside a mask only; send one that is white where the "
                        + "picture shall be new.");
            }
            ObjectNode request = synchronous.decoding(folder -> inpaint(fields, images.get(0), folder));
            request.put("soft_edge", Math.max(0, fields.integer("mask_blur", MASK_BLUR)));
            answer(context, fields, request);
        });
    }

    private Fields fields(Context context) {
        try (Body body = synchronous.receive(context, true, false)) {
            return new Fields(body.json(), "");
        }
    }

    private ObjectNode inpaint(Fields fields, String image, Path folder) {
        Picture picture = synchronous.picture(image, folder.resolve("image"), "/init_images/0");
        Picture white = synchronous.picture(fields.text("mask"), folder.resolve("mask"), "/mask");
        Mask mask = Mask.ofLuminance(white, fields.integer("inpainting_mask_invert", 0) == 1);
        int width = fields.integer("width", picture.width());
        int height = fields.integer("height", picture.height());
        if (width < 1 || height < 1 || (long) width * height > 4L * picture.width() * picture.height() + (1 << 22)) {
            throw Problem.at("/width", "%d x %d pixels are out of range; give the size of the picture.", width, height);
        }
        return Synchronous.inpaint(picture.resize(width, height), mask.resize(width, height));
    }

    private static void copy(Fields from, String name, ObjectNode to, String as) {
        if (from.has(name)) {
            to.set(as, from.object().get(name));
        }
    }

    private void answer(Context context, Fields fields, ObjectNode request) {
        request.put("prompt", fields.text("prompt", ""));
        copy(fields, "negative_prompt", request, "negative_prompt");
        copy(fields, "steps", request, "steps");
        if (fields.has("cfg_scale")) {
            request.put("true_cfg_scale", Math.max(1, fields.number("cfg_scale")));
        }
        Long seed = fields.whole("seed");
        if (seed != null && seed >= 0) { // -1 stands for any
            request.put("seed", seed);
        }
        request.put("num_images", Math.multiplyExact((long) fields.integer("batch_size", 1), fields.integer("n_iter", 1)));
        List<Synchronous.Made> made = synchronous.make(request);
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        ArrayNode images = answer.putArray("images");
        made.forEach(one -> images.add(one.base64()));
        ObjectNode told = fields.object().deepCopy();
        told.remove(List.of("init_images", "mask"));
        answer.set("parameters", told);
        answer.put("info", info(made).toString());
        Api.json(context, 200, answer);
    }

    private static ObjectNode info(List<Synchronous.Made> made) {
        Jobs.Image first = made.get(0).image();
        ObjectNode parameters = first.parameters();
        ObjectNode info = JsonNodeFactory.instance.objectNode().put("prompt", first.prompt())
                .put("negative_prompt", parameters.path("negative-prompt").asText()).put("seed", first.seed())
                .put("width", first.width()).put("height", first.height()).put("sampler_name", "Euler")
                .put("cfg_scale", parameters.path("true-cfg-scale").asDouble())
                        .put("steps", parameters.path("steps").asInt())
                .put("batch_size", made.size());
        ArrayNode prompts = info.putArray("all_prompts");
        ArrayNode seeds = info.putArray("all_seeds");
        made.forEach(one -> {
            prompts.add(one.image().prompt());
            seeds.add(one.image().seed());
        });
        return info;
    }

    static void refuse(Problem problem, Context context) {
        ObjectNode error = JsonNodeFactory.instance.objectNode().put("error", problem.kind.title)
                .put("detail", problem.getMessage()).put("body", "")
                .put("errors", problem.pointer == null ? "" : problem.pointer.substring(1));
        Api.json(context, problem.kind.status, error);
    }
}
