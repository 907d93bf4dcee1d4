package dev.likeness.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class EvaluateTest {

    private static EvaluateCommand parsed(String... arguments) {
        EvaluateCommand command = new EvaluateCommand();
        new CommandLine(command).parseArgs(arguments);
        return command;
    }

    @ParameterizedTest
    @CsvSource({"--method=all,model", "--only=fox,dreambench", "--subjects=x,edit", "--judge=x,inversion", "--data=x,toybox",
        "--clip=x,segmentation", "--dino=x,toybox", "--references=first,dreambench++"})
    void aFlagThatTheSuiteDoesNotReadIsRefused(String flag, String suite) {
        String name = flag.substring(0, flag.indexOf('='));
        assertThatThrownBy(() -> parsed("--suite=" + suite, flag, "--model=nowhere").call()).isInstanceOf(Refusal.class)
                .hasMessageStartingWith("--suite " + suite + " reads no " + name + ", which is for ")
                .extracting(e -> ((Refusal) e).kind()).isEqualTo(Refusal.Kind.USAGE);
    }

    @Test
    void flagsThatTheSuiteReadsAreTaken() {
        assertThatThrownBy(() -> parsed("--suite=toybox", "--method=tau", "--only=fox", "--subjects=x", "--judge=x",
                "--model=nowhere").call()).hasMessageContaining("nowhere").hasMessageNotContaining("reads no");
    }
}
