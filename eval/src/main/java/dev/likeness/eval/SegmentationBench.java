package dev.likeness.eval;

import dev.likeness.image.Box;
import dev.likeness.image.Mask;
import dev.likeness.segment.Segmentation;
import dev.likeness.segment.Segmenter;
import dev.likeness.task.FluxModel;
import dev.likeness.train.data.ToyboxData;
import java.util.ArrayList;
import java.util.List;

/** Intersection over union of found and true masks. */
public final class SegmentationBench {

    private static final int MARGIN = 4; // pixels between the subject and the box that a user would draw

    /** @param mean of intersection over union @param worst the least of them */
    public record Row(String way, double mean, double worst) {}

    private SegmentationBench() {}

    public static List<Row> run(FluxModel model, ToyboxData data, int pictures) {
        List<String> ways = List.of("attention:WORD, with the caption", "attention:WORD, without", "box", "click");
        double[] sums = new double[ways.size()];
        double[] worst = {1, 1, 1, 1};
        for (ToyPictures.Labelled labelled : ToyPictures.draw(data, pictures)) {
            List<Segmentation> asked = List.of(new Segmentation.Attention(labelled.word()),
                    new Segmentation.Attention(labelled.word()), new Segmentation.InBox(around(labelled.box())),
                    middle(labelled.mask()));
            for (int i = 0; i < sums.length; i++) {
                String caption = i == 0 ? labelled.caption() : "";
                Mask found = Segmenter.mask(asked.get(i), labelled.picture(), "the picture", caption, model);
                double iou = found.iou(labelled.mask());
                sums[i] += iou / pictures;
                worst[i] = Math.min(worst[i], iou);
            }
        }
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < sums.length; i++) {
            rows.add(new Row(ways.get(i), sums[i], worst[i]));
        }
        return rows;
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
