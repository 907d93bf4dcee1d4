package dev.likeness.cli;

import dev.likeness.error.Refusal;
import dev.likeness.server.Limits;
import dev.likeness.server.Server;
import dev.likeness.server.ServerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "serve", mixinStandardHelpOptions = true,
        description = "Serves the studio and the HTTP API until it is stopped (docs/server.md).")
final class ServeCommand implements Callable<Integer> {

    @Mixin
    ModelOptions modelOptions;

    @Option(names = "--host", defaultValue = "127.0.0.1", paramLabel = "ADDRESS",
            description = "address to listen at (default: ${DEFAULT-VALUE}, this machine alone)")
    String host;

    @Option(names = "--port", defaultValue = "8420", paramLabel = "N",
            description = "0 takes a free one (default: ${DEFAULT-VALUE})")
    int port;

    @Option(names = "--token", paramLabel = "SECRET",
            description = "what requests must carry (default: $$LIKENESS_TOKEN, else none); other addresses than this "
                    + "machine's need one")
    String token;

    @Option(names = "--allow-host", paramLabel = "NAME",
            description = "a name under which browsers may call the server, besides localhost and addresses; may be "
                    + "repeated")
    Set<String> names = Set.of();

    @Option(names = "--data", paramLabel = "DIR",
            description = "folder of the queue and the pictures (default: likeness/server in the user's data folder)")
    Path data;

    @Option(names = "--library", paramLabel = "DIR", description = "folder of the subjects (default: subjects in --data)")
    Path library;

    @Option(names = "--queue", paramLabel = "N", description = "jobs that may wait (default: 64)")
    int queue = Limits.USUAL.queue();

    @Option(names = "--keep-jobs", paramLabel = "N", description = "jobs that are kept after their end (default: 1000)")
    int keptJobs = Limits.USUAL.keptJobs();

    @Option(names = "--keep-days", paramLabel = "N", description = "days that they are kept (default: 30)")
    int keptDays = (int) Limits.USUAL.keptTime().toDays();

    @Option(names = "--keep-gb", paramLabel = "GB", description = "gigabytes that they may take (default: 10)")
    double keptGigabytes = Limits.USUAL.keptBytes() >> 30;

    @Option(names = "--grace", paramLabel = "SECONDS",
            description = "time that a running job has to end when the server stops; then it waits for the next start "
                    + "(default: 30)")
    int grace = (int) Limits.USUAL.grace().toSeconds();

    @Override
    public Integer call() throws InterruptedException {
        modelOptions.check();
        modelOptions.nameFromRoot();
        ServerOptions options = options();
        Server server = new Server(options, modelOptions::open);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.close();
            stopped.countDown();
        }, "stop"));
        String shown = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        System.out.println("http://" + shown + ":" + server.port() + "/");
        stopped.await();
        return 0;
    }

    private ServerOptions options() {
        requirePositive("queue", queue);
        requirePositive("keep-jobs", keptJobs);
        requirePositive("keep-days", keptDays);
        if (!(keptGigabytes > 0 && keptGigabytes <= 1 << 20)) {
            throw Refusal.usage("--keep-gb %s is out of range; use a number of gigabytes above 0.", keptGigabytes);
        }
        if (grace < 0 || grace > 3600) {
            throw Refusal.usage("--grace %d is out of range; use a number of seconds from 0 to 3600.", grace);
        }
        Path folder = data == null ? ServerOptions.defaultData(System.getenv(), Path.of(System.getProperty("user.home")))
                : data;
        Map<String, String> environment = System.getenv();
        return new ServerOptions(host, port, token == null ? environment.get("LIKENESS_TOKEN") : token, names, folder,
                library == null ? folder.resolve("subjects") : library,
                Limits.USUAL.with(queue, keptJobs, Duration.ofDays(keptDays), (long) (keptGigabytes * (1 << 30)),
                        Duration.ofSeconds(grace)));
    }

    private static void requirePositive(String flag, int value) {
        if (value < 1) {
            throw Refusal.usage("--%s %d is out of range; use a whole number above 0.", flag, value);
        }
    }
}
