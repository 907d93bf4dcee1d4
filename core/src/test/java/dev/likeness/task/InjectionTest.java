package dev.likeness.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.schedule.FlowMatching;
import dev.likeness.schedule.SchedulerConfig;
import dev.likeness.task.Injection.Mode;
import dev.likeness.task.Injection.TauBasis;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class InjectionTest {

    private static Injection with(Mode mode, double tau, TauBasis basis, ReplaceAt level) {
        return new Injection(mode, tau, basis, level, false, Positions.ZERO, Perturbation.NONE, Inversion.EXACT,
                TokenMask.Rule.QUARTER);
    }

    private static double[] sigmas(int steps) {
        return FlowMatching.sigmas(new SchedulerConfig(3.0, true, 0.5, 1.15, 256, 4096), steps, 4096);
    }

    @Test
    void thePaperReplacesAFifthOfTheStepsThenFusesWithoutPositionsAndPerturbs() {
        Injection paper = Injection.PAPER;
        assertThat(paper.mode()).isEqualTo(Mode.REPLACE_MMA);
        assertThat(paper.replaceAt()).isEqualTo(ReplaceAt.ATTENTION);
        assertThat(paper.referenceNoise()).isFalse();
        assertThat(paper.positions()).isEqualTo(Positions.ZERO);
        assertThat(paper.perturbation().shuffleWindow()).isEqualTo(3);
        assertThat(Math.abs(paper.perturbation().maskMorph())).isEqualTo(5);
        assertThat(paper.replacedSteps(sigmas(50))).isEqualTo(10);
    }

    @Test
    void thePublicImplementationReplacesByTheNearestPixelAndPerturbsNothing() {
        Injection published = Injection.PUBLIC;
        assertThat(published.mode()).isEqualTo(Mode.REPLACE);
        assertThat(published.tauBasis()).isEqualTo(TauBasis.SIGMA);
        assertThat(published.replaceAt()).isEqualTo(ReplaceAt.ATTENTION);
        assertThat(published.referenceNoise()).isFalse();
        assertThat(published.positions()).isEqualTo(Positions.TARGET);
        assertThat(published.perturbation()).isEqualTo(Perturbation.NONE);
        assertThat(published.inversion()).isEqualTo(Inversion.EXACT);
        assertThat(published.tokenRule()).isEqualTo(TokenMask.Rule.NEAREST);
    }

    /** As the public implementation does at 1024 x 1024. */
    @ParameterizedTest
    @CsvSource({"0.8, 28, 13", "0.8, 50, 23", "0.7, 28, 17", "0.7, 50, 29", "0.6, 28, 19", "0.6, 50, 34", "0.1, 28, 28",
        "0.1, 50, 49", "1, 28, 0", "0, 28, 28"})
    void tauCountsStepsByTheirShiftedNoise(double tau, int steps, int replaced) {
        assertThat(with(Mode.REPLACE, tau, TauBasis.SIGMA, ReplaceAt.ATTENTION).replacedSteps(sigmas(steps)))
                .isEqualTo(replaced);
    }

    /** Of T steps, t is T, T - 1, ... 1, and those above tau T replace. */
    @ParameterizedTest
    @CsvSource({"1, 50, 0", "0.99, 50, 1", "0.98, 50, 1", "0.8, 50, 10", "0.5, 4, 2", "0.49, 4, 3", "0.1, 50, 45", "0, 50, 50",
        "0, 1, 1", "1, 1, 0"})
    void tauCountsStepsByTheirNumber(double tau, int steps, int replaced) {
        assertThat(with(Mode.REPLACE, tau, TauBasis.STEPS, ReplaceAt.HIDDEN).replacedSteps(sigmas(steps)))
                .isEqualTo(replaced);
    }

    @ParameterizedTest
    @EnumSource
    void onlyModesThatReplaceHaveReplacedSteps(Mode mode) {
        boolean replaces = mode == Mode.REPLACE || mode == Mode.REPLACE_MMA || mode == Mode.REPLACE_CONCAT;
        assertThat(with(mode, 0, TauBasis.SIGMA, ReplaceAt.ATTENTION).replacedSteps(sigmas(9))).isEqualTo(replaces ? 9 : 0);
    }

    @ParameterizedTest
    @CsvSource({"-0.001", "1.001", "NaN", "Infinity"})
    void aTauOutsideZeroToOneIsRefused(double tau) {
        for (Mode mode : Mode.values()) {
            assertThatThrownBy(() -> with(mode, tau, TauBasis.STEPS, ReplaceAt.ATTENTION))
                    .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                    .hasMessageContaining("--tau");
        }
    }

    @ParameterizedTest
    @EnumSource
    void concatenationReplacesAtAttentionOnly(ReplaceAt level) {
        if (level == ReplaceAt.ATTENTION) {
            assertThat(with(Mode.REPLACE_CONCAT, 0.5, TauBasis.SIGMA, level).replaceAt()).isEqualTo(level);
        } else {
            assertThatThrownBy(() -> with(Mode.REPLACE_CONCAT, 0.5, TauBasis.SIGMA, level)).isInstanceOf(Refusal.class)
                    .hasMessageContaining("replace+concat").hasMessageContaining("--replace-at");
        }
    }

    @Test
    void everyModeHasAFlagOfItsOwn() {
        Set<String> flags = Arrays.stream(Mode.values()).map(Mode::flag).collect(Collectors.toSet());
        assertThat(flags).containsExactlyInAnyOrder("replace", "replace+mma", "replace+concat", "sharing", "none");
    }

    @Test
    void theModelsDefaultsDecideItsWayAndItsPerturbation() {
        ModelDefaults calm = new ModelDefaults(64, 64, 4, 0, 1, 8, 0.5, ReplaceAt.LATENT, true, false, 0.2, 0.3);
        assertThat(calm.injection(0.25)).isEqualTo(new Injection(0.25, TauBasis.SIGMA, ReplaceAt.LATENT, true));
        ModelDefaults restless = new ModelDefaults(64, 64, 4, 0, 1, 8, 0.5, ReplaceAt.LATENT, true, true, 0.2, 0.3);
        assertThat(restless.injection(0.25).perturbation()).isEqualTo(Injection.PAPER.perturbation());
    }
}
