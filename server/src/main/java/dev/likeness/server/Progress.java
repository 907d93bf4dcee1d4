package dev.likeness.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Base64;

/**
 * How far a running job is.
 *
 * @param image which picture, from 1; 0 before the first
 * @param images of the whole job
 * @param step done of that picture
 * @param secondsLeft negative while that cannot be told
 * @param preview a small PNG; null for none
 */
record Progress(String job, String phase, int image, int images, int step, int steps, double sigma, double secondsLeft,
        byte[] preview) {

    Progress in(String next) {
        return new Progress(job, next, image, images, step, steps, sigma, secondsLeft, preview);
    }

    double percent() {
        return image == 0 || steps == 0 ? 0 : 100.0 * ((image - 1.0) * steps + step) / ((double) images * steps);
    }

    ObjectNode json(boolean withPreview) {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("phase", phase);
        if (image > 0) {
            json.put("image", image).put("images", images).put("step", step).put("steps", steps).put("sigma", sigma);
        }
        json.put("percent", Math.round(10 * percent()) / 10.0);
        if (secondsLeft >= 0) {
            json.put("seconds_left", Math.round(10 * secondsLeft) / 10.0);
        }
        if (withPreview && preview != null) {
            json.put("preview", pngUrl(preview));
        }
        return json;
    }

    static String pngUrl(byte[] png) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(png);
    }
}
