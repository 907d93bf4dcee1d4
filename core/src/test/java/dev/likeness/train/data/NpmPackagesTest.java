package dev.likeness.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpmPackagesTest {

    @Test
    void whatIsThereIsNotFetchedAgain(@TempDir Path folder) throws IOException {
        SyntheticSprites.write(folder, "1f34e", SyntheticSprites.square(Color.RED));
        SyntheticSprites.writeList(folder, "[]");

        NpmPackages.fetch(folder);

        try (Stream<Path> files = Files.list(folder.resolve("fluent").resolve("assets"))) {
            assertThat(files).hasSize(1);
        }
        assertThat(folder.resolve("emoji").resolve("emoji.json")).hasContent("[]");
    }
}
