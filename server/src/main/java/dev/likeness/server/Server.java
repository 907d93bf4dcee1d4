package dev.likeness.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.reference.SubjectLibrary;
import dev.likeness.task.FluxModel;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import io.javalin.http.staticfiles.Location;
import io.javalin.router.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The running server: its routes, its worker and its queue. */
public final class Server implements AutoCloseable {

    private static final String REQUEST = "request";
    private static final String WEBJARS = "/META-INF/resources/webjars";

    private final AtomicLong requests = new AtomicLong();
    private final String start = Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);
    private final ServerOptions options;
    private final Metrics metrics = new Metrics();
    private final Guard guard;
    private final Jobs jobs;
    private final Worker worker;
    private final Javalin javalin;
    private ServerConnector connector;

    /**
     * Starts listening.
     *
     * @param model opens the model; called on the thread that will use it
     * @throws Refusal when the model, the data folder or the port cannot be used
     */
    public Server(ServerOptions options, Supplier<FluxModel> model) {
        this.options = options;
        guard = new Guard(options);
        Limits limits = options.limits();
        jobs = new Jobs(options.data(), limits);
        SubjectLibrary library = new SubjectLibrary(options.library());
        worker = new Worker(jobs, library, fromPictures(options), limits, metrics, model);
        try {
            metrics.watch(jobs);
            FluxModel opened = worker.start();
            Inputs inputs = new Inputs(jobs, library, limits);
            Api api = new Api(opened, jobs, worker, inputs, library, guard, limits);
            Synchronous synchronous = new Synchronous(api, jobs, worker, inputs, limits);
            OpenAi openAi = new OpenAi(synchronous, opened.name());
            Webui webui = new Webui(synchronous);
            javalin = Javalin.create(config -> configure(config, api, openAi, webui));
            listen();
        } catch (RuntimeException e) {
            worker.close();
            jobs.close();
            throw e;
        }
    }

    private static String fromPictures(ServerOptions options) {
        Path data = options.data().toAbsolutePath().normalize();
        Path library = options.library().toAbsolutePath().normalize();
        return library.startsWith(data) ? "../" + data.relativize(library) : library.toString();
    }

    private void listen() {
        try {
            javalin.start();
        } catch (RuntimeException e) {
            throw Refusal.resources("The server cannot listen at %s port %d (%s); is it taken? Give another with --port.",
                    options.host(), options.port(), e.getCause() == null ? e.getMessage() : e.getCause().getMessage(), e);
        }
    }

    private void configure(JavalinConfig config, Api api, OpenAi openAi, Webui webui) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.http.prefer405over404 = true;
        config.jetty.threadPool = new QueuedThreadPool(options.limits().watchers() + options.limits().waiters() + 64, 8);
        config.jetty.modifyHttpConfiguration(http -> {
            http.setSendServerVersion(false);
            http.setRequestHeaderSize(16 << 10);
        });
        config.jetty.addConnector((server, http) -> {
            connector = new ServerConnector(server, new HttpConnectionFactory(http));
            connector.setHost(options.host());
            connector.setPort(options.port());
            connector.setIdleTimeout(options.limits().idleTime().toMillis());
            return connector;
        });
        if (Server.class.getResource("/studio/index.html") != null) {
            config.staticFiles.add("/studio", Location.CLASSPATH);
        }
        if (Server.class.getResource(WEBJARS) != null) {
            config.staticFiles.enableWebjars();
        }
        config.requestLogger.http(this::log);
        routes(config.routes);
        api.addTo(config.routes);
        openAi.addTo(config.routes);
        webui.addTo(config.routes);
    }

    private void routes(RoutesConfig routes) {
        routes.before(context -> {
            context.attribute(REQUEST, start + "-" + requests.incrementAndGet());
            Guard.headers(context);
            guard.check(context);
        });
        routes.get("/openapi.json", context -> context.contentType("application/json").result(document()));
        routes.get("/health/live", context -> health(context, "up"));
        routes.get("/health/ready", context -> health(context, worker.health()));
        routes.get("/metrics", context -> context.contentType("text/plain; version=0.0.4; charset=utf-8")
                .result(metrics.text()));
        routes.exception(Problem.class, this::refuse);
        routes.exception(Refusal.class, (e, context) -> refuse(Problem.of(e, null), context));
        routes.exception(HttpResponseException.class, (e, context) -> refuse(problem(e.getStatus()), context));
        routes.exception(Exception.class, (e, context) -> {
            if (context.res().isCommitted()) {
                return; // whoever watched has gone
            }
            System.err.println("likeness: request " + context.attribute(REQUEST) + " failed: " + e);
            e.printStackTrace();
            refuse(Problem.of(Problem.Kind.INTERNAL, "The server failed; its log says more under the number of this "
                    + "request."), context);
        });
    }

    private static Problem problem(int status) {
        return switch (status) {
            case 404 -> Problem.of(Problem.Kind.NOT_FOUND, "There is nothing at this address; /openapi.json lists what "
                    + "there is.");
            case 405 -> Problem.of(Problem.Kind.METHOD_NOT_ALLOWED,
                    "The address does not take this method; see /openapi.json.");
            case 413 -> Problem.of(Problem.Kind.TOO_LARGE, "The request is too large.");
            default -> Problem.of(status < 500 ? Problem.Kind.MALFORMED : Problem.Kind.INTERNAL,
                    "The request cannot be answered.");
        };
    }

    private void refuse(Problem problem, Context context) {
        if (problem.retryAfter > 0) {
            context.header("Retry-After", Integer.toString(problem.retryAfter));
        }
        if (problem.kind == Problem.Kind.TOO_LARGE || problem.kind == Problem.Kind.REQUEST_TIMEOUT) {
            context.header("Connection", "close"); // what is left of the body is not read
        }
        String instance = context.attribute(REQUEST);
        context.header("Cache-Control", "no-store");
        context.status(problem.kind.status);
        if (context.path().startsWith(OpenAi.PREFIX)) {
            OpenAi.refuse(problem, context);
        } else if (context.path().startsWith(Webui.PREFIX)) {
            Webui.refuse(problem, context);
        } else {
            context.contentType("application/problem+json").result(problem.json(instance).toString());
        }
    }

    private static String document() {
        try (InputStream in = Server.class.getResourceAsStream("/openapi.json")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void health(Context context, String status) {
        Api.json(context, status.equals("up") ? 200 : 503, new ObjectMapper().createObjectNode().put("status", status));
    }

    /** A line of JSON for each request; never its body or its query. */
    private void log(Context context, float milliseconds) {
        Endpoint endpoint = context.endpoints().matchedHttpEndpoint();
        String route = endpoint == null ? "" : endpoint.path;
        metrics.request(route.startsWith("/api") || route.startsWith("/v1") || route.startsWith("/sdapi") ? route : "other",
                context.method().name(), context.statusCode(), milliseconds);
        ObjectNode line = new ObjectMapper().createObjectNode().put("time", Instant.now().toString())
                .put("request", context.<String>attribute(REQUEST)).put("from", context.ip())
                .put("method", context.method().name()).put("path", context.path()).put("status", context.statusCode())
                .put("ms", Math.round(milliseconds));
        System.err.println(line);
    }

    /** Where it listens. */
    public int port() {
        return connector.getLocalPort();
    }

    /** Takes no more requests, lets the running job end or queues it again, and closes the queue. */
    @Override
    public void close() {
        worker.close();
        javalin.stop();
        jobs.close();
    }
}
