package dev.likeness.eval;

import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import dev.likeness.train.data.ToyboxData;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Found masks of drawn pictures against the true ones. */
public final class SegmentationBench implements Suite {

    private static final int MARGIN = 4; // pixels between the subject and the box that a user would draw
    private static final long SEED = 0; // nothing is drawn by lot

    private final FluxModel model;
    private final List<Case> cases;

    /** @param count number of pictures */
    public SegmentationBench(FluxModel model, ToyboxData data, int count) {
        this.model = model;
        cases = ToyPictures.cases(data, count, List.copyOf(methods().keySet()), SEED, this::run);
    }

    private List<Outcome> run(ToyPictures.Labelled labelled, Set<String> wanted) {
        List<Outcome> outcomes = new ArrayList<>();
        for (String method : wanted) {
            Segmentation asked = switch (method) {
                case "box" -> new Segmentation.InBox(around(labelled.box()));
                case "click" -> middle(labelled.mask());
                default -> new Segmentation.Attention(labelled.word());
            };
            String caption = method.equals("attention-caption") ? labelled.caption() : "";
            Mask found = Segmenter.mask(asked, labelled.picture(), "the picture", caption, model);
            outcomes.add(new Outcome(method, SEED, Map.of(Instrument.MASK_IOU, found.iou(labelled.mask())),
                    found.toPicture()));
        }
        return outcomes;
    }

    @Override
    public String name() {
        return "segmentation";
    }

    @Override
    public List<String> notes() {
        return List.of("Masks of the subject of drawn pictures, found in each way that --segment offers without further "
                + "files; box and click are given as a user would who sees the subject.");
    }

    @Override
    public List<Instrument> instruments() {
        return List.of(Instrument.MASK_IOU);
    }

    @Override
    public Map<String, String> methods() {
        Map<String, String> titles = new LinkedHashMap<>();
        titles.put("attention-caption", "attention:WORD, with the caption");
        titles.put("attention", "attention:WORD, without");
        titles.put("box", "box");
        titles.put("click", "click");
        return titles;
    }

    @Override
    public List<Case> cases() {
        return cases;
    }

    private static Box around(Box box) {
        int left = Math.max(0, box.x() - MARGIN);
        int top = Math.max(0, box.y() - MARGIN);
        return new Box(left, top, Math.min(ToyPictures.SIZE, box.x() + box.width() + MARGIN) - left,
                Math.min(ToyPictures.SIZE, box.y() + box.height() + MARGIN) - top);
    }

    /** The subject's pixel nearest to the mean of all of them. */
    private static Segmentation middle(Mask mask) {
        double sumX = 0;
        double sumY = 0;
        int count = 0;
        for (int i = 0; i < mask.width() * mask.height(); i++) {
            if (mask.isSubject(i % mask.width(), i / mask.width())) {
                sumX += i % mask.width();
                sumY += i / mask.width();
                count++;
            }
        }
        int best = 0;
        double least = Double.MAX_VALUE;
        for (int i = 0; i < mask.width() * mask.height(); i++) {
            double distance = Math.hypot(i % mask.width() - sumX / count, i / mask.width() - sumY / count);
            if (mask.isSubject(i % mask.width(), i / mask.width()) && distance < least) {
                least = distance;
                best = i;
            }
        }
        return new Segmentation.Click(best % mask.width(), best / mask.width());
    }
}
