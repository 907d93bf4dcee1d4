package dev.likeness.task;

import dev.likeness.image.Picture;
import dev.likeness.inversion.Inversion;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** The name in the cache of everything that a reference's tokens depend on. */
final class ReferenceKey {

    private static final int VERSION = 1; // of what is computed from the key's parts

    private ReferenceKey() {}

    static String of(FluxModel model, Subject subject, Inversion inversion, long noiseSeed, double[] sigmas,
            Sampling sampling) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            Picture picture = subject.picture();
            String text = String.join("\n", String.valueOf(VERSION), model.fingerprint(), inversion.method() + " " + inversion.gamma(),
                    Long.toString(noiseSeed), Arrays.toString(sigmas), String.valueOf(model.guidance(sampling)),
                    Integer.toString(sampling.maxSequenceLength()), picture.width() + " x " + picture.height(),
                    subject.caption());
            digest.update(text.getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            digest.update(picture.rgb());
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has SHA-256
        }
    }
}
