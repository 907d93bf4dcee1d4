package dev.likeness;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import java.util.List;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

/** The order of the house: each package may use those above it in the list and none below. */
@AnalyzeClasses(packages = "dev.likeness", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    /** From the foundation up, train last because it may use everything; a new package must be given its place here. */
    private static final List<String> LAYERS = List.of("error", "image", "tensor", "weights", "model", "text", "features",
            "latents", "schedule", "inversion", "reference", "denoise", "inject", "task", "segment", "analysis",
            "metadata", "request", "train");

    @ArchTest
    static void anArrowNeverPointsBackUpTheList(JavaClasses house) {
        for (int i = 0; i + 1 < LAYERS.size(); i++) {
            String[] later = LAYERS.subList(i + 1, LAYERS.size()).stream().map(ArchitectureTest::in)
                    .toArray(String[]::new);
            noClasses().that().resideInAPackage(in(LAYERS.get(i)))
                    .should().dependOnClassesThat().resideInAnyPackage(later)
                    .allowEmptyShould(true).check(house);
        }
    }

    @ArchTest
    static final ArchRule everyPackageHasItsPlaceInTheList = classes().should()
            .resideInAnyPackage(LAYERS.stream().map(ArchitectureTest::in).toArray(String[]::new));

    @ArchTest
    static final ArchRule noPackageCycle = slices().matching("dev.likeness.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule onlyTensorCallsLibtorchsGlobalFunctions = noClasses()
            .that().resideOutsideOfPackage(in("tensor"))
            .should().dependOnClassesThat().resideInAPackage("org.bytedeco.pytorch.global..");

    @ArchTest
    static final ArchRule theLibraryKnowsNothingOfItsFrontEnds = noClasses()
            .should().dependOnClassesThat().resideInAnyPackage("dev.likeness.cli..", "dev.likeness.server..",
                    "dev.likeness.eval..", "dev.likeness.spark..", "picocli..", "io.javalin..", "org.apache.spark..");

    private static String in(String layer) {
        return "dev.likeness." + layer + "..";
    }
}
