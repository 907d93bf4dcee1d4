package dev.likeness.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The image routes of OpenAI's API reference (Images: create, create edit), for clients that speak that. Fields that mean
 * nothing here (quality, style, user ...) are passed over.
 */
final class OpenAi {

    static final String PREFIX = "/v1/";

    private static final Pattern SIZE = Pattern.compile("([0-9]{1,5})x([0-9]{1,5})");

    private final Synchronous synchronous;
    private final String modelName;

    OpenAi(Synchronous synchronous, String modelName) {
        this.synchronous = synchronous;
        this.modelName = modelName;
    }

    void addTo(RoutesConfig routes) {
        routes.get("/v1/models", this::models);
        routes.post("/v1/images/generations", this::generate);
        routes.post("/v1/images/edits", this::edit);
    }

    private void models(Context context) {
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        list.putArray("data").addObject().put("id", modelName).put("object", "model").put("created", 0)
                .put("owned_by", "likeness");
        Api.json(context, 200, list);
    }

    private void generate(Context context) {
        ObjectNode request = JsonNodeFactory.instance.objectNode().put("task", "generate");
        Fields fields;
        try (Body body = synchronous.receive(context, true, false)) {
            fields = new Fields(body.json(), "");
        }
        request.put("prompt", fields.requireText("prompt")).put("num_images", fields.integer("n", 1));
        Matcher size = size(fields.text("size"));
        if (size != null) {
            request.put("width", Integer.parseInt(size.group(1))).put("height", Integer.parseInt(size.group(2)));
        }
        requirePng(fields.text("output_format"), fields.flag("stream", false));
        answer(context, request, fields.text("response_format"), fields.text("model"));
    }

    private void edit(Context context) {
        ObjectNode request;
        String format;
        String model;
        try (Body body = synchronous.receive(context, false, true)) {
            List<Path> images = new ArrayList<>(body.parts("image"));
            images.addAll(body.parts("image[]"));
            if (images.size() != 1) {
                throw Problem.at("/image", "One image is edited and there are %d; send one.", images.size());
            }
            if (body.field("prompt") == null) {
                throw Problem.at("/prompt", "prompt is missing; give it.");
            }
            requirePng(body.field("output_format"), "true".equals(body.field("stream")));
            Matcher size = size(body.field("size"));
            request = synchronous.decoding(folder -> {
                Picture picture = synchronous.picture(images.get(0), "/image");
                Path mask = body.part("mask");
                Picture shown = mask == null ? picture : synchronous.picture(mask, "/mask");
                if (!shown.hasAlpha()) {
                    throw Problem.at(mask == null ? "/image" : "/mask",
                            "It has no transparent pixels, which say what shall be new; send a mask that has.");
                }
                if (size != null && (picture.width() != Integer.parseInt(size.group(1))
                        || picture.height() != Integer.parseInt(size.group(2)))) {
                    throw Problem.at("/size", "size is not that of the image, %d x %d; leave it out.", picture.width(),
                            picture.height());
                }
                return Synchronous.inpaint(picture, Mask.ofAlpha(shown, "The mask").invert());
            });
            request.put("prompt", body.field("prompt")).put("num_images", count(body.field("n")));
            format = body.field("response_format");
            model = body.field("model");
        }
        answer(context, request, format, model);
    }

    private static int count(String text) {
        if (text != null && !text.matches("[0-9]{1,4}")) {
            throw Problem.at("/n", "n is not a number; write one.");
        }
        return text == null ? 1 : Integer.parseInt(text);
    }

    /** @return null for the usual size */
    private static Matcher size(String text) {
        if (text == null || text.equals("auto")) {
            return null;
        }
        Matcher size = SIZE.matcher(text);
        if (!size.matches()) {
            throw Problem.at("/size", "size is neither auto nor WIDTHxHEIGHT; write it such as 256x256.");
        }
        return size;
    }

    private static void requirePng(String format, boolean stream) {
        if (format != null && !format.equals("png")) {
            throw Problem.at("/output_format", "Only png is written; leave output_format out.");
        }
        if (stream) {
            throw Problem.at("/stream", "These routes do not stream; leave stream out.");
        }
    }

    private void answer(Context context, ObjectNode request, String format, String model) {
        if (format != null && !format.equals("url") && !format.equals("b64_json")) {
            throw Problem.at("/response_format", "response_format is neither url nor b64_json; use one of the two.");
        }
        // As there: the GPT models always answer with the data, the others with an address unless asked otherwise.
        boolean data = format == null ? model != null && model.startsWith("gpt-image") : format.equals("b64_json");
        ObjectNode answer = JsonNodeFactory.instance.objectNode().put("created", System.currentTimeMillis() / 1000);
        ArrayNode list = answer.putArray("data");
        for (Synchronous.Made made : synchronous.make(request)) {
            if (data) {
                list.addObject().put("b64_json", made.base64());
            } else {
                list.addObject().put("url", context.scheme() + "://" + context.header("Host") + "/api/v1/images/"
                        + made.image().id());
            }
        }
        Api.json(context, 200, answer);
    }

    static void refuse(Problem problem, Context context) {
        int status = problem.kind == Problem.Kind.INVALID_REQUEST ? 400 : problem.kind.status;
        String type = switch (status) {
            case 401 -> "authentication_error";
            case 429 -> "rate_limit_error";
            default -> status < 500 ? "invalid_request_error" : "server_error";
        };
        String param = problem.pointer == null ? null : switch (problem.pointer) {
            case "/num_images" -> "n";
            case "/width", "/height" -> "size";
            default -> problem.pointer.substring(1);
        };
        ObjectNode error = JsonNodeFactory.instance.objectNode();
        error.putObject("error").put("message", problem.getMessage()).put("type", type).put("param", param)
                .put("code", problem.kind.slug().replace('-', '_'));
        Api.json(context, status, error);
    }
}
