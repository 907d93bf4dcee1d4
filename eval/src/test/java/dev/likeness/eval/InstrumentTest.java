package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InstrumentTest {

    @ParameterizedTest
    @EnumSource
    void everyInstrumentIsDefinedInTheDocumentation(Instrument instrument) throws IOException {
        assertThat(Files.readString(Path.of("../docs/evaluation.md"))).contains("`" + instrument.id() + "`");
        assertThat(Instrument.of(instrument.id())).isEqualTo(instrument);
    }

    @Test
    void valuesAreShownInTheirUnit() {
        assertThat(Instrument.SCENE_TOP1.text(0.975)).isEqualTo("98 %");
        assertThat(Instrument.IDENTITY_PSNR.text(-1.005)).isEqualTo("-1.01 dB");
        assertThat(Instrument.SEAM.text(1)).isEqualTo("1.00");
    }
}
