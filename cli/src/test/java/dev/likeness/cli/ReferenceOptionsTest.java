package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.likeness.image.Mask;
import dev.likeness.image.Picture;
import dev.likeness.image.PngWriter;
import dev.likeness.reference.Layout;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.request.Source;
import dev.likeness.task.Sampling;
import dev.likeness.task.Subject;
import dev.likeness.task.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReferenceOptionsTest {

    private static final int SIDE = TinyModel.SIDE;

    @TempDir
    Path folder;

    /** Whatever a story's lines mention, a reference is read, found in its picture and fitted once. */
    @Test
    void aStoryReadsAndFitsEachReferenceOnce() throws IOException {
        Picture subject = TinyModel.subject();
        PngWriter.write(folder.resolve("subject.png"), subject.flatten(0x2060E0), Map.of());
        PngWriter.write(folder.resolve("beach.png"), subject.flatten(0xE0C080), Map.of());
        SubjectLibrary library = new SubjectLibrary(folder.resolve("library"));
        for (String name : List.of("robot", "teapot")) {
            library.add(name, subject, Mask.ofAlpha(subject, name), null, "alpha");
        }
        ReferenceOptions options = new ReferenceOptions();
        options.reference = folder.resolve("subject.png").toString();
        options.maskOptions.segmentOptions.segment = "click:34,30";
        options.scene = folder.resolve("beach.png");

        List<Source> first = options.read(library, List.of("robot"));
        Files.delete(folder.resolve("subject.png"));
        Files.delete(folder.resolve("beach.png"));
        library.remove("robot");
        List<Source> second = options.read(library, List.of("robot", "teapot"));
        assertThat(second).hasSize(4).startsWith(first.get(0), first.get(1));
        assertThat(second.get(1)).isSameAs(first.get(1));
        assertThat(second.get(2).picture()).isSameAs(first.get(2).picture());

        Sampling sampling = new Sampling(SIDE, SIDE, 1, 0, 1, "", 8, 0, 1);
        List<Source> third = options.read(library, List.of("robot"));
        List<List<Subject>> fitted = Source.fit(List.of(first, second, third), null, sampling);
        assertThat(fitted.get(1).get(1)).isSameAs(fitted.get(0).get(1));
        assertThat(fitted.get(2).get(2)).isSameAs(fitted.get(0).get(2)).isNotEqualTo(fitted.get(1).get(2));
    }

    @Test
    void aSceneOfALayoutFileMayComeFromTheLibrary() throws IOException {
        Picture picture = TinyModel.subject();
        SubjectLibrary library = new SubjectLibrary(folder.resolve("library"));
        library.add("beach", picture, Mask.ofAlpha(picture, "beach"), "snow", "alpha");
        library.add("robot", picture, Mask.ofAlpha(picture, "robot"), null, "alpha");
        ReferenceOptions options = new ReferenceOptions();
        options.layout = Files.writeString(folder.resolve("layout.json"),
                "{\"subjects\": [{\"reference\": \"@beach\", \"scene\": true}, {\"reference\": \"@robot\"}]}").toString();
        List<Source> sources = options.read(library, List.of("beach"));
        assertThat(sources).extracting(Source::scene).containsExactly(true, false);
        assertThat(sources.get(0).mask()).isEqualTo(Mask.full(SIDE, SIDE));
        assertThat(sources.get(0).caption()).isEqualTo("snow");
    }

    @Test
    void subjectsShareAPlaceSideBySide() {
        Layout whole = new Layout(0.75, 0.25, 0.5);
        assertThat(Source.share(whole, 0, 1)).isEqualTo(whole);
        assertThat(Source.share(whole, 0, 2)).isEqualTo(new Layout(0.625, 0.25, 0.25));
        assertThat(Source.share(whole, 1, 2)).isEqualTo(new Layout(0.875, 0.25, 0.25));
    }

    /** A place may be smaller than the smallest size, at the edge of the canvas. */
    @Test
    void aShareIsAPlaceOnTheCanvas() {
        Layout corner = new Layout(0.001, 1, Layout.MIN_SCALE);
        assertThat(Source.share(corner, 0, 3)).isEqualTo(new Layout(0, 1, Layout.MIN_SCALE));
    }
}
