package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.denoise.Evaluations;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.reference.Layout;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The embedded model keeps the project's first promise, on one of its examples. */
class ToyboxTest {

    private static final Path FOLDER = Path.of("../models/toybox");
    private static final Path REFERENCE = Path.of("../examples/teapot.png");
    private static final String PROMPT = "a teapot in the snow";

    private static FluxModel model;
    private static ModelDefaults defaults;

    @BeforeAll
    static void open() {
        model = FluxModel.open(FOLDER, Device.CPU, DType.BFLOAT16);
        defaults = model.defaults();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Sampling sampling(int steps) {
        return new Sampling(defaults.width(), defaults.height(), steps, defaults.guidanceScale(), defaults.trueCfgScale(), "",
                defaults.maxSequenceLength(), 7, 1);
    }

    /** Left in its place, so that the reference's pixels can be compared as they stand. */
    private static Subject subject() {
        Picture cutOut = Pictures.read(REFERENCE);
        Layout inPlace = null;
        return ReferenceFit.fit(cutOut, Mask.ofAlpha(cutOut, "the example"), defaults.width(), defaults.height(), "", inPlace);
    }

    private static Generation personalize(ReplaceAt level, int steps) {
        Injection injection = new Injection(defaults.tau(), Injection.TauBasis.SIGMA, level, defaults.referenceNoise());
        return Personalize.run(model, PROMPT, List.of(subject()), injection, false, sampling(steps), TaskListener.NONE);
    }

    private static double identity(Generation generation) {
        Subject subject = subject();
        return MaskedPsnr.of(subject.picture(), subject.mask(), generation.images().get(0).picture(), 0, 0);
    }

    @Test
    void aSubjectThatItNeverSawIsItselfInTheNewPicture() {
        Sampling sampling = sampling(defaults.steps());
        double plain = identity(Generate.run(model, PROMPT, sampling, TaskListener.NONE));
        Generation personalized = personalize(defaults.replaceAt(), defaults.steps());
        assertThat(identity(personalized)).isGreaterThan(plain + 3);
        assertThat(personalized.evaluations()).isEqualTo(new Evaluations(28, 0, 0, 0));
    }

    @Test
    void theReferenceRunsThroughTheNetworkOnlyWhileItsTokensAreAskedFor() {
        long above = Arrays.stream(model.sigmas(sampling(4))).filter(sigma -> sigma > defaults.tau()).count();
        assertThat(personalize(ReplaceAt.ATTENTION, 4).evaluations()).isEqualTo(new Evaluations(4, 0, (int) above, 0));
    }

    @Test
    void itIsAtMostThirtyMegabytes() throws IOException {
        try (Stream<Path> files = Files.walk(FOLDER)) {
            long bytes = files.filter(file -> file.toString().endsWith(".safetensors")).mapToLong(file -> file.toFile().length())
                    .sum();
            assertThat(bytes).isBetween(1L, 30_000_000L);
        }
    }
}
