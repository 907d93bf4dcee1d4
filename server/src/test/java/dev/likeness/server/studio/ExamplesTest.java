package dev.likeness.server.studio;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ExamplesTest {

    @Test
    void thePageListsEveryExampleAndTheServerHasEachOne() throws IOException {
        String[] listed = new ObjectMapper().readValue(getClass().getResource("/studio/examples.json"), String[].class);
        try (Stream<Path> files = Files.list(Path.of("..", "examples", "subjects"))) {
            List<String> names = files.map(file -> file.getFileName().toString().replace(".png", "")).toList();
            assertThat(listed).containsExactlyInAnyOrderElementsOf(names);
        }
        assertThat(listed).allSatisfy(
                name -> assertThat(getClass().getResource("/studio/examples/" + name + ".png")).isNotNull());
    }
}
