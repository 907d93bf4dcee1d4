package dev.likeness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Maven's profile gpu, as far as it can be looked at without a gigabyte of libraries. */
class GpuProfileTest {

    /** A property that a module declares itself wins over its parent's profile: the profile would then change nothing. */
    @Test
    void noModuleDeclaresThePropertyThatTheProfileSets() throws IOException {
        String parent = Files.readString(Path.of("../pom.xml"));
        String core = Files.readString(Path.of("pom.xml"));
        assertThat(parent.substring(parent.indexOf("<profiles>"))).contains("<id>gpu</id>",
                "<torch.classifier>linux-x86_64-gpu</torch.classifier>");
        assertThat(core).contains("<classifier>${torch.classifier}</classifier>").doesNotContain("<torch.classifier>");
    }
}
