package dev.likeness.weights;

import dev.likeness.error.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA file and how much of it is added.
 *
 * @param scale factor of its additions; 1 is as it was trained
 * @param sha256 hash of the file's bytes, 64 lower-case hexadecimal digits
 */
public record LoraFile(Path path, double scale, String sha256) {

    private static final double MAX_SCALE = 100;
    private static final Pattern FLAG =
            Pattern.compile("(?s)(.+?)(?::([+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?)(?::([0-9a-f]{64}))?)?");

    /**
     * Reads {@code FILE[:SCALE[:SHA256]]}.
     *
     * @throws Refusal (usage) when the scale is out of range, (model) when the file cannot be read, or has another hash than
     *     the one given
     */
    public static LoraFile of(String flag) {
        Matcher parts = FLAG.matcher(flag);
        if (!parts.matches()) {
            throw Refusal.usage("--lora %s names no file; give FILE or FILE:SCALE.", flag);
        }
        double scale = parts.group(2) == null ? 1 : Double.parseDouble(parts.group(2));
        if (!(Math.abs(scale) <= MAX_SCALE)) {
            throw Refusal.usage("--lora %s: the scale %s is out of range; use a number from -100 to 100.", flag, parts.group(2));
        }
        Path path = Path.of(parts.group(1));
        String hash = hash(path);
        if (parts.group(3) != null && !parts.group(3).equals(hash)) {
            throw Refusal.model("--lora %s is not the file that is meant: its SHA-256 is %s instead of %s; put the right file "
                    + "there.", path, hash, parts.group(3));
        }
        return new LoraFile(path, scale, hash);
    }

    /** What {@link #of} reads, with another path to the same file. */
    public String flag(String otherPath) {
        return otherPath + ':' + scale + ':' + sha256;
    }

    /** The path of a flag's value. */
    public static String path(String flag) {
        Matcher parts = FLAG.matcher(flag);
        return parts.matches() ? parts.group(1) : flag;
    }

    /** A flag's value with another path. */
    public static String withPath(String flag, String path) {
        return path + flag.substring(path(flag).length());
    }

    private static String hash(Path path) {
        try (InputStream in = Files.newInputStream(path)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            new DigestInputStream(in, digest).transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchFileException e) {
            throw Refusal.model("--lora %s does not exist; give a safetensors file.", path);
        } catch (IOException e) {
            throw Refusal.model("--lora %s cannot be read (%s); give a safetensors file.", path, e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has SHA-256
        }
    }
}
