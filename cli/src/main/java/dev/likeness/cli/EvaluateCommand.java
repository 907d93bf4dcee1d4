package dev.likeness.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.error.Refusal;
import dev.likeness.image.ContactSheet;
import dev.likeness.image.Mask;
import dev.likeness.image.OutputFile;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.PngWriter;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.reference.Layout;
import dev.likeness.reference.Placement;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generate;
import dev.likeness.task.Generation;
import dev.likeness.task.Injection;
import dev.likeness.task.Subject;
import dev.likeness.task.ModelDefaults;
import dev.likeness.task.Personalize;
import dev.likeness.task.Injection.TauBasis;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.TaskListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "evaluate", mixinStandardHelpOptions = true,
        description = "Identity of a folder of cut-out subjects at their new place, against plain generation.")
final class EvaluateCommand implements Callable<Integer> {

    private static final List<String> SCENES = List.of("on a beach", "in the snow", "in a forest");
    private static final Layout PLACE = new Layout(0.5, 0.6);

    @Mixin
    ModelOptions modelOptions;

    @Option(names = "--subjects", required = true, paramLabel = "DIR",
            description = "PNG cut-outs with alpha; the file name is the subject's name in the prompt")
    Path subjects;

    @Option(names = "--only", split = ",", paramLabel = "NAME", description = "only these subjects of the folder")
    List<String> only;

    @Option(names = "--tau", split = ",", paramLabel = "T", description = "taus to try; the model's default otherwise")
    List<Double> taus;

    @Option(names = "--replace-at", split = ",", description = "levels to try; the model's default otherwise")
    List<ReplaceAt> levels;

    @Option(names = "--reference-noise", arity = "1", split = ",", description = "true, false or both; the model's default otherwise")
    List<Boolean> noises;

    @Option(names = "--true-cfg-scale", paramLabel = "X", description = "classifier-free guidance")
    Double trueCfgScale;

    @Option(names = "--sheet", paramLabel = "FILE",
            description = "also write a PNG with reference, plain generation and the variants, a row a subject")
    Path sheet;

    @Option(names = "--scene-only", description = "the prompt names the scene alone, not the subject")
    boolean sceneOnly;

    @Option(names = "--seed", defaultValue = "7", description = "default: ${DEFAULT-VALUE}")
    long seed;

    private record Variant(double tau, ReplaceAt level, boolean noise) {
        String label() {
            return String.format(Locale.ROOT, "%s, tau %.2f%s", level.name().toLowerCase(Locale.ROOT), tau,
                    noise ? ", reference noise" : "");
        }
    }

    @Override
    public Integer call() throws IOException {
        if (sheet != null) {
            OutputFile.requireWritable(sheet);
        }
        List<Path> cutOuts = files();
        try (FluxModel model = modelOptions.open()) {
            ModelDefaults defaults = model.defaults();
            Sampling sampling = new Sampling(defaults.width(), defaults.height(), defaults.steps(),
                    defaults.guidanceScale(), SamplingOptions.or(trueCfgScale, defaults.trueCfgScale()), "",
                    defaults.maxSequenceLength(), seed, 1);
            List<Variant> variants = variants(defaults);
            double[] sums = new double[variants.size() + 1];
            int cases = 0;
            List<Picture> pictures = new ArrayList<>();
            List<String> labels = new ArrayList<>();
            int number = 0;
            for (Path file : cutOuts) {
                Picture cutOut = Pictures.read(file);
                Subject subject = ReferenceFit.fit(cutOut, Mask.ofAlpha(cutOut, file.toString()), sampling.width(),
                        sampling.height(), "", PLACE);
                String noun = noun(file);
                String shown = SCENES.get(number++ % SCENES.size());
                for (String scene : SCENES) {
                    String prompt = sceneOnly ? scene.substring(scene.indexOf(' ') + 1)
                            : (noun.matches("[aeiou].*") ? "an " : "a ") + noun + " " + scene;
                    List<Picture> made = make(model, subject, prompt, sampling, variants);
                    cases++;
                    for (int i = 0; i < made.size(); i++) {
                        sums[i] += identity(subject, made.get(i));
                    }
                    if (scene.equals(shown)) {
                        pictures.add(subject.picture());
                        pictures.addAll(made);
                        labels.addAll(List.of("reference", prompt));
                        variants.forEach(variant -> labels.add(variant.label()));
                    }
                }
                System.err.printf(Locale.ROOT, "%s: plain %.2f dB%s%n", noun, sums[0] / cases, means(sums, cases));
            }
            if (sheet != null) {
                PngWriter.write(sheet, ContactSheet.of(pictures, labels, variants.size() + 2), Map.of());
            }
            print(variants, sums, cases);
            return 0;
        }
    }

    private static String noun(Path file) {
        return file.getFileName().toString().replace(".png", "").replace('-', ' ');
    }

    private List<Variant> variants(ModelDefaults defaults) {
        List<Variant> variants = new ArrayList<>();
        for (ReplaceAt level : SamplingOptions.or(levels, List.of(defaults.replaceAt()))) {
            for (boolean noise : SamplingOptions.or(noises, List.of(defaults.referenceNoise()))) {
                for (double tau : SamplingOptions.or(taus, List.of(defaults.tau()))) {
                    variants.add(new Variant(tau, level, noise));
                }
            }
        }
        return variants;
    }

    private List<Path> files() throws IOException {
        if (!Files.isDirectory(subjects)) {
            throw Refusal.input("--subjects %s is not a folder; give a folder of PNG cut-outs.", subjects);
        }
        try (Stream<Path> all = Files.list(subjects)) {
            List<Path> cutOuts = all.filter(file -> file.toString().endsWith(".png"))
                    .filter(file -> only == null || only.contains(noun(file))).sorted().toList();
            if (cutOuts.isEmpty()) {
                throw Refusal.input("--subjects %s holds no PNG file%s; give a folder of PNG cut-outs.", subjects,
                        only == null ? "" : " named in --only " + String.join(",", only));
            }
            return cutOuts;
        }
    }

    /** Plain generation, then each variant. */
    private static List<Picture> make(FluxModel model, Subject subject, String prompt, Sampling sampling,
            List<Variant> variants) {
        List<Picture> made = new ArrayList<>();
        made.add(only(Generate.run(model, prompt, sampling, TaskListener.NONE)));
        for (Variant variant : variants) {
            Injection injection =
                    new Injection(variant.tau(), TauBasis.SIGMA, variant.level(), variant.noise());
            made.add(only(Personalize.run(model, prompt, List.of(subject), injection, false, sampling, TaskListener.NONE)));
        }
        return made;
    }

    private static Picture only(Generation generation) {
        return generation.images().get(0).picture();
    }

    /** Masked PSNR in dB of the subject at its new place. */
    private static double identity(Subject subject, Picture made) {
        Placement placement = Placement.of(TokenMask.of(subject.mask(), TokenMask.Rule.QUARTER), subject.layout());
        int columns = made.width() / TokenMask.TOKEN;
        int right = (int) (placement.target()[0] % columns - placement.source()[0] % columns) * TokenMask.TOKEN;
        int down = (int) (placement.target()[0] / columns - placement.source()[0] / columns) * TokenMask.TOKEN;
        return MaskedPsnr.of(subject.picture(), subject.mask(), made, right, down);
    }

    private static String means(double[] sums, int cases) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < sums.length; i++) {
            text.append(String.format(Locale.ROOT, ", %d: %+.2f", i, (sums[i] - sums[0]) / cases));
        }
        return text.toString();
    }

    private static void print(List<Variant> variants, double[] sums, int cases) {
        ObjectNode result = new ObjectMapper().createObjectNode();
        result.put("cases", cases).put("plain_db", sums[0] / cases);
        for (int i = 0; i < variants.size(); i++) {
            Variant variant = variants.get(i);
            result.withArray("variants").addObject().put("replace-at", variant.level().name().toLowerCase(Locale.ROOT))
                    .put("tau", variant.tau()).put("reference-noise", variant.noise()).put("db", sums[i + 1] / cases)
                    .put("gain_db", (sums[i + 1] - sums[0]) / cases);
        }
        System.out.println(result.toPrettyString());
    }
}
