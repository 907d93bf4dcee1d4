package dev.likeness.eval;

import dev.likeness.error.Refusal;
import dev.likeness.inject.Positions;
import dev.likeness.inject.ReplaceAt;
import dev.likeness.inversion.Inversion;
import dev.likeness.reference.Perturbation;
import dev.likeness.reference.TokenMask;
import dev.likeness.task.Injection;
import dev.likeness.task.Injection.Mode;
import dev.likeness.task.Injection.TauBasis;
import dev.likeness.task.ModelDefaults;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A way to put a subject into a picture, under a name that results keep.
 *
 * @param injection null for the two controls, which inject nothing
 */
public record Method(String name, String title, Injection injection) {

    /** Plain generation: what chance gives. */
    public static final String PLAIN = "plain";

    /** The cut-out laid over plain generation: what a copy scores. */
    public static final String PASTE = "paste";

    /** What {@code likeness personalize} does with the model. */
    public static final String DEFAULT = "default";

    /** Every method there is, in the order of tables. */
    public static final String ALL = "all";

    private static final List<String> LEVELS = List.of("latent", "attention");
    private static final List<String> TAUS = List.of("0.95", "0.8", "0.6", "0.4", "0.2", "0.1");
    private static final List<String> SHARED = List.of("sharing-keep", "sharing-zero", "sharing-shift");
    private static final Map<String, List<String>> GROUPS = groups();
    private static final Pattern REPLACEMENT =
            Pattern.compile("(latent|attention)-(0|1|0\\.\\d{1,3})(-mma-target|-mma-zero|-perturbed)?");
    private static final Pattern SHARING = Pattern.compile("sharing-(keep|zero|shift)");
    private static final Pattern CONCATENATION = Pattern.compile("concat-(0|1|0\\.\\d{1,3})");
    private static final Perturbation PERTURBED = new Perturbation(Perturbation.PAPER_WINDOW, Perturbation.PAPER_MORPH, 7);

    private static Map<String, List<String>> groups() {
        List<String> taus = LEVELS.stream().flatMap(level -> TAUS.stream().map(tau -> level + "-" + tau)).toList();
        Map<String, List<String>> groups = new TreeMap<>();
        groups.put("tau", taus);
        groups.put("sharing", joined(byLevel("-0.8", "-0.8-mma-target"), SHARED));
        groups.put("mma", byLevel("-0.8", "-0.8-mma-zero", "-0.8-mma-target"));
        groups.put("perturbation", byLevel("-0.8", "-0.8-perturbed", "-0.4", "-0.4-perturbed"));
        groups.put("main", joined(List.of(DEFAULT), byLevel("-0.8", "-0.8-mma-target", "-0.8-mma-zero", "-0.8-perturbed"),
                List.of("concat-0.8"), SHARED));
        groups.put(ALL, joined(groups.get("main"), groups.get("perturbation"), taus));
        return groups;
    }

    private static List<String> byLevel(String... endings) {
        return LEVELS.stream().flatMap(level -> List.of(endings).stream().map(ending -> level + ending)).toList();
    }

    @SafeVarargs
    private static List<String> joined(List<String>... lists) {
        return List.of(lists).stream().flatMap(List::stream).toList();
    }

    /** Names that stand for several methods, with these. */
    public static Map<String, List<String>> groupNames() {
        return GROUPS;
    }

    /**
     * Methods by name, the two controls always first.
     *
     * @param names of methods and groups
     * @throws Refusal (usage) when a name is none
     */
    public static List<Method> named(List<String> names, ModelDefaults defaults) {
        Set<String> wanted = new LinkedHashSet<>(List.of(PLAIN, PASTE));
        names.forEach(name -> wanted.addAll(GROUPS.getOrDefault(name, List.of(name))));
        List<Method> methods = new ArrayList<>();
        wanted.forEach(name -> methods.add(named(name, defaults)));
        return methods;
    }

    private static Method named(String name, ModelDefaults defaults) {
        Matcher replacement = REPLACEMENT.matcher(name);
        Matcher sharing = SHARING.matcher(name);
        Matcher concatenation = CONCATENATION.matcher(name);
        if (name.equals(PLAIN)) {
            return new Method(name, "plain generation", null);
        } else if (name.equals(PASTE)) {
            return new Method(name, "pasted cut-out", null);
        } else if (name.equals(DEFAULT)) {
            return new Method(name, "the model's default", defaults.injection(defaults.tau()));
        } else if (replacement.matches()) {
            return replacement(name, replacement.group(1), replacement.group(2),
                    replacement.group(3) == null ? "" : replacement.group(3));
        } else if (sharing.matches()) {
            return new Method(name, "attention sharing, positions " + sharing.group(1), injection(Mode.SHARING, 0.8,
                    ReplaceAt.ATTENTION, positions(sharing.group(1)), Perturbation.NONE));
        } else if (concatenation.matches()) {
            return new Method(name, "concatenation, tau " + concatenation.group(1), injection(Mode.REPLACE_CONCAT,
                    Double.parseDouble(concatenation.group(1)), ReplaceAt.ATTENTION, Positions.TARGET, Perturbation.NONE));
        }
        throw Refusal.usage("--method %s is none; give plain, paste, default, latent-T or attention-T with a tau T from 0 "
                + "to 1 and perhaps -mma-target, -mma-zero or -perturbed behind it, concat-T, sharing-keep, sharing-zero, "
                + "sharing-shift, or a group: %s.", name, String.join(", ", GROUPS.keySet()));
    }

    private static Method replacement(String name, String level, String tau, String then) {
        ReplaceAt at = ReplaceAt.valueOf(level.toUpperCase(Locale.ROOT));
        boolean late = then.startsWith("-mma");
        String positions = late ? then.substring("-mma-".length()) : "zero";
        Perturbation perturbation = then.equals("-perturbed") ? PERTURBED : Perturbation.NONE;
        String title = level + ", tau " + tau + (late ? ", then multi-modal attention, positions " + positions : "")
                + (then.equals("-perturbed") ? ", perturbed" : "");
        return new Method(name, title, injection(late ? Mode.REPLACE_MMA : Mode.REPLACE, Double.parseDouble(tau), at,
                positions(positions), perturbation));
    }

    private static Positions positions(String name) {
        return Positions.valueOf(name.toUpperCase(Locale.ROOT));
    }

    private static Injection injection(Mode mode, double tau, ReplaceAt level, Positions positions,
            Perturbation perturbation) {
        return new Injection(mode, tau, TauBasis.SIGMA, level, level == ReplaceAt.LATENT, positions, perturbation,
                Inversion.EXACT, TokenMask.Rule.QUARTER);
    }

    /** Titles by name. */
    static Map<String, String> titles(List<Method> methods) {
        Map<String, String> titles = new LinkedHashMap<>();
        methods.forEach(method -> titles.put(method.name, method.title));
        return titles;
    }

    /** Levels of replacement, each with its taus: what a curve over tau is drawn through. */
    static Map<String, Map<Double, String>> byTau(List<Method> methods) {
        Map<String, Map<Double, String>> curves = new LinkedHashMap<>();
        for (Method method : methods) {
            Matcher matcher = REPLACEMENT.matcher(method.name);
            if (matcher.matches() && matcher.group(3) == null) {
                curves.computeIfAbsent(matcher.group(1), level -> new TreeMap<>())
                        .put(method.injection.tau(), method.name);
            }
        }
        return curves;
    }
}
