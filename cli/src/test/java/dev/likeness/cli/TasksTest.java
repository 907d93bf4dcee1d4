package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.analysis.MaskedPsnr;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.Pictures;
import dev.likeness.image.PngWriter;
import dev.likeness.metadata.Metadata;
import dev.likeness.reference.Layout;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.task.FluxModel;
import dev.likeness.task.Generation;
import dev.likeness.task.Inpaint;
import dev.likeness.task.ReferenceFit;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import dev.likeness.task.TaskListener;
import dev.likeness.task.TinyModel;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import dev.likeness.tensor.Tensors;
import dev.likeness.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every task by real processes on a tiny model: what it makes, what it tells, and that it can be made again. */
@Execution(ExecutionMode.CONCURRENT)
class TasksTest {

    private static final int SIDE = TinyModel.SIDE;

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeModel() throws IOException {
        TinyModel.write(shared.resolve("toybox"));
    }

    private LikenessProcess.Result run(Path workingFolder, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--model=" + shared.resolve("toybox"));
        LikenessProcess.Result result = LikenessProcess.run(workingFolder, all);
        assertThat(result.exit()).as(result.err()).isZero();
        return result;
    }

    /** A run of seed 7 whose JSON result is read. */
    private JsonNode json(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--seed=7", "--threads=1", "--json"));
        return new ObjectMapper().readTree(run(folder, all.toArray(String[]::new)).out());
    }

    /** From another working folder. */
    private void assertMadeAgain(String name) throws IOException, InterruptedException {
        Path elsewhere = Files.createDirectories(folder.resolve("else where"));
        Path again = folder.resolve("again.png");
        run(elsewhere, "replay", folder.resolve(name).toString(), "-o", again.toString());
        assertThat(again).hasSameBinaryContentAs(folder.resolve(name));
        assertThat(elsewhere).isEmptyDirectory();
    }

    private void write(String name, Picture picture) {
        PngWriter.write(folder.resolve(name), picture, Map.of());
    }

    private void writeSubject() {
        write("subject.png", TinyModel.subject());
    }

    /** An opaque picture in which every pixel differs from its neighbours. */
    private static Picture photo() {
        byte[] rgb = new byte[3 * SIDE * SIDE];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * 37);
        }
        return Picture.of(SIDE, SIDE, rgb, null);
    }

    private static Mask hole() {
        return Mask.ofAlpha(TinyModel.subject(), "subject");
    }

    private Picture picture(String name) {
        return Pictures.read(folder.resolve(name));
    }

    private static String evaluations(JsonNode json) {
        return json.path("evaluations").toString();
    }

    private void writeLayout(String... subjects) throws IOException {
        Files.writeString(folder.resolve("layout.json"), "{\"subjects\": [" + String.join(",\n", subjects) + "]}");
    }

    @Test
    void composeFollowsALayoutFile() throws IOException, InterruptedException {
        writeSubject();
        write("beach.png", photo());
        new SubjectLibrary(folder.resolve("lib")).add("teapot", TinyModel.subject(), hole(), "house", "alpha");
        writeLayout("{\"reference\": \"subject.png\", \"prompt\": \"fox\", \"x\": 0.25, \"y\": 0.5, \"scale\": 0.5}",
                "{\"reference\": \"@teapot\", \"x\": 0.75, \"y\": 0.5, \"scale\": 0.5}",
                "{\"reference\": \"beach.png\", \"prompt\": \"snow\", \"scene\": true}");
        JsonNode json = json("compose", "-p", "a fox in snow", "--layout", "layout.json", "--library", "lib", "-o", "made.png");
        assertThat(json.path("task").asText()).isEqualTo("compose");
        assertThat(json.at("/parameters/layout").asText()).isEqualTo("layout.json");
        assertThat(evaluations(json)).isEqualTo("{\"target\":4,\"unconditional\":4,\"reference\":9,\"inversion\":0}");
        assertThat(json.path("warnings")).isEmpty();
        assertMadeAgain("made.png");
    }

    /** Files of a layout start at its folder, also those that find the subject. */
    @Test
    void aLayoutFileFindsItsFiles() throws IOException, InterruptedException {
        Path toys = Files.createDirectories(folder.resolve("toys"));
        PngWriter.write(toys.resolve("photo.png"), TinyModel.subject().flatten(0x2060E0), Map.of());
        PngWriter.write(toys.resolve("mask.png"), hole().toPicture(), Map.of());
        for (String how : List.of("mask\": \"", "segment\": \"file:")) {
            Files.writeString(toys.resolve("layout.json"),
                    "{\"subjects\": [{\"reference\": \"photo.png\", \"" + how + "mask.png\"}]}");
            json("compose", "-p", "a fox", "--layout", "toys/layout.json", "-o", how.substring(0, 4) + ".png");
            assertMadeAgain(how.substring(0, 4) + ".png");
        }
        assertThat(picture("segm.png")).isEqualTo(picture("mask.png"));
    }

    @Test
    void whatIsClippedOrCoveredIsWarnedOf() throws IOException, InterruptedException {
        writeSubject();
        writeLayout("{\"reference\": \"subject.png\", \"x\": 0, \"y\": 0.5}", "{\"reference\": \"subject.png\"}",
                "{\"reference\": \"subject.png\", \"x\": 0.75, \"y\": 0.5}");
        JsonNode json = json("compose", "-p", "a fox", "--layout", "layout.json", "-o", "made.png");
        assertThat(json.path("warnings")).extracting(JsonNode::asText).containsExactlyInAnyOrder(
                "2 of 4 tokens of subject 1 fall outside the canvas and were dropped.",
                "2 of 4 tokens of subject 2 lie where a later subject stands and were dropped.");
    }

    /** --layout X,Y,SCALE says what a layout file of one subject says. */
    @Test
    void layoutTakesAPlaceAndASize() throws IOException, InterruptedException {
        writeSubject();
        writeLayout("{\"reference\": \"subject.png\", \"x\": 0.75, \"y\": 0.25, \"scale\": 0.5}");
        json("compose", "-p", "a fox", "--layout", "layout.json", "-o", "file.png");
        json("personalize", "-p", "a fox", "-r", "subject.png", "--layout", "0.75,0.25,0.5", "--strict", "-o", "flag.png");
        assertThat(picture("flag.png")).isEqualTo(picture("file.png"));
    }

    @Test
    void aSceneLiesBehindTheSubjectAndARegionLimitsIt() throws IOException, InterruptedException {
        writeSubject();
        write("beach.png", photo());
        Mask left = Mask.full(SIDE, SIDE).translate(-SIDE / 2, 0);
        write("left.png", left.toPicture());
        JsonNode json = json("compose", "-p", "a fox", "-r", "subject.png", "--scene", "beach.png", "--region", "left.png", "-o",
                "made.png");
        assertThat(json.at("/parameters/scene").asText()).isEqualTo("beach.png");
        json("compose", "-p", "a fox", "-r", "subject.png", "--region", "left.png", "-o", "without.png");
        assertThat(picture("made.png")).isNotEqualTo(picture("without.png"));
        assertMadeAgain("made.png");
    }

    @Test
    void inpaintKeepsWhatLiesOutsideTheHole() throws IOException, InterruptedException {
        write("photo.png", photo());
        write("hole.png", hole().toPicture());
        write("kept.png", hole().invert().toPicture());
        json("inpaint", "-i", "photo.png", "--mask", "kept.png", "--mask-invert", "-p", "a fox", "--soft-edge", "4", "-o",
                "made.png");
        json("inpaint", "-i", "photo.png", "--mask", "hole.png", "-p", "a fox", "--no-blend", "-o", "raw.png");
        Mask fresh = hole().feather(4);
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                Picture from = fresh.coverage(x, y) == 0 ? photo() : fresh.coverage(x, y) == 1 ? picture("raw.png") : null;
                if (from != null) {
                    assertThat(pixel(picture("made.png"), x, y)).as("%d,%d", x, y).isEqualTo(pixel(from, x, y));
                }
            }
        }
        assertMadeAgain("raw.png");
    }

    private static int pixel(Picture picture, int x, int y) {
        byte[] rgb = picture.rgb();
        int at = 3 * (y * picture.width() + x);
        return (rgb[at] & 255) << 16 | (rgb[at + 1] & 255) << 8 | rgb[at + 2] & 255;
    }

    /** A subject may stand in the hole, and a picture of any size keeps its size. */
    @Test
    void inpaintPutsASubjectIntoAPictureOfAnySize() throws IOException, InterruptedException {
        Picture large = photo().resize(150, 100);
        write("photo.png", large);
        write("hole.png", Mask.full(150, 100).translate(75, 0).toPicture());
        new SubjectLibrary(folder.resolve("lib")).add("teapot", TinyModel.subject(), hole(), "house", "alpha");
        JsonNode json = json("inpaint", "-i", "photo.png", "--mask", "hole.png", "-p", "a @teapot", "--library", "lib", "-o",
                "made.png");
        assertThat(json.at("/images/0/width").asInt()).isEqualTo(150);
        assertThat(json.at("/images/0/height").asInt()).isEqualTo(100);
        assertThat(json.at("/parameters/library").asText()).isEqualTo("lib");
        assertThat(pixel(picture("made.png"), 0, 99)).isEqualTo(pixel(large, 0, 99));
        assertMadeAgain("made.png");
    }

    /** What is found by a click is the hole; a mask of another size is brought to the picture's. */
    @Test
    void inpaintFindsTheHole() throws IOException, InterruptedException {
        write("photo.png", TinyModel.subject().flatten(0x2060E0));
        run(folder, "segment", "-r", "photo.png", "--segment", "click:34,30", "-o", "hole.png");
        json("inpaint", "-i", "photo.png", "--mask", "hole.png", "-p", "a fox", "-o", "mask.png");
        json("inpaint", "-i", "photo.png", "--segment", "click:34,30", "-p", "a fox", "-o", "click.png");
        assertThat(picture("click.png")).isEqualTo(picture("mask.png"));
        assertMadeAgain("click.png");

        write("large.png", Mask.read(folder.resolve("hole.png"), false).resizeNearest(2 * SIDE, 2 * SIDE).toPicture());
        for (String given : List.of("--mask=large.png", "--segment=file:large.png")) {
            JsonNode json = json("inpaint", "-i", "photo.png", given, "-p", "a fox", "-o", "large-made.png");
            assertThat(json.path("warnings")).extracting(JsonNode::asText)
                    .anyMatch(sentence -> sentence.contains("large.png is 128 x 128 pixels and was resized to those of photo.png"));
            assertThat(picture("large-made.png")).isEqualTo(picture("mask.png"));
        }

        json("inpaint", "-i", "photo.png", "--segment", "attention:fox", "--image-prompt", "a fox", "-p", "snow", "-o",
                "attention.png");
        run(folder, "segment", "-r", "photo.png", "--reference-prompt", "a fox", "--segment", "attention:fox", "--threads=1", "-o",
                "fox.png");
        json("inpaint", "-i", "photo.png", "--mask", "fox.png", "--image-prompt", "a fox", "-p", "snow", "-o", "fox-made.png");
        assertThat(picture("attention.png")).isEqualTo(picture("fox-made.png"));
        assertMadeAgain("attention.png");
    }

    /** Several stand side by side in the hole, each in its share of it. */
    @Test
    void inpaintPutsSeveralSubjectsIntoTheHole() throws IOException, InterruptedException {
        int side = 2 * SIDE;
        Picture large = photo().resize(side, side);
        Mask corner = Mask.full(side, side).translate(SIDE, SIDE);
        write("photo.png", large);
        write("hole.png", corner.toPicture());
        SubjectLibrary library = new SubjectLibrary(folder.resolve("lib"));
        library.add("robot", TinyModel.subject(), hole(), "fox", "alpha");
        library.add("teapot", TinyModel.subject(), hole(), "house", "alpha");
        json("inpaint", "-i", "photo.png", "--mask", "hole.png", "-p", "a @robot in the @teapot", "--library", "lib", "-W",
                "" + side, "-H", "" + side, "-o", "made.png");
        Ops.threads(1);
        try (FluxModel model = FluxModel.open(shared.resolve("toybox"), Device.CPU, Device.CPU.fastest())) {
            List<Subject> subjects = List.of(
                    ReferenceFit.fit(TinyModel.subject(), hole(), side, side, "fox", new Layout(0.625, 0.75, 0.25)),
                    ReferenceFit.fit(TinyModel.subject(), hole(), side, side, "house", new Layout(0.875, 0.75, 0.25)));
            Generation expected = Inpaint.run(model, "a fox in the house", new Inpaint.Edit(large, corner, "", true, 8), subjects,
                    model.defaults().injection(model.defaults().inpaintTau()), true,
                    new Sampling(side, side, TinyModel.STEPS, 0, 2, "", 8, 7, 1), TaskListener.NONE);
            assertThat(picture("made.png")).isEqualTo(expected.images().get(0).picture());
        }
        assertMadeAgain("made.png");
    }

    @Test
    void outpaintExtendsThePicture() throws IOException, InterruptedException {
        write("photo.png", photo());
        json("outpaint", "-i", "photo.png", "--left", "32", "--down", "16", "-p", "snow", "--soft-edge", "2", "-o", "sides.png");
        json("outpaint", "-i", "photo.png", "--canvas", "96x80", "--position", "32,0", "-p", "snow", "--soft-edge", "2", "-o",
                "canvas.png");
        Picture sides = picture("sides.png");
        assertThat(picture("canvas.png")).isEqualTo(sides);
        assertThat(sides.width()).isEqualTo(96);
        assertThat(sides.height()).isEqualTo(80);
        for (int y = 0; y < SIDE - 2; y++) {
            for (int x = 2; x < SIDE; x++) {
                assertThat(pixel(sides, x + 32, y)).as("%d,%d", x, y).isEqualTo(pixel(photo(), x, y));
            }
        }
        assertMadeAgain("canvas.png");
    }

    @Test
    void aStoryHasAPictureForEachPrompt() throws IOException, InterruptedException {
        writeSubject();
        Files.writeString(folder.resolve("story.txt"), "\uFEFF# a story\n a fox in snow \n\nthe house\r\n");
        JsonNode json = json("story", "--prompts", "story.txt", "-r", "subject.png", "-o", "story.png");
        assertThat(json.path("images")).extracting(image -> image.path("path").asText() + ": " + image.path("prompt").asText())
                .containsExactly("story-1.png: a fox in snow", "story-2.png: the house");
        assertThat(json.path("images")).extracting(image -> image.path("seed").asInt()).containsExactly(7, 7);
        // The reference is evaluated for the first picture only: at 3 steps, as for one picture.
        assertThat(evaluations(json)).isEqualTo("{\"target\":8,\"unconditional\":8,\"reference\":3,\"inversion\":0}");
        json("compose", "-p", "the house", "-r", "subject.png", "-o", "alone.png");
        assertThat(folder.resolve("story-2.png")).hasSameBinaryContentAs(folder.resolve("alone.png"));
    }

    /** Each line has the subjects that it mentions. */
    @Test
    void aStoryMentionsSubjects() throws IOException, InterruptedException {
        SubjectLibrary library = new SubjectLibrary(folder.resolve("lib"));
        library.add("robot", TinyModel.subject(), hole(), "fox", "alpha");
        library.add("teapot", TinyModel.subject(), hole(), "house", "alpha");
        Files.writeString(folder.resolve("story.txt"), "a @robot\n@robot on the @teapot\n");
        json("story", "--prompts", "story.txt", "--library", "lib", "-n", "2", "-o", "story.png");
        assertMadeAgain("story-2.png");
        assertMadeAgain("story-3.png");
    }

    @ParameterizedTest
    @CsvSource({"exact, 0", "flow, 8", "rf-inversion, 8", "rf-solver, 16", "fireflow, 10"})
    void invertTellsWhatComesBack(String inversion, int evaluations) throws IOException, InterruptedException {
        write("photo.png", photo());
        LikenessProcess.Result result = run(folder, "invert", "-r", "photo.png", "--reference-prompt", "a fox", "--inversion",
                inversion, "-o", "made.png", "--seed=7", "--threads=1", "--json");
        JsonNode json = new ObjectMapper().readTree(result.out());
        assertThat(json.at("/evaluations/inversion").asInt()).isEqualTo(evaluations);
        double psnr = json.path("reconstruction_psnr_db").asDouble();
        assertThat(psnr).isBetween(3.0, 60.0);
        assertThat(result.err().lines())
                .contains(String.format(Locale.ROOT, "%s: %.2f dB, %d evaluations", inversion, psnr, evaluations));
        assertThat(json.path("parameters").has("gamma")).isEqualTo(inversion.equals("rf-inversion"));
        if (inversion.equals("rf-inversion")) {
            assertMadeAgain("made.png");
        }
    }

    @Test
    void reconstructTellsHowMuchOfTheSubjectCameBack() throws IOException, InterruptedException {
        writeSubject();
        LikenessProcess.Result result = run(folder, "reconstruct", "-r", "subject.png", "--reference-prompt", "a fox", "-o",
                "made.png", "--seed=7", "--threads=1");
        assertThat(result.err().lines()).anyMatch(line -> line.matches("the subject came back at \\d+\\.\\d\\d dB"));
        assertThat(result.out()).isEqualTo("made.png\n");
        json("personalize", "-p", "a fox", "-r", "subject.png", "--reference-prompt", "a fox", "-o", "personalized.png");
        assertThat(picture("made.png")).isEqualTo(picture("personalized.png"));
    }

    @Test
    void segmentWritesTheMask() throws IOException, InterruptedException {
        writeSubject();
        write("photo.png", TinyModel.subject().flatten(0x40A0E0));
        assertThat(run(folder, "segment", "-r", "subject.png", "--segment", "alpha", "-o", "alpha.png").out())
                .isEqualTo("alpha.png\n");
        assertThat(Mask.read(folder.resolve("alpha.png"), false)).isEqualTo(hole());
        run(folder, "segment", "-r", "photo.png", "--segment", "attention:fox", "--threads", "1", "-o", "attention.png");
        Mask attention = Mask.read(folder.resolve("attention.png"), false);
        assertThat(attention.width()).isEqualTo(SIDE);
        assertThat(attention.fraction()).isBetween(0.01, 0.99);

        json("personalize", "-p", "a fox", "-r", "photo.png", "--segment", "attention:fox", "-o", "asked.png");
        assertMadeAgain("asked.png");
        json("personalize", "-p", "a fox", "-r", "photo.png", "--segment", "file:alpha.png", "-o", "file.png");
        assertMadeAgain("file.png");

        write("large.png", hole().resizeNearest(2 * SIDE, 2 * SIDE).toPicture());
        LikenessProcess.Result resized =
                run(folder, "segment", "-r", "photo.png", "--segment", "file:large.png", "-o", "resized.png");
        assertThat(resized.err()).startsWith("likeness: warning: ").contains("large.png is 128 x 128 pixels").hasLineCount(1);
        assertThat(Mask.read(folder.resolve("resized.png"), false)).isEqualTo(hole().resizeNearest(128, 128).resize(SIDE, SIDE));
    }

    @Test
    void aCacheServesLaterRuns() throws IOException, InterruptedException {
        writeSubject();
        String[] arguments = {"personalize", "-p", "a fox", "-r", "subject.png", "--replace-at", "hidden", "--inversion",
            "fireflow", "--cache", "tokens", "-o", "made.png"};
        assertThat(evaluations(json(arguments)))
                .isEqualTo("{\"target\":4,\"unconditional\":4,\"reference\":3,\"inversion\":5}");
        byte[] made = Files.readAllBytes(folder.resolve("made.png"));
        assertThat(evaluations(json(arguments)))
                .isEqualTo("{\"target\":4,\"unconditional\":4,\"reference\":0,\"inversion\":0}");
        assertThat(folder.resolve("made.png")).hasBinaryContent(made);
        assertMadeAgain("made.png");
        try (Stream<Path> files = Files.list(folder.resolve("tokens"))) {
            assertThat(files).hasSize(4);
        }
    }

    @ParameterizedTest
    @CsvSource({"paper, replace+mma, 0.8, steps, attention, zero, true, quarter",
        "public, replace, 0.6, sigma, attention, target, false, nearest"})
    void aMethodIsASetOfSettings(String method, String inject, double tau, String basis, String level, String positions,
            boolean perturb, String tokenMask) throws IOException, InterruptedException {
        writeSubject();
        JsonNode parameters =
                json("personalize", "-p", "a fox", "-r", "subject.png", "--method", method, "-o", "made.png").path("parameters");
        Map<String, Object> told = new LinkedHashMap<>();
        for (String name : List.of("inject", "tau-basis", "replace-at", "positions", "token-mask", "inversion")) {
            told.put(name, parameters.path(name).asText());
        }
        assertThat(told).isEqualTo(Map.of("inject", inject, "tau-basis", basis, "replace-at", level, "positions", positions,
                "token-mask", tokenMask, "inversion", "exact"));
        assertThat(parameters.path("tau").asDouble()).isEqualTo(tau);
        assertThat(parameters.path("reference-noise").asBoolean()).isFalse();
        assertThat(parameters.path("perturb").asBoolean()).isEqualTo(perturb);
        assertThat(parameters.path("shuffle-window").asInt()).isEqualTo(perturb ? 3 : 0);
        assertThat(parameters.path("mask-morph").asInt()).isEqualTo(perturb ? 5 : 0);
        assertThat(parameters.path("perturb-seed").asInt()).isEqualTo(perturb ? 7 : 0);
        assertMadeAgain("made.png");
    }

    /** The edits have taus of their own, and only personalization perturbs by itself. */
    @ParameterizedTest
    @CsvSource({"inpaint, paper, 0.1, steps", "inpaint, public, 0.45, sigma", "outpaint, paper, 0.1, steps",
        "outpaint, public, 0.7, sigma", "reconstruct, paper, 0.8, steps"})
    void aMethodSuitsItsTask(String task, String method, double tau, String basis) throws IOException, InterruptedException {
        writeSubject();
        write("photo.png", photo());
        write("hole.png", hole().toPicture());
        List<String> arguments = switch (task) {
            case "inpaint" -> List.of("-i", "photo.png", "--mask", "hole.png", "-p", "a fox");
            case "outpaint" -> List.of("-i", "photo.png", "--left", "32", "-p", "a fox");
            default -> List.of("-r", "subject.png");
        };
        List<String> all = new ArrayList<>(List.of(task, "--method", method, "-o", "made.png"));
        all.addAll(arguments);
        JsonNode parameters = json(all.toArray(String[]::new)).path("parameters");
        assertThat(parameters.path("tau").asDouble()).isEqualTo(tau);
        assertThat(parameters.path("tau-basis").asText()).isEqualTo(basis);
        assertThat(parameters.path("perturb").asBoolean()).isFalse();
        assertMadeAgain("made.png");

        all.addAll(List.of("--mask-morph", "3"));
        assertThat(json(all.toArray(String[]::new)).at("/parameters/perturb").asBoolean()).isTrue();
    }

    /** Of rf-inversion's strengths personalization has the one of the way up. */
    @Test
    void personalizationGoesNoWayDown() throws IOException, InterruptedException {
        writeSubject();
        JsonNode parameters = json("personalize", "-p", "a fox", "-r", "subject.png", "--inversion", "rf-inversion", "-o",
                "made.png").path("parameters");
        assertThat(parameters.path("gamma").asDouble()).isEqualTo(0.5);
        assertThat(parameters.has("eta")).isFalse();
        assertMadeAgain("made.png");
    }

    /** It has one place for its tokens, which is told. */
    @Test
    void concatenationIsAtTheTarget() throws IOException, InterruptedException {
        writeSubject();
        JsonNode json = json("personalize", "-p", "a fox", "-r", "subject.png", "--inject", "replace+concat", "-o", "made.png");
        assertThat(json.at("/parameters/positions").asText()).isEqualTo("target");
        assertMadeAgain("made.png");
        json("personalize", "-p", "a fox", "-r", "subject.png", "-o", "plain.png");
        run(folder, "replay", "plain.png", "-o", "other.png", "--set", "inject=replace+concat");
        assertThat(folder.resolve("other.png")).hasSameBinaryContentAs(folder.resolve("made.png"));
    }

    @ParameterizedTest
    @CsvSource({"replace+mma, keep", "replace+concat, target", "sharing, shift", "none, zero"})
    void everyWayToPutAReferenceInCanBeMadeAgain(String inject, String positions) throws IOException, InterruptedException {
        writeSubject();
        JsonNode json = json("personalize", "-p", "a fox", "-r", "subject.png", "--inject", inject, "--positions", positions, "-n",
                "2", "-o", "made.png");
        assertThat(json.at("/parameters/inject").asText()).isEqualTo(inject);
        assertThat(json.at("/parameters/positions").asText()).isEqualTo(positions);
        assertMadeAgain("made-2.png");
    }

    @Test
    void replayChangesWhatItIsToldTo() throws IOException, InterruptedException {
        writeSubject();
        json("personalize", "-p", "a fox", "-r", "subject.png", "--perturb", "--mask-morph", "-3", "-o", "made.png");
        ObjectNode before = (ObjectNode) Metadata.read(folder.resolve("made.png")).path("parameters");
        run(folder, "replay", "made.png", "-o", "other.png", "--set", "prompt=true, a=b, c", "--set", "seed=9", "--set",
                "perturb=false", "--set", "inversion=rf-inversion", "--set", "gamma=0.25");
        ObjectNode after = (ObjectNode) Metadata.read(folder.resolve("other.png")).path("parameters");
        assertThat(after.path("prompt").asText()).isEqualTo("true, a=b, c");
        assertThat(after.path("seed").asLong()).isEqualTo(9);
        assertThat(after.path("perturb").asBoolean()).isFalse();
        assertThat(after.path("inversion").asText()).isEqualTo("rf-inversion");
        assertThat(after.path("gamma").asDouble()).isEqualTo(0.25);
        before.remove(List.of("prompt", "seed", "perturb", "shuffle-window", "mask-morph", "perturb-seed", "inversion"));
        after.remove(List.of("prompt", "seed", "perturb", "inversion", "gamma"));
        assertThat(after).isEqualTo(before);

        run(folder, "replay", "other.png", "-o", "third.png", "--set", "inversion=exact");
        assertThat(Metadata.read(folder.resolve("third.png")).path("parameters").has("gamma")).isFalse();
    }

    @Test
    void loraChangesThePictureAndReplayWantsTheSameFile() throws IOException, InterruptedException {
        Path lora = Files.createDirectories(folder.resolve("loras")).resolve("style: 2.safetensors");
        writeLora(lora, 1);
        json("generate", "-p", "a fox", "-o", "plain.png");
        JsonNode half = json("generate", "-p", "a fox", "--lora", "loras/style: 2.safetensors:0.5", "-o", "made.png");
        json("generate", "-p", "a fox", "--lora", lora.toString(), "--lora", lora + ":-1", "-o", "nothing.png");
        assertThat(picture("made.png")).isNotEqualTo(picture("plain.png"));
        Picture plain = picture("plain.png");
        // What is added and taken away again leaves the rounding of two sums.
        assertThat(MaskedPsnr.of(plain, Mask.full(plain.width(), plain.height()), picture("nothing.png"), 0, 0)).isGreaterThan(45);
        assertThat(half.at("/parameters/lora/0").asText()).matches("loras/style: 2\\.safetensors:0\\.5:[0-9a-f]{64}");
        assertMadeAgain("made.png");
        assertMadeAgain("nothing.png");

        writeLora(lora, 2);
        LikenessProcess.Result other = LikenessProcess.run(folder,
                List.of("replay", "made.png", "-o", "again.png", "--model=" + shared.resolve("toybox")));
        assertThat(other.exit()).isEqualTo(4);
        assertThat(other.err()).contains("SHA-256").contains("style: 2.safetensors");
    }

    private static void writeLora(Path file, double value) {
        String layer = "transformer.single_transformer_blocks.0.proj_out.lora_";
        try (Scope scope = Scope.open()) {
            SafetensorsWriter.write(file, Map.of(layer + "A.weight", Tensors.full(value, DType.FLOAT32, Device.CPU, 2, 160),
                    layer + "B.weight", Tensors.full(0.25, DType.FLOAT32, Device.CPU, 32, 2)), DType.FLOAT32);
        }
    }

    /** Only a reference is a name when it begins with an @. */
    @Test
    void aFileMayBeginWithAnAtSign() throws IOException, InterruptedException {
        writeSubject();
        write("@mask.png", hole().toPicture());
        json("personalize", "-p", "a fox", "-r", "subject.png", "--mask", "@mask.png", "-o", "made.png");
        assertMadeAgain("made.png");
    }

    private JsonNode replayed(String name, String... changes) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("replay", name, "-o", "changed.png"));
        for (String change : changes) {
            arguments.addAll(List.of("--set", change));
        }
        run(folder, arguments.toArray(String[]::new));
        return Metadata.read(folder.resolve("changed.png")).path("parameters");
    }

    /** What says the same in another way gives way to what is set. */
    @Test
    void whatIsSetInAReplayTakesThePlaceOfItsRivals() throws IOException, InterruptedException {
        write("photo.png", TinyModel.subject().flatten(0x2060E0));
        write("ground.png", hole().invert().toPicture());
        new SubjectLibrary(folder.resolve("lib")).add("teapot", TinyModel.subject(), hole(), "house", "alpha");
        json("personalize", "-p", "a fox", "-r", "photo.png", "--reference-prompt", "fox", "--mask", "ground.png", "--mask-invert",
                "--layout", "0.6,0.6", "--library", "lib", "-o", "masked.png");

        assertThat(replayed("masked.png", "mask-morph=-3").path("perturb").asBoolean()).isTrue();

        JsonNode found = replayed("masked.png", "segment=click:34,30");
        assertThat(found.path("segment").asText()).isEqualTo("click:34,30");
        assertThat(found.has("mask")).isFalse();
        assertThat(found.has("mask-invert")).isFalse();
        Files.move(folder.resolve("changed.png"), folder.resolve("clicked.png"));
        write("mask.png", hole().toPicture());
        JsonNode masked = replayed("clicked.png", "mask=mask.png");
        assertThat(masked.path("mask").asText()).isEqualTo("mask.png");
        assertThat(masked.has("segment")).isFalse();

        JsonNode named = replayed("masked.png", "reference=@teapot");
        assertThat(named.path("reference").asText()).isEqualTo("@teapot");
        assertThat(named.path("layout").asText()).isEqualTo("0.6,0.6");
        assertThat(List.of("mask", "mask-invert", "reference-prompt")).noneMatch(named::has);
    }

    @Test
    void anOptionalParameterIsUnset() throws IOException, InterruptedException {
        writeSubject();
        write("beach.png", photo());
        write("left.png", Mask.full(SIDE, SIDE).translate(-SIDE / 2, 0).toPicture());
        write("mask.png", hole().invert().toPicture());
        json("compose", "-p", "a fox", "-r", "subject.png", "--reference-prompt", "fox", "--mask", "mask.png", "--mask-invert",
                "--region", "left.png", "--layout", "0.6,0.6", "--scene", "beach.png", "--shuffle-window", "2", "-o", "made.png");
        JsonNode after = replayed("made.png", "mask=", "region=", "layout=", "scene=", "reference-prompt=", "perturb=", "prompt=");
        assertThat(List.of("mask", "mask-invert", "region", "layout", "scene", "reference-prompt")).noneMatch(after::has);
        assertThat(after.path("perturb").asBoolean()).isFalse();
        assertThat(after.path("prompt").asText()).isEmpty(); // it cannot be left out
        assertThat(after.path("reference").asText()).isEqualTo("subject.png");
    }

    /** The size follows from the canvas again. */
    @Test
    void aReplayExtendsThePictureElsewhere() throws IOException, InterruptedException {
        write("photo.png", photo());
        json("outpaint", "-i", "photo.png", "--left", "32", "-p", "snow", "-o", "left.png");
        json("outpaint", "-i", "photo.png", "--canvas", "96x80", "--position", "32,0", "-p", "snow", "-o", "canvas.png");
        JsonNode canvas = replayed("left.png", "canvas=96x80", "position=32,0");
        assertThat(List.of("left", "right", "up", "down")).noneMatch(canvas::has);
        assertThat(folder.resolve("changed.png")).hasSameBinaryContentAs(folder.resolve("canvas.png"));
        JsonNode left = replayed("canvas.png", "left=32");
        assertThat(List.of("canvas", "position")).noneMatch(left::has);
        assertThat(folder.resolve("changed.png")).hasSameBinaryContentAs(folder.resolve("left.png"));
    }
}
