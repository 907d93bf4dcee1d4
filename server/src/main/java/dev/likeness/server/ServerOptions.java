package dev.likeness.server;

import dev.likeness.error.Refusal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * @param host address to listen at
 * @param port 0 takes a free one
 * @param token what requests must carry; null for none
 * @param names under which browsers may call the server, besides localhost and addresses
 * @param data folder of the queue, the pictures and what belongs to them
 * @param library folder of the subjects
 */
public record ServerOptions(String host, int port, String token, Set<String> names, Path data, Path library, Limits limits) {

    private static final int MIN_TOKEN = 16;

    /** @throws Refusal (usage) when others could reach the server without a token, or could guess it */
    public ServerOptions {
        if (port < 0 || port > 65535) {
            throw Refusal.usage("--port %d is out of range; use a number from 1 to 65535, or 0 for a free one.", port);
        }
        if (token == null && !loopback(host)) {
            throw Refusal.usage("--host %s can be reached from other machines; give a secret with --token, or listen at "
                    + "127.0.0.1.", host);
        }
        if (token != null && token.length() < MIN_TOKEN) {
            throw Refusal.usage("--token is too short to be a secret; give one of at least %d characters.", MIN_TOKEN);
        }
    }

    /** {@code likeness/server} in {@code $XDG_DATA_HOME}, which is {@code ~/.local/share} unless set. */
    public static Path defaultData(Map<String, String> environment, Path home) {
        Path data = Path.of(environment.getOrDefault("XDG_DATA_HOME", ""));
        // The XDG specification has relative paths ignored.
        return (data.isAbsolute() ? data : home.resolve(".local/share")).resolve("likeness/server");
    }

    private static boolean loopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw Refusal.usage("--host %s is no address of this machine; give one such as 127.0.0.1.", host);
        }
    }
}
