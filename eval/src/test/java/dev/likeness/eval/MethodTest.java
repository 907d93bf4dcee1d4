package dev.likeness.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.reference.Perturbation;
import dev.likeness.task.Injection;
import dev.likeness.task.Injection.Mode;
import dev.likeness.task.ModelDefaults;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MethodTest {

    private static List<Method> named(String... names) {
        return Method.named(List.of(names), ModelDefaults.DEV);
    }

    private static Injection injection(String name) {
        return named(name).get(2).injection();
    }

    @Test
    void theControlsComeFirstAndNothingComesTwice() {
        assertThat(named("latent-0.8", "paste", "mma", "latent-0.8")).extracting(Method::name).startsWith("plain", "paste",
                "latent-0.8", "latent-0.8-mma-zero").doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({"latent-0.35, REPLACE, 0.35, LATENT, ZERO", "attention-1, REPLACE, 1, ATTENTION, ZERO",
        "latent-0.8-mma-target, REPLACE_MMA, 0.8, LATENT, TARGET", "attention-0.8-mma-zero, REPLACE_MMA, 0.8, ATTENTION, "
                + "ZERO",
        "concat-0.6, REPLACE_CONCAT, 0.6, ATTENTION, TARGET", "sharing-keep, SHARING, 0.8, ATTENTION, KEEP",
        "sharing-shift, SHARING, 0.8, ATTENTION, SHIFT"})
    void aNameSaysWhatIsDone(String name, Mode mode, double tau, ReplaceAt level, Positions positions) {
        Injection injection = injection(name);
        assertThat(injection.mode()).isEqualTo(mode);
        assertThat(injection.tau()).isEqualTo(tau);
        assertThat(injection.replaceAt()).isEqualTo(level);
        assertThat(injection.positions()).isEqualTo(positions);
        assertThat(injection.perturbation()).isEqualTo(Perturbation.NONE);
    }

    @Test
    void onlyPerturbedMethodsPerturb() {
        assertThat(injection("latent-0.4-perturbed").perturbation()).isNotEqualTo(Perturbation.NONE);
    }

    @Test
    void theDefaultIsTheModels() {
        assertThat(injection("default")).isEqualTo(ModelDefaults.DEV.injection(ModelDefaults.DEV.tau()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "latent", "latent-1.5", "latent-0.8-mma-keep", "sharing-target", "hidden-0.8", "Plain"})
    void whatIsNoMethodIsRefused(String name) {
        assertThatThrownBy(() -> named(name)).isInstanceOf(Refusal.class).hasMessageContaining("--method " + name
                + " is none")
                .hasMessageContaining("perturbation");
    }

    @Test
    void allMethodsAreThoseOfTheGroupsTogether() {
        List<String> all = named("all").stream().map(Method::name).toList();
        Method.groupNames().forEach((group, names) -> assertThat(all).as(group).containsAll(names));
    }

    @Test
    void aCurveGoesThroughReplacementAlone() {
        assertThat(Method.byTau(named("latent-0.2", "latent-0.8-mma-zero", "attention-0.8", "latent-0.8"))).isEqualTo(Map.of(
                "latent", Map.of(0.2, "latent-0.2", 0.8, "latent-0.8"), "attention", Map.of(0.8, "attention-0.8")));
    }
}
