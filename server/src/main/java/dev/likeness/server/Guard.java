package dev.likeness.server;

import io.javalin.http.Context;
import io.javalin.http.Cookie;
import io.javalin.http.SameSite;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Who may ask: no page of another site, nobody who reached us by a name that is not ours (DNS rebinding), and nobody
 * without the token where there is one.
 */
final class Guard {

    private static final String COOKIE = "likeness";
    private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS");
    private static final Pattern ADDRESS = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9a-f:.]+]");

    /** Paths that need the token where there is one; the others are pages and health. */
    private static final Pattern PRIVATE = Pattern.compile("/(api|v1|sdapi|metrics)(/.*)?");
    private static final String SESSION = "/api/v1/session";

    private final ServerOptions options;

    Guard(ServerOptions options) {
        this.options = options;
    }

    void check(Context context) {
        String host = host(String.valueOf(context.header("Host")));
        if (!host.equals("localhost") && !ADDRESS.matcher(host).matches() && !host.equals(options.host())
                && !options.names().contains(host)) {
            throw Problem.of(Problem.Kind.MISDIRECTED, "This server does not answer under that host name; use its "
                    + "address, or start it with --allow-host.");
        }
        if (!SAFE.contains(context.method().name())) {
            checkOrigin(context);
        }
        if (options.token() != null && PRIVATE.matcher(context.path()).matches() && !context.path().equals(SESSION)
                && !authorized(context)) {
            context.header("WWW-Authenticate", "Bearer realm=\"likeness\"");
            throw Problem.of(Problem.Kind.UNAUTHORIZED, "The token is missing or wrong; send it as Authorization: Bearer "
                    + "TOKEN.");
        }
    }

    /** The name or address, without the port. */
    private static String host(String header) {
        String lower = header.toLowerCase(Locale.ROOT);
        return lower.startsWith("[") ? lower.substring(0, lower.indexOf(']') + 1) : lower.split(":", 2)[0];
    }

    private static void checkOrigin(Context context) {
        String site = context.header("Sec-Fetch-Site");
        String origin = context.header("Origin");
        boolean foreign = site != null && !site.equals("same-origin") && !site.equals("none");
        if (foreign || origin != null && !authority(origin).equalsIgnoreCase(context.header("Host"))) {
            throw Problem.of(Problem.Kind.FORBIDDEN, "A page of another site sent this; open the server's own page.");
        }
    }

    private static String authority(String origin) {
        try {
            String authority = URI.create(origin).getRawAuthority();
            return authority == null ? "" : authority;
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    private boolean authorized(Context context) {
        String header = context.header("Authorization");
        if (header != null && header.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return same(header.substring(7).strip(), options.token());
        }
        if (context.basicAuthCredentials() != null) { // clients of AUTOMATIC1111's interface know no other way
            return same(context.basicAuthCredentials().getPassword(), options.token());
        }
        String cookie = context.cookie(COOKIE);
        return cookie != null && same(cookie, session());
    }

    /** Compared by their digests, so that the time tells nothing of where they differ. */
    private static boolean same(String given, String expected) {
        return MessageDigest.isEqual(digest(given), digest(expected));
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has SHA-256
        }
    }

    /** What the cookie holds instead of the token itself. */
    private String session() {
        return HexFormat.of().formatHex(digest("likeness session " + options.token()));
    }

    boolean tokenRequired() {
        return options.token() != null;
    }

    void openSession(Context context, String token) {
        if (options.token() == null) {
            return;
        }
        if (!same(token, options.token())) {
            throw Problem.of(Problem.Kind.UNAUTHORIZED, "The token is wrong; take the one that the server was started "
                    + "with.");
        }
        Cookie cookie = new Cookie(COOKIE, session());
        cookie.setHttpOnly(true);
        cookie.setSameSite(SameSite.STRICT);
        cookie.setPath("/");
        context.cookie(cookie);
    }

    void closeSession(Context context) {
        context.removeCookie(COOKIE, "/");
    }

    /** What browsers may do with an answer: load it from here, show it nowhere else. */
    static void headers(Context context) {
        context.header("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
                + "'self' data: "
                + "blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'");
        context.header("X-Content-Type-Options", "nosniff");
        context.header("X-Frame-Options", "DENY");
        context.header("Referrer-Policy", "no-referrer");
        context.header("Cross-Origin-Resource-Policy", "same-origin");
        context.header("Cross-Origin-Opener-Policy", "same-origin");
        context.header("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
        context.header("Cache-Control", PRIVATE.matcher(context.path()).matches() ? "no-store" : "no-cache");
    }
}
