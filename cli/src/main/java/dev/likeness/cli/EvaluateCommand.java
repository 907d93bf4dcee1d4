package dev.likeness.cli;

import dev.likeness.error.Refusal;
import dev.likeness.eval.DreamBench;
import dev.likeness.eval.DreamBenchPlus;
import dev.likeness.eval.DreamSuite;
import dev.likeness.eval.EditBench;
import dev.likeness.eval.Evaluation;
import dev.likeness.eval.ImageText;
import dev.likeness.eval.Instrument;
import dev.likeness.eval.InversionBench;
import dev.likeness.eval.Judge;
import dev.likeness.eval.Method;
import dev.likeness.eval.ModelBench;
import dev.likeness.eval.PromptCase;
import dev.likeness.eval.SegmentationBench;
import dev.likeness.eval.Suite;
import dev.likeness.eval.Summary;
import dev.likeness.eval.ToyboxBench;
import dev.likeness.task.FluxModel;
import dev.likeness.task.MemoryPlan;
import dev.likeness.tensor.Ops;
import dev.likeness.train.data.NpmPackages;
import dev.likeness.train.data.ToyboxData;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "evaluate", mixinStandardHelpOptions = true,
        description = {"Measures the method and the model, and writes tables, pictures and a report into a folder.",
                "An interrupted run goes on where it stopped. What is measured and how: docs/evaluation.md."})
final class EvaluateCommand implements Callable<Integer> {

    private static final List<String> SUITES =
            List.of("toybox", "model", "dreambench", "dreambench++", "inversion", "segmentation", "edit");
    private static final int DRAWN = 20; // cases of the suites that draw as many as they are asked for
    private static final int MAX_JOBS = 1024;

    /** Suites that read a flag; flags that stand not here are every suite's. */
    private static final Map<String, List<String>> READ_BY = readBy();

    @Spec
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions;

    @Option(names = "--suite", required = true, paramLabel = "NAME",
            description = "toybox (methods side by side on the standard list), model (does the model draw what prompts "
                    + "say), dreambench, dreambench++, inversion, segmentation or edit")
    String suite;

    @Option(names = "--method", split = ",", defaultValue = Method.ALL, paramLabel = "NAME",
            description = "for toybox and dreambench, methods by name or group: all, main, tau, sharing, mma, "
                    + "perturbation; default, latent-0.2, attention-0.8-mma-target and so on (default: ${DEFAULT-VALUE})")
    List<String> methods;

    @Option(names = {"-o", "--output"}, paramLabel = "DIR", description = "folder for results (default: evaluation-SUITE)")
    Path output;

    @Option(names = "--jobs", defaultValue = "0", paramLabel = "N",
            description = "cases at once, each on one thread; 0 takes the cores, and one on a GPU (default: "
                    + "${DEFAULT-VALUE})")
    int jobs;

    @Option(names = "--cases", defaultValue = "0", paramLabel = "N",
            description = "only the first cases of the list; 0 takes all, and 20 where cases are drawn (default: "
                    + "${DEFAULT-VALUE})")
    int count;

    @Option(names = "--only", split = ",", paramLabel = "NAME", description = "for toybox, only these subjects")
    List<String> only;

    @Option(names = "--subjects", paramLabel = "DIR", description = "for toybox, its cut-outs (default: examples/subjects)")
    Path subjects;

    @Option(names = "--judge", paramLabel = "DIR", description = "for toybox and model, the judge (default: models/judge)")
    Path judgeFolder;

    @Option(names = "--data", paramLabel = "DIR",
            description = "for dreambench, its folder; for inversion and segmentation, the sprites that they draw from, "
                    + "fetched into it when missing (default: .toybox/data)")
    Path data;

    @Option(names = "--clip", paramLabel = "DIR",
            description = "for dreambench, the CLIP that scores: a folder such as openai/clip-vit-base-patch32")
    Path clip;

    @Option(names = "--dino", paramLabel = "DIR",
            description = "for dreambench, the DINO that scores: a folder such as facebook/dino-vits16")
    Path dino;

    @Option(names = "--references", defaultValue = "first", paramLabel = "WHICH",
            description = "for dreambench, pictures of a subject that count: first, all, or a file that names one of each "
                    + "as backpack/02.jpg; the method is given the first of them (default: ${DEFAULT-VALUE})")
    String references;

    private static Map<String, List<String>> readBy() {
        List<String> benchmarks = List.of("dreambench", "dreambench++");
        Map<String, List<String>> suites = new LinkedHashMap<>();
        suites.put("--method", List.of("toybox", "dreambench", "dreambench++"));
        suites.put("--only", List.of("toybox"));
        suites.put("--subjects", List.of("toybox"));
        suites.put("--judge", List.of("toybox", "model"));
        suites.put("--data", List.of("dreambench", "dreambench++", "inversion", "segmentation"));
        suites.put("--clip", benchmarks);
        suites.put("--dino", benchmarks);
        suites.put("--references", List.of("dreambench"));
        return suites;
    }

    @Override
    public Integer call() {
        check();
        modelOptions.threads = Math.max(1, modelOptions.threads); // one, so that --jobs changes no digit
        List<PromptCase> prompts = suite.startsWith("dreambench") ? prompts() : List.of();
        try (FluxModel model = modelOptions.open()) {
            switch (suite) {
                case "toybox", "model" -> {
                    try (Judge judge = Judge.open(judgeFolder())) {
                        run(suite.equals("model") ? new ModelBench(model, judge, count) : toybox(model, judge), model, prompts);
                    }
                }
                case "inversion" -> run(new InversionBench(model, sprites(), count), model, prompts);
                case "segmentation" -> run(new SegmentationBench(model, sprites(), count), model, prompts);
                case "edit" -> run(new EditBench(model, count), model, prompts);
                default -> {
                    try (ImageText scores = ImageText.open(clip, dino, model.device())) {
                        List<Method> compared = Method.named(methods, model.defaults());
                        run(new DreamSuite(suite, model, scores, prompts, compared, count), model, prompts);
                    }
                }
            }
            return 0;
        }
    }

    /** All that decides digits, by name. @param prompts of a benchmark */
    Map<String, String> settings(FluxModel model, List<PromptCase> prompts) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model", model.name());
        settings.put("model-sha256", Evaluation.fingerprint(model.folder()));
        model.singleFiles().forEach((component, file) ->
                settings.put(component.flag().substring("--".length()) + "-sha256", Evaluation.fingerprint(file)));
        model.loras().forEach(lora -> settings.put("lora-" + lora.sha256(), String.valueOf(lora.scale())));
        settings.put("dtype", model.dtype().flag());
        settings.put("device", model.device().name());
        settings.put("threads", String.valueOf(Ops.threads(0)));
        if (model.memory().plan() == MemoryPlan.FP8) { // the others change no picture
            settings.put("memory", MemoryPlan.FP8.flag());
        }
        switch (suite) {
            case "toybox" -> {
                settings.put("judge-sha256", Evaluation.fingerprint(judgeFolder()));
                settings.put("subjects-sha256", ToyboxBench.fingerprint(subjectsFolder()));
            }
            case "model" -> settings.put("judge-sha256", Evaluation.fingerprint(judgeFolder()));
            case "inversion", "segmentation" ->
                    settings.put("data-sha256", Evaluation.fingerprint(spritesFolder().resolve("fluent/assets")));
            case "edit" -> { }
            default -> {
                settings.put("references", references);
                settings.put("clip-sha256", Evaluation.fingerprint(clip));
                settings.put("dino-sha256", Evaluation.fingerprint(dino));
                settings.put("data-sha256", PromptCase.fingerprint(data, prompts)); // what --references names, too
            }
        }
        return settings;
    }

    private Path judgeFolder() {
        return judgeFolder == null ? ModelOptions.home("--judge DIR").resolve("models/judge") : judgeFolder;
    }

    private Path subjectsFolder() {
        return subjects == null ? ModelOptions.home("--subjects DIR").resolve("examples/subjects") : subjects;
    }

    private Path spritesFolder() {
        return data == null ? Path.of(".toybox/data") : data;
    }

    private void check() {
        modelOptions.check();
        if (!SUITES.contains(suite)) {
            throw Refusal.usage("--suite %s is none; give one of %s.", suite, String.join(", ", SUITES));
        }
        READ_BY.forEach((flag, suites) -> {
            if (spec.commandLine().getParseResult().hasMatchedOption(flag) && !suites.contains(suite)) {
                throw Refusal.usage("--suite %s reads no %s, which is for %s; leave it out.", suite, flag,
                        String.join(", ", suites));
            }
        });
        if (jobs < 0 || jobs > MAX_JOBS) {
            throw Refusal.usage("--jobs %d is out of range; use 0 for the cores or a count up to %d.", jobs, MAX_JOBS);
        }
        if (count < 0) {
            throw Refusal.usage("--cases %d is out of range; use 0 for all or a count.", count);
        }
        if (suite.startsWith("dreambench") && (data == null || clip == null || dino == null)) {
            throw Refusal.usage("--suite %s needs --data, --clip and --dino; give the folders of the benchmark, of "
                    + "CLIP and of DINO.", suite);
        }
        for (String name : only == null ? List.<String>of() : only) {
            if (!ToyboxBench.subjects().contains(name)) {
                throw Refusal.usage("--only %s is no subject of the list; give some of %s.", name,
                        String.join(", ", ToyboxBench.subjects()));
            }
        }
        if (count == 0) {
            count = List.of("inversion", "segmentation", "edit").contains(suite) ? DRAWN : Integer.MAX_VALUE;
        }
        output = output == null ? Path.of("evaluation-" + suite) : output;
    }

    private Suite toybox(FluxModel model, Judge judge) {
        List<Method> chosen = Method.named(methods, model.defaults());
        return new ToyboxBench(model, judge, subjectsFolder(), chosen,
                name -> only == null || only.contains(name), count);
    }

    private ToyboxData sprites() {
        NpmPackages.fetch(spritesFolder());
        return ToyboxData.load(spritesFolder());
    }

    List<PromptCase> prompts() {
        if (suite.equals("dreambench++")) {
            return DreamBenchPlus.read(data).cases();
        }
        DreamBench bench = DreamBench.read(data);
        if (!bench.missing().isEmpty()) {
            OutputOptions.warn(List.of("no folder of " + String.join(", ", bench.missing()) + " in " + data
                    + ": means over the others are not the published ones."));
        }
        return bench.cases(switch (references) {
            case "first" -> DreamBench.Choice.FIRST;
            case "all" -> DreamBench.Choice.ALL;
            default -> DreamBench.Choice.listed(Path.of(references));
        });
    }

    private void run(Suite of, FluxModel model, List<PromptCase> prompts) {
        int atOnce = jobs > 0 ? jobs : model.device().isCpu() ? Runtime.getRuntime().availableProcessors() : 1;
        Progress progress = new Progress();
        print(of, new Evaluation(of, output, settings(model, prompts)).run(atOnce, progress::cases));
        System.err.println(output.resolve("report.html"));
    }

    /** A table of means, as Markdown. */
    static void print(Suite of, Map<String, Map<Instrument, Summary>> summaries) {
        List<Instrument> instruments = of.instruments();
        System.out.println("| | " + instruments.stream().map(Instrument::title).collect(Collectors.joining(" | ")) + " |");
        System.out.println("|---".repeat(instruments.size() + 1) + "|");
        of.methods().forEach((method, title) -> System.out.println("| " + title + " | " + instruments.stream()
                .map(instrument -> summaries.get(method).containsKey(instrument)
                        ? instrument.text(summaries.get(method).get(instrument).mean()) : "")
                .collect(Collectors.joining(" | ")) + " |"));
    }
}
