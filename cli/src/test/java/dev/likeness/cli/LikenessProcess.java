package dev.likeness.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The real command line in a process of its own, started as {@code bin/likeness} starts it. */
final class LikenessProcess {

    /** What a process left: its exit code and what it wrote. */
    record Result(int exit, String out, String err) {}

    /** Name of the folder that is the user's own library. */
    static final String SUBJECTS = "subjects";

    private LikenessProcess() {}

    /** @param folder the working directory; the subject library is the folder {@value #SUBJECTS} in it, unless told otherwise */
    static Result run(Path folder, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=0", "-Dorg.bytedeco.javacpp.maxbytes=0",
                "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(arguments);
        Path out = Files.createTempFile("likeness-out", ".txt");
        Path err = Files.createTempFile("likeness-err", ".txt");
        try {
            ProcessBuilder process = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            process.environment().put("LIKENESS_SUBJECTS", folder.resolve(SUBJECTS).toString()); // not those of whoever tests
            int exit = process.start().waitFor();
            return new Result(exit, Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
