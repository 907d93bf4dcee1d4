package dev.likeness.cli;

import dev.likeness.error.Refusal;
import dev.likeness.image.PngWriter;
import dev.likeness.task.FluxModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.train.ClassifierTraining;
import dev.likeness.train.SampleGrid;
import dev.likeness.train.ToyboxTraining;
import dev.likeness.train.ToyboxUNetTraining;
import dev.likeness.train.data.Curation;
import dev.likeness.train.data.NpmPackages;
import dev.likeness.train.data.SpriteLibrary;
import dev.likeness.train.data.Subjects;
import dev.likeness.train.data.ToyboxData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "train", mixinStandardHelpOptions = true,
        description = "Trains an embedded model from nothing; goes on where it was stopped.")
final class TrainCommand implements Callable<Integer> {

    /** What toybox-unet has no such thing for. */
    private static final List<String> TOYBOX_ONLY =
            List.of("--part", "--vae-steps", "--classifier-steps", "--from", "--distilled", "--sample-size");

    @Spec
    CommandSpec spec;

    private enum Part { SPLIT, VAE, TRANSFORMER, CLASSIFIER, SAMPLES, ALL }

    @Parameters(paramLabel = "MODEL", description = "what to train: toybox, or toybox-unet, the small U-Net that it is compared with")
    String name;

    @Option(names = "--part", defaultValue = "all",
            description = "vae, transformer, classifier (the judge of pictures, written into judge in the output folder), samples (a grid of pictures, samples.png in the work folder), split (checks that "
                    + "no training subject looks like a held-out one) or all (default: ${DEFAULT-VALUE})")
    Part part;

    @Option(names = "--data", defaultValue = ".toybox/data", paramLabel = "DIR",
            description = "the two npm packages; fetched into it when missing (default: ${DEFAULT-VALUE})")
    Path data;

    @Option(names = "--work", defaultValue = ".toybox/work", paramLabel = "DIR",
            description = "checkpoints (default: ${DEFAULT-VALUE})")
    Path work;

    @Option(names = {"-o", "--output"}, paramLabel = "DIR",
            description = "model folder to write (default: .toybox/model, of toybox-unet .toybox/unet)")
    Path output;

    @Option(names = "--vae-steps", defaultValue = "3400", description = "default: ${DEFAULT-VALUE}")
    int vaeSteps;

    @Option(names = "--classifier-steps", defaultValue = "3000", description = "default: ${DEFAULT-VALUE}")
    int classifierSteps;

    @Option(names = "--from", defaultValue = "0", paramLabel = "UPDATE",
            description = "go on from the transformer in the output folder, which stands at this update, when the work folder holds no state "
                    + "(default: ${DEFAULT-VALUE}, begin with nothing)")
    long from;

    @Option(names = "--large-until", paramLabel = "UPDATE",
            description = "end of the stage with large subjects, 128 px (default: 1000, of toybox-unet 1500)")
    Long largeUntil;

    @Option(names = "--anywhere-until", paramLabel = "UPDATE",
            description = "end of the stage with subjects anywhere, 128 px (default: 2500, of toybox-unet 4000)")
    Long anywhereUntil;

    @Option(names = "--until", paramLabel = "UPDATE",
            description = "end of training, the rest at 256 px (default: 7400, of toybox-unet 8000)")
    Long until;

    @Option(names = "--toybox", paramLabel = "DIR",
            description = "for toybox-unet, the model that lends it autoencoder and text encoder (default: models/toybox)")
    Path toybox;

    @Option(names = "--distilled", defaultValue = "450", paramLabel = "UPDATES",
            description = "updates of the distillation of guidance that follows (default: ${DEFAULT-VALUE})")
    long distilled;

    @Option(names = "--subjects", defaultValue = "80", description = "named subjects (default: ${DEFAULT-VALUE})")
    int subjects;

    @Option(names = "--sample-size", defaultValue = "256", paramLabel = "PX",
            description = "side of a sample (default: ${DEFAULT-VALUE})")
    int side;

    @Option(names = "--threads", defaultValue = "0", paramLabel = "N", description = "CPU threads; 0 takes the physical cores")
    int threads;

    @Override
    public Integer call() throws IOException {
        boolean unet = name.equals(ModelOptions.EMBEDDED_UNET);
        if (!unet && !name.equals(ModelOptions.EMBEDDED)) {
            throw Refusal.usage("train %s: there is nothing of that name to train; use toybox or toybox-unet.", name);
        }
        for (String flag : unet ? TOYBOX_ONLY : List.of("--toybox")) {
            if (spec.commandLine().getParseResult().hasMatchedOption(flag)) {
                throw Refusal.usage("%s is not for train %s; leave it out.", flag, name);
            }
        }
        if (output == null) {
            output = Path.of(".toybox", unet ? "unet" : "model");
        }
        if (unet && Files.exists(output.resolve("transformer"))) {
            throw Refusal.usage("-o %s holds a model with a transformer, which toybox-unet would overwrite; name another folder.",
                    output);
        }
        Ops.threads(threads);
        if (unet) {
            trainUNet();
            return 0;
        }
        if (part == Part.SAMPLES) {
            drawSamples();
            return 0;
        }
        NpmPackages.fetch(data);
        if (part == Part.SPLIT) {
            List<String> violations = new Curation(SpriteLibrary.open(data)).violations(Subjects.all());
            violations.forEach(System.out::println);
            return violations.isEmpty() ? 0 : 1;
        }
        if (part == Part.CLASSIFIER) {
            ClassifierTraining training = new ClassifierTraining(ToyboxData.load(data), Files.createDirectories(work),
                    classifierSteps);
            training.run(System.err::println);
            training.export(output.resolve("judge"));
            return 0;
        }
        ToyboxTraining training = new ToyboxTraining(data, work, output, System.err::println);
        ToyboxTraining.Plan plan = new ToyboxTraining.Plan(vaeSteps, from, or(largeUntil, 1000), or(anywhereUntil, 2500),
                or(until, 7400), distilled, subjects);
        if (part != Part.TRANSFORMER) {
            training.trainVae(plan);
        }
        if (part != Part.VAE) {
            training.trainTransformer(plan);
        }
        if (part == Part.ALL) {
            drawSamples();
        }
        return 0;
    }

    private static long or(Long given, long otherwise) {
        return given == null ? otherwise : given;
    }

    private void trainUNet() throws IOException {
        Path lender = toybox == null ? ModelOptions.home("--toybox DIR").resolve("models").resolve(ModelOptions.EMBEDDED) : toybox;
        NpmPackages.fetch(data);
        new ToyboxUNetTraining(data, work, output, System.err::println)
                .train(lender, or(largeUntil, 1500), or(anywhereUntil, 4000), or(until, 8000), subjects);
    }

    private void drawSamples() throws IOException {
        try (FluxModel model = FluxModel.open(output, Device.CPU, DType.FLOAT32)) {
            Path file = Files.createDirectories(work).resolve("samples.png");
            PngWriter.write(file, SampleGrid.draw(model, SampleGrid.prompts(subjects), side), Map.of());
            System.out.println(file);
        }
    }
}
