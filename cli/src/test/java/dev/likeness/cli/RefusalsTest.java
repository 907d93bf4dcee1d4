package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.metadata.Metadata;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.task.TinyModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every wrong input gets one sentence that names it and the remedy, its exit code, and leaves no file. */
@Execution(ExecutionMode.CONCURRENT)
class RefusalsTest {

    private static final int USAGE = 2;
    private static final int INPUT = 3;
    private static final int MODEL = 4;
    private static final int RESOURCES = 5;

    /** In a case's arguments: the picture to write. */
    private static final String OUT = "<out>";
    /** The value of a flag that takes none. */
    private static final String SET = "<set>";
    /** The value of a flag that is left out. */
    private static final String LEFT_OUT = "<left out>";

    /** Tests run in their module's folder. */
    private static final String JUDGE = Path.of("../models/judge").toAbsolutePath().toString();

    @TempDir
    static Path folder;

    private record Case(String name, int exit, List<String> arguments, List<String> says) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void makeFiles() throws IOException {
        TinyModel.write(folder.resolve("model"));
        PngWriter.write(folder.resolve("subject.png"), TinyModel.subject(), Map.of());
        PngWriter.write(folder.resolve("opaque.png"), Picture.filled(64, 64, 0x804020), Map.of());
        PngWriter.write(folder.resolve("transparent.png"), Picture.of(64, 64, new byte[3 * 64 * 64], new byte[64 * 64]),
                Map.of());
        PngWriter.write(folder.resolve("black.png"), Picture.filled(64, 64, 0), Map.of());
        PngWriter.write(folder.resolve("white.png"), Picture.filled(64, 64, 0xFFFFFF), Map.of());
        PngWriter.write(folder.resolve("small.png"), Picture.filled(32, 16, 0xFFFFFF), Map.of());
        PngWriter.write(folder.resolve("half.png"), Picture.filled(32, 32, 0xFFFFFF), Map.of());
        PngWriter.write(folder.resolve("dot.png"), mask(0, 0, 4, 4), Map.of());
        PngWriter.write(folder.resolve("diagonal.png"), mask(16, 0, 16, 16, 0, 16, 16, 16), Map.of());
        PngWriter.write(folder.resolve("foreign.png"), Picture.filled(4, 4, 0), record("generate", "other-model"));
        PngWriter.write(folder.resolve("trained.png"), Picture.filled(4, 4, 0), record("train", "toybox"));
        PngWriter.write(folder.resolve("made.png"), Picture.filled(4, 4, 0), record("generate", "toybox"));
        byte[] whole = Files.readAllBytes(folder.resolve("subject.png"));
        Files.write(folder.resolve("truncated.png"), Arrays.copyOf(whole, whole.length / 2));
        Files.write(folder.resolve("empty.png"), new byte[0]);
        Files.writeString(folder.resolve("text.png"), "this is no picture");
        Files.createDirectories(folder.resolve("measured"));
        Files.writeString(folder.resolve("measured/results.jsonl"), "{\"settings\":{\"model\":\"other\"}}\n");
        Files.createDirectories(folder.resolve("folder.png"));
        Files.write(folder.resolve("no-pixels.png"), pngOfSize(0, 64));
        Files.write(folder.resolve("huge.png"), pngOfSize(40_000, 40_000));
        SubjectLibrary library = new SubjectLibrary(folder.resolve("library"));
        for (String name : List.of("robot", "teapot")) {
            library.add(name, TinyModel.subject(), Mask.ofAlpha(TinyModel.subject(), name), null, "alpha");
        }
        Files.writeString(folder.resolve("comments.txt"), "# only this\n\n");
        Files.writeString(folder.resolve("lines.txt"), "a fox\na @robot\n");
        Files.write(folder.resolve("latin.txt"), "ein F\u00fcchslein".getBytes(StandardCharsets.ISO_8859_1));
        layout("outside.json", "{\"reference\": \"subject.png\"},\n  {\"reference\": \"subject.png\", \"x\": 1.75, \"y\": 0.5}");
        layout("unknown.json", "{\"reference\": \"subject.png\", \"colour\": \"red\"}");
        layout("stranger.json", "{\"reference\": \"@stranger\"}");
        layout("magic.json", "{\"reference\": \"subject.png\", \"segment\": \"magic\"}");
        layout("far-box.json", "{\"reference\": \"subject.png\", \"segment\": \"box:200,200,10,10\"}");
        layout("scene-alone.json", "{\"reference\": \"opaque.png\", \"scene\": true}");
        layout("with-scene.json", "{\"reference\": \"subject.png\"}, {\"reference\": \"opaque.png\", \"scene\": true}");
        layout("no-file.json", "{\"reference\": \"nowhere.png\"}");
        layout("one-place.json", "{\"reference\": \"subject.png\"}, {\"reference\": \"subject.png\"}");
        layout("overlap.json", "{\"reference\": \"subject.png\"}, {\"reference\": \"subject.png\", \"x\": 0.75, \"y\": 0.5}");
        Files.writeString(folder.resolve("cut.json"), "{\"subjects\": [\n");
    }

    private static void layout(String name, String subjects) throws IOException {
        Files.writeString(folder.resolve(name), "{\"subjects\": [\n  " + subjects + "\n]}\n");
    }

    /** A file that claims a size and holds no pixels. */
    private static byte[] pngOfSize(int width, int height) {
        byte[] header = ByteBuffer.allocate(13).putInt(width).putInt(height).put(new byte[] {8, 2, 0, 0, 0}).array();
        ByteBuffer file = ByteBuffer.allocate(57).put(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
        chunk(file, "IHDR", header);
        chunk(file, "IDAT", new byte[0]);
        chunk(file, "IEND", new byte[0]);
        return file.array();
    }

    private static void chunk(ByteBuffer file, String type, byte[] data) {
        file.putInt(data.length);
        int start = file.position();
        file.put(type.getBytes(StandardCharsets.US_ASCII)).put(data);
        CRC32 sum = new CRC32();
        sum.update(file.array(), start, file.position() - start);
        file.putInt((int) sum.getValue());
    }

    /** @param boxes x, y, width, height of white boxes */
    private static Picture mask(int... boxes) {
        float[] coverage = new float[64 * 64];
        for (int i = 0; i < boxes.length; i += 4) {
            for (int y = boxes[i + 1]; y < boxes[i + 1] + boxes[i + 3]; y++) {
                Arrays.fill(coverage, y * 64 + boxes[i], y * 64 + boxes[i] + boxes[i + 2], 1);
            }
        }
        return Mask.of(64, 64, coverage).toPicture();
    }

    private static Map<String, String> record(String task, String model) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("task", task);
        record.put("model", model);
        record.put("parameters", Map.of("prompt", "a fox"));
        return Metadata.toChunks(Metadata.record(record));
    }

    static List<Case> usage() {
        return List.of(
                new Case("no command", USAGE, List.of(), List.of("Missing required subcommand", "--help")),
                new Case("unknown command", USAGE, List.of("paint", "-o", OUT), List.of("paint", "--help")),
                personalize("unknown flag", USAGE, List.of("--colour", "personalize --help"), "--colour", "red"),
                personalize("no prompt", USAGE, List.of("--prompt"), "-p", LEFT_OUT),
                personalize("no output", USAGE, List.of("--output"), "-o", LEFT_OUT),
                personalize("no reference", USAGE, List.of("--reference"), "-r", LEFT_OUT),
                personalize("tau below 0", USAGE, List.of("--tau -0.1", "from 0"), "--tau", "-0.1"),
                personalize("tau above 1", USAGE, List.of("--tau 1.1", "to 1"), "--tau", "1.1"),
                personalize("tau not a number", USAGE, List.of("--tau NaN"), "--tau", "NaN"),
                personalize("tau a word", USAGE, List.of("--tau", "abc"), "--tau", "abc"),
                personalize("tau basis", USAGE, List.of("--tau-basis", "SIGMA, STEPS", "hours"), "--tau-basis", "hours"),
                personalize("replace at", USAGE, List.of("--replace-at", "ATTENTION, HIDDEN, LATENT", "eyes"),
                        "--replace-at", "eyes"),
                personalize("dtype", USAGE, List.of("--dtype int3", "float32, bfloat16 or float16"), "--dtype", "int3"),
                personalize("device", USAGE, List.of("--device tpu", "auto, cpu, cuda"), "--device", "tpu"),
                personalize("threads", USAGE, List.of("--threads -1", "0 for the physical cores"), "--threads", "-1"),
                personalize("width between", USAGE, List.of("--width 100", "96 and 112"), "--width", "100"),
                personalize("width 0", USAGE, List.of("--width 0", "16 and 32"), "--width", "0"),
                personalize("width negative", USAGE, List.of("--width -16", "16 and 32"), "--width", "-16"),
                personalize("width too large", USAGE, List.of("--width 40000", "4080 and 4096"), "--width", "40000"),
                personalize("height between", USAGE, List.of("--height 130", "128 and 144"), "--height", "130"),
                personalize("height a word", USAGE, List.of("--height", "tall"), "--height", "tall"),
                personalize("steps 0", USAGE, List.of("--steps 0", "from 1 to 1000"), "--steps", "0"),
                personalize("steps a fraction", USAGE, List.of("--steps", "2.5"), "--steps", "2.5"),
                personalize("no pictures", USAGE, List.of("--num-images 0", "from 1 to 1000"), "--num-images", "0"),
                personalize("guidance negative", USAGE, List.of("--guidance-scale -1", "0 to 100"), "--guidance-scale",
                        "-1"),
                personalize("guidance too large", USAGE, List.of("--guidance-scale 101", "0 to 100"), "--guidance-scale",
                        "101"),
                personalize("true guidance below 1", USAGE, List.of("--true-cfg-scale 0.5", "1 (none)"),
                        "--true-cfg-scale", "0.5"),
                personalize("text length", USAGE, List.of("--max-sequence-length 1", "from 2 to 512"),
                        "--max-sequence-length", "1"),
                personalize("seed a word", USAGE, List.of("--seed", "abc"), "--seed", "abc"),
                personalize("layout malformed", USAGE, List.of("--layout left", "0.5,0.6"), "--layout", "left"),
                personalize("layout with one number", USAGE, List.of("--layout 0.5", "0.5,0.6"), "--layout", "0.5"),
                personalize("layout outside", USAGE, List.of("--layout 1.5,0.5", "outside the canvas"), "--layout",
                        "1.5,0.5"),
                personalize("mask inverted without mask", USAGE, List.of("--mask-invert", "--mask FILE"), "--mask-invert",
                        SET),
                personalize("output not a PNG", USAGE, List.of("picture.jpg", ".png"), "-o", "picture.jpg"),
                new Case("generate: size", USAGE, generate("absent", "--width", "100"), List.of("--width 100")),
                new Case("evaluate: unknown suite", USAGE, List.of("evaluate", "--suite", "all"), List.of("--suite all",
                        "toybox, model")),
                new Case("evaluate: unknown method", USAGE, List.of("evaluate", "--suite", "toybox", "--model",
                        file("model"), "--judge", JUDGE, "--method", "magic"), List.of("--method magic", "sharing-keep")),
                new Case("evaluate: unknown subject", USAGE, List.of("evaluate", "--suite", "toybox", "--only", "car"),
                        List.of("--only car", "accordion")),
                new Case("evaluate: jobs", USAGE, List.of("evaluate", "--suite", "toybox", "--jobs", "-1"),
                        List.of("--jobs -1", "0 for the cores")),
                new Case("evaluate: cases", USAGE, List.of("evaluate", "--suite", "toybox", "--cases", "-1"),
                        List.of("--cases -1", "0 for all")),
                new Case("evaluate: no encoders", USAGE, List.of("evaluate", "--suite", "dreambench", "--data", "x"),
                        List.of("--clip and --dino")),
                new Case("serve: others without a token", USAGE, List.of("serve", "--host", "0.0.0.0"),
                        List.of("--host 0.0.0.0", "--token")),
                new Case("serve: a token that can be guessed", USAGE, List.of("serve", "--token", "sesame"), List.of("--token", "16")),
                new Case("serve: port", USAGE, List.of("serve", "--port", "70000"), List.of("--port 70000", "65535")),
                new Case("serve: queue", USAGE, List.of("serve", "--queue", "0"), List.of("--queue 0")),
                new Case("serve: what is kept", USAGE, List.of("serve", "--keep-gb", "-1"), List.of("--keep-gb -1")),
                new Case("train: unknown name", USAGE, List.of("train", "dolls"), List.of("dolls", "toybox")),
                new Case("train: toybox's folder for the U-Net", USAGE, List.of("train", "toybox-unet", "-o", file("model")),
                        List.of("-o " + file("model"), "transformer", "another folder")),
                new Case("train: toybox's flags for the U-Net", USAGE, List.of("train", "toybox-unet", "--distilled", "450"),
                        List.of("--distilled", "toybox-unet", "leave it out")),
                new Case("train: the U-Net's flag for toybox", USAGE, List.of("train", "toybox", "--toybox", file("model")),
                        List.of("--toybox", "train toybox")),
                new Case("replay: another model", USAGE, List.of("replay", file("foreign.png"), "-o", OUT),
                        List.of("foreign.png", "other-model", "--model DIR")));
    }

    static List<Case> references() {
        String library = file("library");
        return List.of(
                personalize("mask and segment", USAGE, List.of("--mask and --segment", "one of them"), "--mask", file("white.png"),
                        "--segment", "alpha"),
                personalize("a description without a reference", USAGE, List.of("--mask", "--reference; give it"), "-r", LEFT_OUT,
                        "--mask", file("white.png")),
                personalize("segment: no way", USAGE, List.of("--segment magic", "attention:WORD"), "--segment", "magic"),
                personalize("segment: three numbers", USAGE, List.of("--segment box:1,2,3", "box:x,y,w,h"), "--segment",
                        "box:1,2,3"),
                personalize("segment: a negative number", USAGE, List.of("--segment click:-1,2", "click:x,y"), "--segment",
                        "click:-1,2"),
                personalize("segment: no word", USAGE, List.of("--segment attention:", "attention:WORD"), "--segment",
                        "attention:"),
                personalize("segment: finds nothing", INPUT, List.of("black.png marks no pixel", "paint white"), "--segment",
                        "file:" + file("black.png")),
                personalize("segment: a file of half the size with strict", INPUT,
                        List.of("half.png is 32 x 32", "subject.png is 64 x 64"), "--segment", "file:" + file("half.png"), "--strict",
                        SET),
                personalize("region empty", INPUT, List.of("--region", "black.png", "paint white"), "--region",
                        file("black.png")),
                personalize("region with attention", USAGE, List.of("--region", "attention:fox", "likeness segment"), "--region",
                        file("white.png"), "--segment", "attention:fox"),
                personalize("mask of half the size with strict", INPUT, List.of("half.png is 32 x 32", "subject.png is 64 x 64"),
                        "--mask", file("half.png"), "--strict", SET),
                personalize("reference of no pixels", INPUT, List.of("no-pixels.png", "export it again"), "-r",
                        file("no-pixels.png")),
                personalize("reference too large", INPUT, List.of("huge.png is 40000 x 40000", "scale it down"), "-r",
                        file("huge.png")),
                personalize("unknown reference", USAGE, List.of("@robt", "did you mean @robot?"), "-r", "@robt", "--library",
                        library),
                personalize("unknown subject in the prompt", USAGE, List.of("@stranger", "add it"), "-p", "a @stranger",
                        "--library", library),
                personalize("mask for a subject of the library", USAGE, List.of("@robot has its mask", "leave --mask"), "-r",
                        "@robot", "--library", library, "--mask", file("white.png")),
                personalize("one place for two subjects", USAGE, List.of("--layout 0.5,0.5", "there are 2", "layout file"), "-r",
                        LEFT_OUT, "-p", "@robot and @teapot", "--library", library, "--layout", "0.5,0.5"),
                personalize("no subject but a scene", USAGE, List.of("no subject", "--reference FILE"), "-r", LEFT_OUT, "--scene",
                        file("opaque.png")),
                personalize("two scenes", USAGE, List.of("--scene", "with-scene.json", "leave one"), "--scene",
                        file("opaque.png"), "--layout", file("with-scene.json")),
                refusal("a size of no network beside a layout file", USAGE, List.of("--onnx-size", "--segment onnx:FILE"), "compose",
                        "-p", "a fox", "--layout", file("one-place.json"), "--onnx-size", "512", "--model", file("absent"), "-o", OUT),
                refusal("a size of no network beside a mention", USAGE, List.of("--onnx-size", "--segment onnx:FILE"), "personalize",
                        "-p", "a @robot", "--library", library, "--onnx-size", "512", "--model", file("absent"), "-o", OUT),
                personalize("a size of no network for a subject of the library", USAGE,
                        List.of("--onnx-normalisation", "--segment onnx:FILE"), "-r", "@robot", "--library", library,
                        "--onnx-normalisation", "half"),
                compose("layout file missing", INPUT, "nowhere.json", "nowhere.json does not exist"),
                compose("layout file cut off", INPUT, "cut.json", "cut.json, line 2, column 1, /subjects: the file ends early"),
                compose("layout out of range", INPUT, "outside.json", "outside.json, line 3, column ", "/subjects/1/x: 1.75",
                        "from 0 to 1"),
                compose("layout with an unknown field", INPUT, "unknown.json", "line 2, ", "/subjects/0/colour", "prompt"),
                compose("layout of an unknown subject", INPUT, "stranger.json", "line 2, column 17, /subjects/0/reference: ",
                        "no subject @stranger"),
                compose("layout with no way to find the subject", INPUT, "magic.json", "line 2, column 43, /subjects/0/segment: ",
                        "magic", "attention:WORD"),
                compose("layout with a box outside the picture", INPUT, "far-box.json",
                        "line 2, column 43, /subjects/0/segment: ", "64 x 64", "a box inside it"),
                compose("layout of a scene alone", INPUT, "scene-alone.json", "/subjects", "add the subject"),
                compose("layout of a picture that is missing", INPUT, "no-file.json", "nowhere.png does not exist"),
                refusal("generate: unknown subject", USAGE, List.of("@robt", "did you mean @robot?"), "generate", "-p",
                        "a @robt", "-o", OUT, "--library", library),
                refusal("reconstruct: no reference", USAGE, List.of("no subject", "--reference FILE"), "reconstruct", "-o", OUT),
                refusal("reconstruct: elsewhere", USAGE, List.of("in its place", "leave --layout"), "reconstruct", "-r",
                        file("subject.png"), "--layout", "0.5,0.5", "-o", OUT));
    }

    static List<Case> injections() {
        return List.of(
                personalize("inject", USAGE, List.of("--inject", "replace+mma, replace+concat", "'replase'"), "--inject",
                        "replase"),
                personalize("positions", USAGE, List.of("--positions", "TARGET", "'here'"), "--positions", "here"),
                personalize("inversion", USAGE, List.of("--inversion", "rf-inversion, rf-solver", "'ddim'"), "--inversion",
                        "ddim"),
                personalize("method", USAGE, List.of("--method", "PAPER", "'best'"), "--method", "best"),
                personalize("token mask", USAGE, List.of("--token-mask", "NEAREST", "'half'"), "--token-mask", "half"),
                personalize("gamma alone", USAGE, List.of("--gamma", "--inversion rf-inversion"), "--gamma", "0.5"),
                personalize("eta", USAGE, List.of("--eta", "personalize --help"), "--eta", "0.5"),
                personalize("gamma out of range", USAGE, List.of("--gamma 1.5", "from 0"), "--inversion", "rf-inversion",
                        "--gamma", "1.5"),
                personalize("window against perturb", USAGE, List.of("--shuffle-window", "--no-perturb"), "--no-perturb", SET,
                        "--shuffle-window", "3"),
                personalize("window out of range", USAGE, List.of("--shuffle-window 0", "from 1"), "--perturb", SET,
                        "--shuffle-window", "0"),
                personalize("morph out of range", USAGE, List.of("--mask-morph 300", "-255"), "--perturb", SET, "--mask-morph",
                        "300"),
                personalize("concat at another level", USAGE, List.of("replace+concat", "leave --replace-at out"), "--inject",
                        "replace+concat", "--replace-at", "latent"),
                personalize("concat at other positions", USAGE, List.of("replace+concat", "leave --positions out"), "--inject",
                        "replace+concat", "--positions", "zero"),
                personalize("cache of no size", USAGE, List.of("--cache-gb 0.0", "above 0"), "--cache-gb", "0"));
    }

    static List<Case> tasks() {
        return List.of(
                edit("inpaint: no hole", USAGE, "inpaint", List.of("no hole", "--mask FILE", "--segment HOW")),
                edit("inpaint: mask and segment", USAGE, "inpaint", List.of("--mask and --segment", "one of them"), "--mask",
                        file("dot.png"), "--segment", "box:1,1,20,20"),
                edit("inpaint: inverted without mask", USAGE, "inpaint", List.of("--mask-invert", "--mask FILE"), "--segment",
                        "box:1,1,20,20", "--mask-invert", SET),
                edit("inpaint: segment: no way", USAGE, "inpaint", List.of("--segment magic", "attention:WORD"), "--segment",
                        "magic"),
                edit("inpaint: size of no network", USAGE, "inpaint", List.of("--onnx-size", "--segment onnx:FILE"), "--mask",
                        file("dot.png"), "--onnx-size", "512"),
                edit("inpaint: empty hole", INPUT, "inpaint", List.of("black.png", "paint white"), "--mask", file("black.png")),
                edit("inpaint: hole of another shape", INPUT, "inpaint", List.of("small.png is 32 x 16", "same size"), "--mask",
                        file("small.png")),
                edit("inpaint: hole of half the size with strict", INPUT, "inpaint", List.of("half.png is 32 x 32", "same size"),
                        "--mask", file("half.png"), "--strict", SET),
                edit("inpaint: soft edge", USAGE, "inpaint", List.of("--soft-edge -1", "from 0"), "--mask", file("dot.png"),
                        "--soft-edge", "-1"),
                edit("outpaint: nothing", USAGE, "outpaint", List.of("Nothing is to be added", "--left")),
                edit("outpaint: negative", USAGE, "outpaint", List.of("--left", "negative"), "--left", "-16"),
                edit("outpaint: small canvas", USAGE, "outpaint", List.of("--canvas of 32x64", "larger"), "--canvas", "32x64"),
                edit("outpaint: off the canvas", USAGE, "outpaint", List.of("at 40,0", "--canvas of 96x64"), "--canvas", "96x64",
                        "--position", "40,0"),
                edit("outpaint: canvas a word", USAGE, "outpaint", List.of("--canvas wide", "512x384"), "--canvas", "wide"),
                edit("outpaint: too large", USAGE, "outpaint", List.of("40000 x 40000", "megapixels", "less"), "--canvas",
                        "40000x40000"),
                edit("outpaint: sum too large", USAGE, "outpaint", List.of("4000000064 x 64", "less"), "--left", "2000000000",
                        "--right", "2000000000"),
                edit("outpaint: canvas and sides", USAGE, "outpaint", List.of("--canvas and --left", "one or the other"),
                        "--canvas", "96x64", "--left", "16"),
                edit("outpaint: position alone", USAGE, "outpaint", List.of("--position", "give --canvas"), "--right", "32",
                        "--position", "0,0"),
                story("story: no file", INPUT, "nowhere.txt", "nowhere.txt", "no such file", "a prompt a line"),
                story("story: a folder", INPUT, "folder.png", "folder.png cannot be read"),
                story("story: no prompt", INPUT, "comments.txt", "comments.txt holds no prompt", "one a line"),
                story("story: not UTF-8", INPUT, "latin.txt", "latin.txt is not UTF-8", "save it"),
                story("story: a line without a subject", USAGE, "lines.txt", "'a fox'", "lines.txt", "@name"),
                refusal("invert: gamma", USAGE, List.of("--gamma", "rf-inversion"), "invert", "-r", file("opaque.png"), "--gamma",
                        "0.5", "-o", OUT),
                refusal("invert: eta", USAGE, List.of("--eta", "rf-inversion"), "invert", "-r", file("opaque.png"), "--eta", "0.5",
                        "--inversion", "flow", "-o", OUT),
                refusal("invert: two pictures", USAGE, List.of("--num-images 2", "leave it out"), "invert", "-r",
                        file("opaque.png"), "-n", "2", "-o", OUT),
                refusal("segment: no alpha", INPUT, List.of("opaque.png has no transparent"), "segment", "-r",
                        file("opaque.png"), "--segment", "alpha", "-o", OUT),
                refusal("segment: transparent", INPUT, List.of("transparent everywhere"), "segment", "-r",
                        file("transparent.png"), "--segment", "alpha", "-o", OUT),
                refusal("segment: not a PNG", USAGE, List.of("mask.jpg", ".png"), "segment", "-r", file("subject.png"),
                        "--segment", "alpha", "-o", "mask.jpg"),
                refusal("replay: unknown name", USAGE, List.of("--set colour", "generate", "steps"), "replay", file("made.png"),
                        "--set", "colour=red", "-o", OUT),
                refusal("replay: neither true nor false", USAGE, List.of("--set no-metadata=maybe", "true nor false"), "replay",
                        file("made.png"), "--set", "no-metadata=maybe", "-o", OUT),
                refusal("replay: no value", USAGE, List.of("--set", "was seed"), "replay", file("made.png"), "--set", "seed",
                        "-o", OUT));
    }

    static List<Case> library() {
        String library = "--library=" + file("library");
        String subject = file("subject.png");
        return List.of(
                refusal("subject: nothing", USAGE, List.of("subcommand", "--help"), "subject"),
                refusal("subject: unknown", USAGE, List.of("@robt", "did you mean @robot?"), "subject", "show", "robt", library),
                refusal("subject: remove unknown", USAGE, List.of("no subject @stranger"), "subject", "remove", "stranger",
                        library),
                refusal("subject: no name", USAGE, List.of("\"Robot\" is not a name", "robot-2"), "subject", "add", "Robot", "-r",
                        subject, library),
                refusal("subject: taken", USAGE, List.of("@robot", "another name"), "subject", "add", "robot", "-r", subject,
                        library),
                refusal("subject: taken, before the picture is looked for", USAGE, List.of("@robot", "another name"), "subject",
                        "add", "robot", "-r", file("nowhere.png"), library),
                refusal("subject: no name, before the picture is looked for", USAGE, List.of("is not a name"), "subject", "add",
                        "a b", "-r", file("nowhere.png"), library),
                refusal("subject: without alpha", INPUT, List.of("opaque.png", "--mask FILE"), "subject", "add", "crab", "-r",
                        file("opaque.png"), library),
                refusal("subject: mask empty", INPUT, List.of("black.png", "--mask-invert"), "subject", "add", "crab", "-r",
                        subject, "--mask", file("black.png"), library),
                refusal("subject: mask and segment", USAGE, List.of("--mask and --segment", "one of them"), "subject", "add",
                        "crab", "-r", subject, "--mask", file("white.png"), "--segment", "alpha", library),
                refusal("subject: a file", INPUT, List.of("subject.png is not a folder"), "subject", "list", "--library=" + subject));
    }

    static List<Case> input() {
        return List.of(
                personalize("output folder missing", INPUT, List.of("no-folder", "create it"), "-o",
                        file("no-folder/out.png")),
                personalize("output is a folder", INPUT, List.of("folder.png is a folder"), "-o", file("folder.png")),
                personalize("reference missing", INPUT, List.of("nowhere.png does not exist"), "-r", file("nowhere.png")),
                personalize("reference a folder", INPUT, List.of("folder.png is a folder"), "-r", file("folder.png")),
                personalize("reference not a picture", INPUT, List.of("text.png", "convert it"), "-r", file("text.png")),
                personalize("reference truncated", INPUT, List.of("truncated.png", "cut off"), "-r", file("truncated.png")),
                personalize("reference of 0 bytes", INPUT, List.of("empty.png is empty"), "-r", file("empty.png")),
                personalize("reference without alpha", INPUT, List.of("opaque.png", "--mask"), "-r", file("opaque.png")),
                personalize("reference transparent", INPUT, List.of("transparent.png", "transparent everywhere"), "-r",
                        file("transparent.png")),
                personalize("mask missing", INPUT, List.of("nowhere.png does not exist"), "--mask", file("nowhere.png")),
                personalize("mask not a picture", INPUT, List.of("text.png", "convert it"), "--mask", file("text.png")),
                personalize("mask empty", INPUT, List.of("black.png", "white", "--mask-invert"), "--mask",
                        file("black.png")),
                personalize("mask empty when inverted", INPUT, List.of("white.png"), "--mask", file("white.png"),
                        "--mask-invert", SET),
                personalize("mask of another size", INPUT, List.of("small.png is 32 x 16", "subject.png is 64 x 64"),
                        "--mask", file("small.png")),
                new Case("replay: missing", INPUT, List.of("replay", file("nowhere.png"), "-o", OUT),
                        List.of("nowhere.png does not exist")),
                new Case("replay: no record", INPUT, List.of("replay", file("opaque.png"), "-o", OUT),
                        List.of("opaque.png carries no likeness record")),
                new Case("replay: not a PNG", INPUT, List.of("replay", file("text.png"), "-o", OUT),
                        List.of("text.png is not a PNG file")),
                new Case("replay: another command", INPUT, List.of("replay", file("trained.png"), "-o", OUT),
                        List.of("trained.png", "'train'")),
                new Case("evaluate: cut-outs missing", INPUT, List.of("evaluate", "--suite", "toybox", "--subjects",
                        file("folder.png"), "--model", file("model"), "--judge", JUDGE), List.of("folder.png holds no accordion.png")),
                new Case("evaluate: results of something else", INPUT, List.of("evaluate", "--suite", "edit", "--model",
                        file("model"), "-o", file("measured")), List.of("measured", "holds results of", "name another --output")),
                new Case("evaluate: no benchmark", INPUT, List.of("evaluate", "--suite", "dreambench", "--data",
                        file("folder.png"), "--clip", file("nowhere"), "--dino", file("nowhere")),
                        List.of("holds no prompts_and_classes.txt")));
    }

    /** These need to know the model's canvas, but none of its weights: the folder has lost them. */
    static List<Case> beforeWeightsLoad() throws IOException {
        String model = broken("weightless", copy -> Files.delete(copy.resolve(WEIGHTS)));
        return List.of(
                personalize("subject too small", INPUT, List.of("too small", "64 x 64", "crop"), "--model", model, "--mask",
                        file("dot.png")),
                personalize("subject outside the canvas", USAGE, List.of("--layout 0.0,0.0", "outside", "0.5,0.5"), "--model",
                        model, "--mask", file("diagonal.png"), "--layout", "0,0"),
                personalize("subject clipped with strict", USAGE, List.of("--strict", "2 of 4", "outside the canvas", "move"),
                        "--model", model, "--layout", "0,0.5", "--strict", SET),
                compose("one subject in front of the other", USAGE, "one-place.json", "subject 1", "stand in front", "move it"),
                refusal("half of a subject covered with strict", USAGE, List.of("--strict", "2 of 4", "subject 1", "later subject",
                        "move"), "compose", "-p", "a fox", "--layout", file("overlap.json"), "--strict", "--model", model, "-o", OUT),
                personalize("cache a file", INPUT, List.of("--cache", "white.png is a file", "folder"), "--model", model,
                        "--cache", file("white.png")),
                edit("inpaint: all of it", INPUT, "inpaint", List.of("no block", "make it smaller"), "--mask", file("white.png"),
                        "--model", model));
    }

    static List<Case> resources() {
        return List.of(personalize("no such device", RESOURCES, List.of("--device cuda", "--device cpu"), "--device", "cuda"));
    }

    private static final String WEIGHTS = "transformer/diffusion_pytorch_model.safetensors";

    static List<Case> models() throws IOException {
        String whole = file("model");
        return List.of(
                refusal("a network's file without a model", USAGE, List.of("--t5 needs --model DIR"), "generate", "-p",
                "a fox", "--t5",
                        file("subject.png"), "-o", OUT),
                refusal("a network's file that is not there", MODEL, List.of("--vae", "nowhere.gguf is no file"), "generate",
                "-p",
                        "a fox", "--model", whole, "--vae", file("nowhere.gguf"), "-o", OUT),
                refusal("a network's file that is a picture", MODEL, List.of("subject.png is not a safetensors file"),
                "generate",
                        "-p", "a fox", "--model", whole, "--transformer", file("subject.png"), "-o", OUT),
                refusal("a network's file that holds another", MODEL, List.of("holds no T5 text encoder", "--t5"),
                "generate", "-p",
                        "a fox", "--model", whole, "--t5", file("model/" + WEIGHTS), "-o", OUT),
                refusal("inspect: nothing there", MODEL, List.of("nowhere.gguf does not exist"), "models", "inspect",
                        file("nowhere.gguf")),
                refusal("inspect: a picture", MODEL, List.of("subject.png is not a safetensors file"), "models", "inspect",
                        file("subject.png")),
                model("model missing", file("absent"), "absent is not a folder", "--model"),
                model("model a file", file("subject.png"), "subject.png is not a folder", "--model"),
                model("no index", broken("no-index", copy -> Files.delete(copy.resolve("model_index.json"))),
                        "no model_index.json", "--model"),
                model("index broken", broken("index", copy -> Files.writeString(copy.resolve("model_index.json"), "{")),
                        "model_index.json", "download it again"),
                model("another pipeline", broken("pipeline", copy -> edit(copy, "model_index.json",
                        json -> json.put("_class_name", "StableDiffusion3Pipeline"))), "StableDiffusion3Pipeline", "FluxPipeline"),
                model("weights missing", broken("weights", copy -> Files.delete(copy.resolve(WEIGHTS))),
                        "diffusion_pytorch_model.safetensors", "--model"),
                model("weights cut off", broken("cut", copy -> Files.write(copy.resolve(WEIGHTS),
                        Arrays.copyOf(Files.readAllBytes(copy.resolve(WEIGHTS)), 20_000))), "transformer", "cut off"),
                model("a weight missing", broken("layers", copy -> edit(copy, "transformer/config.json",
                        json -> json.put("num_layers", 2))), "lacks the weight transformer_blocks.1."),
                model("a weight too many", broken("fewer", copy -> edit(copy, "transformer/config.json",
                        json -> json.put("num_single_layers", 0))), "single_transformer_blocks.0."),
                model("networks that do not fit together", broken("shape", copy -> edit(copy, "transformer/config.json",
                        json -> json.put("joint_attention_dim", 100))), "joint_attention_dim 100", "192"),
                model("unknown key", broken("unknown", copy -> edit(copy, "transformer/config.json",
                        json -> json.put("gated_experts", 8))), "transformer/config.json", "gated_experts"),
                model("missing key", broken("key", copy -> edit(copy, "transformer/config.json",
                        json -> json.remove("attention_head_dim"))), "transformer/config.json", "attention_head_dim"),
                model("configuration broken", broken("config", copy ->
                        Files.writeString(copy.resolve("vae/config.json"), "{\"in_channels\": 3,")), "vae/config.json"),
                model("configuration missing", broken("scheduler", copy ->
                        Files.delete(copy.resolve("scheduler/scheduler_config.json"))), "scheduler_config.json does not exist"),
                model("vocabulary missing", broken("vocabulary", copy ->
                        Files.delete(copy.resolve("tokenizer/vocab.json"))), "vocab.json is missing"));
    }

    private static Case personalize(String name, int exit, List<String> says, String... changes) {
        Map<String, String> flags = new LinkedHashMap<>();
        flags.put("-p", "a fox");
        flags.put("-r", file("subject.png"));
        flags.put("-o", OUT);
        flags.put("--model", file("absent"));
        return new Case(name, exit, arguments("personalize", flags, changes), says);
    }

    private static Case refusal(String name, int exit, List<String> says, String... arguments) {
        return new Case(name, exit, List.of(arguments), says);
    }

    private static Case compose(String name, int exit, String layout, String... says) {
        return refusal(name, exit, List.of(says), "compose", "-p", "a fox", "--layout", file(layout), "--library",
                file("library"), "--model", file("models/weightless"), "-o", OUT);
    }

    private static Case edit(String name, int exit, String command, List<String> says, String... changes) {
        Map<String, String> flags = new LinkedHashMap<>();
        flags.put("-p", "a fox");
        flags.put("-i", file("opaque.png"));
        flags.put("-o", OUT);
        flags.put("--model", file("absent"));
        return new Case(name, exit, arguments(command, flags, changes), says);
    }

    private static Case story(String name, int exit, String prompts, String... says) {
        return refusal(name, exit, List.of(says), "story", "--prompts", file(prompts), "--library", file("library"), "-o", OUT);
    }

    private static List<String> generate(String model, String... changes) {
        Map<String, String> flags = new LinkedHashMap<>();
        flags.put("-p", "a fox");
        flags.put("-o", OUT);
        flags.put("--model", model);
        return arguments("generate", flags, changes);
    }

    private static List<String> arguments(String command, Map<String, String> flags, String... changes) {
        for (int i = 0; i < changes.length; i += 2) {
            flags.put(changes[i], changes[i + 1]);
        }
        List<String> arguments = new ArrayList<>(List.of(command));
        flags.forEach((flag, value) -> {
            if (!value.equals(LEFT_OUT)) {
                arguments.add(flag);
                if (!value.equals(SET)) {
                    arguments.add(value);
                }
            }
        });
        return arguments;
    }

    private static Case model(String name, String model, String... says) {
        return new Case(name, MODEL, generate(model, "--threads", "1"), List.of(says));
    }

    private static String file(String name) {
        return folder.resolve(name).toString();
    }

    private interface Damage {
        void to(Path copy) throws IOException;
    }

    private static String broken(String name, Damage damage) throws IOException {
        Path model = folder.resolve("model");
        Path copy = folder.resolve("models").resolve(name);
        try (Stream<Path> files = Files.walk(model)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = copy.resolve(model.relativize(file));
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
        damage.to(copy);
        return copy.toString();
    }

    private interface Edit {
        void to(ObjectNode json);
    }

    private static void edit(Path model, String name, Edit edit) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = (ObjectNode) mapper.readTree(model.resolve(name).toFile());
        edit.to(json);
        Files.writeString(model.resolve(name), json.toString());
    }

    @ParameterizedTest
    @MethodSource({"usage", "references", "injections", "tasks", "library", "input", "beforeWeightsLoad", "resources",
        "models"})
    void isRefused(Case refused, @TempDir Path empty) throws IOException, InterruptedException {
        List<String> arguments = refused.arguments().stream()
                .map(argument -> argument.equals(OUT) ? empty.resolve("out.png").toString() : argument).toList();
        LikenessProcess.Result result = LikenessProcess.run(empty, arguments);
        // The weights are read after the task has begun, which it tells.
        List<String> told = result.err().lines().filter(line -> !line.equals("load ...")).toList();
        assertThat(told).as("one sentence on standard error").hasSize(1);
        assertThat(told.get(0)).startsWith("likeness: ").contains(refused.says())
                .doesNotContain("internal error");
        assertThat(result.exit()).as(told.get(0)).isEqualTo(refused.exit());
        assertThat(result.out()).isEmpty();
        try (Stream<Path> files = Files.list(empty)) {
            assertThat(files).as("files left behind").isEmpty();
        }
    }
}
