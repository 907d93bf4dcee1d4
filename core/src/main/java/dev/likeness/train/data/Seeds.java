package dev.likeness.train.data;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Random numbers from hashed seeds: neighbouring seeds of {@link java.util.Random} give correlated first draws. */
final class Seeds {

    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private Seeds() {
    }

    /** A generator for one stream of one seed; different streams of the same seed are independent. */
    static RandomGenerator random(long seed, long stream) {
        return new SplittableRandom(mix(mix(seed) + stream));
    }

    /** One step of splitmix64: a bijection that spreads every input bit over all output bits. */
    static long mix(long value) {
        long z = value + GOLDEN_GAMMA;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
