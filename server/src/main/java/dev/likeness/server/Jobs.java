package dev.likeness.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.likeness.error.Refusal;
import dev.likeness.image.PngWriter;
import dev.likeness.metadata.Metadata;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.sqlite.SQLiteConfig;

/**
 * The queue and its results, on disk: a SQLite database, a folder of inputs for each job, and the pictures. A job is
 * accepted when its row is committed, and its inputs were on the disk before; a picture can be seen when its row is
 * committed, and its file was whole and on the disk before. So whatever a killed process leaves behind is either complete
 * or seen by nobody, and is swept at the next start.
 */
final class Jobs implements AutoCloseable {

    enum State {
        QUEUED, RUNNING, DONE, FAILED, CANCELLED;

        String flag() {
            return JobRequest.lower(this);
        }

        boolean ended() {
            return this == DONE || this == FAILED || this == CANCELLED;
        }
    }

    /**
     * @param sequence grows with every job
     * @param outcome what is told of the end besides the pictures: warnings, evaluations, timings_ms, error; null before
     * @param started milliseconds since 1970, as are the others; 0 for not yet
     */
    record Job(long sequence, String id, State state, ObjectNode request, ObjectNode outcome, long created, long started,
            long finished, int attempts) {}

    record Image(long sequence, String id, String job, String task, int width, int height, long seed, String prompt,
            ObjectNode parameters, long bytes, long created, boolean starred) {}

    private static final int VERSION = 1;
    private static final String JOB_COLUMNS = "seq, id, state, request, outcome, created, started, finished, attempts";
    private static final String IMAGE_COLUMNS =
            "images.seq, images.id, job, task, width, height, seed, prompt, parameters, images.bytes, images.created, "
                    + "starred";
    private static final String IMAGES = " FROM images JOIN jobs ON jobs.id = images.job ";
    private static final String TEMPORARY = ".part-";

    private final Path data;
    private final Limits limits;
    private final FileChannel lockFile;
    private final Connection writer;
    private final Connection reader;
    private final ObjectMapper json = new ObjectMapper();

    /**
     * Opens the folder, creating what is missing. What ran when the process ended waits again, before all others.
     *
     * @throws Refusal (input) when another process has it open; (resources) when it cannot be used
     */
    Jobs(Path data, Limits limits) {
        this.data = data.toAbsolutePath();
        this.limits = limits;
        try {
            Files.createDirectories(inputs());
            Files.createDirectories(pictures());
            lockFile = FileChannel.open(data.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            lock();
            Disk.delete(temporary());
            Files.createDirectories(temporary());
            writer = connect();
            migrate();
            reader = connect();
            recover();
        } catch (IOException | SQLException e) {
            throw Refusal.resources("--data %s cannot be used (%s); check the folder, its permissions and the disk.", data,
                    e.getMessage(), e);
        }
    }

    private void lock() throws IOException {
        try {
            if (lockFile.tryLock() != null) { // it ends with the process, however that ends
                return;
            }
        } catch (OverlappingFileLockException e) {
            // held by this very process
        }
        lockFile.close();
        throw Refusal.input("--data %s is in use by another server; stop that, or give another folder.", data);
    }

    /** Folder for what is being received. */
    Path temporary() {
        return data.resolve("tmp");
    }

    /** Folder of a job's inputs. */
    Path inputs(String job) {
        return inputs().resolve(job);
    }

    private Path inputs() {
        return data.resolve("jobs");
    }

    private Path pictures() {
        return data.resolve("images");
    }

    private Connection connect() throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL); // a commit survives a power failure as well
        config.enforceForeignKeys(true);
        config.setBusyTimeout(5000);
        return config.createConnection("jdbc:sqlite:" + data.resolve("jobs.db"));
    }

    private void migrate() throws SQLException {
        try (Statement statement = writer.createStatement()) {
            int version = statement.executeQuery("PRAGMA user_version").getInt(1);
            if (version > VERSION) {
                throw Refusal.input("--data %s was written by a newer version of likeness; use that, or another folder.",
                        data);
            }
            if (version == 0) {
                statement.executeUpdate("""
                        CREATE TABLE jobs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT UNIQUE,
                            task TEXT NOT NULL, state TEXT NOT NULL, request TEXT NOT NULL, outcome TEXT,
                                    bytes INTEGER NOT NULL,
                            created INTEGER NOT NULL, started INTEGER NOT NULL DEFAULT 0,
                                    finished INTEGER NOT NULL DEFAULT 0,
                            attempts INTEGER NOT NULL DEFAULT 0, cancel INTEGER NOT NULL DEFAULT 0)""");
                statement.executeUpdate("CREATE INDEX jobs_state ON jobs (state, seq)");
                statement.executeUpdate("""
                        CREATE TABLE images (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
                            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, width INTEGER NOT NULL,
                            height INTEGER NOT NULL, seed INTEGER NOT NULL, prompt TEXT, parameters TEXT NOT NULL,
                            bytes INTEGER NOT NULL, created INTEGER NOT NULL, starred INTEGER NOT NULL DEFAULT 0)""");
                statement.executeUpdate("CREATE INDEX images_job ON images (job)");
                statement.executeUpdate("PRAGMA user_version = " + VERSION);
            }
        }
    }

    private void recover() throws SQLException, IOException {
        requeue();
        sweep(inputs(), new HashSet<>(strings("SELECT id FROM jobs")), "");
        sweep(pictures(), new HashSet<>(strings("SELECT id FROM images")), ".png");
    }

    /** What runs waits again, or is cancelled where that was asked for; for when nobody computes it any more. */
    synchronized void requeue() {
        write("UPDATE jobs SET state = 'cancelled', finished = ? WHERE state = 'running' AND cancel = 1",
                System.currentTimeMillis());
        write("UPDATE jobs SET state = 'queued' WHERE state = 'running'");
    }

    /** Deletes what no row knows. */
    private static void sweep(Path folder, Set<String> known, String ending) throws IOException {
        for (Path path : Disk.list(folder)) {
            String name = path.getFileName().toString();
            if (!name.endsWith(ending) || !known.contains(name.substring(0, name.length() - ending.length()))) {
                Disk.delete(path);
            }
        }
    }

    /**
     * Accepts a job whose inputs lie in its folder.
     *
     * @param key chosen by the sender; null for none
     * @return the job, or the one that was accepted earlier under that key; then the folder is deleted
     * @throws Problem when the queue is full
     */
    Job submit(String id, String key, ObjectNode request, int secondsUntilRoom) {
        try {
            Disk.syncAll(inputs(id));
            Disk.sync(inputs());
            return insert(id, key, request, secondsUntilRoom);
        } catch (IOException | SQLException e) {
            throw failed(e);
        }
    }

    private synchronized Job insert(String id, String key, ObjectNode request, int secondsUntilRoom)
            throws SQLException, IOException {
        Optional<Job> earlier = key == null ? Optional.empty() : one(writer, "WHERE key = ?", key);
        if (earlier.isPresent()) {
            Disk.delete(inputs(id));
            return earlier.get();
        }
        requireRoom(secondsUntilRoom);
        update("INSERT INTO jobs (id, key, task, state, request, bytes, created) VALUES (?, ?, ?, 'queued', ?, ?, ?)", id,
                key,
                request.path("task").textValue(), request.toString(), Disk.bytes(inputs(id)), System.currentTimeMillis());
        return one(writer, "WHERE id = ?", id).orElseThrow();
    }

    /** @throws Problem when as many jobs wait as may */
    void requireRoom(int secondsUntilRoom) {
        if (count(State.QUEUED) >= limits.queue()) {
            throw Problem.later(Problem.Kind.BUSY, secondsUntilRoom,
                    "%d jobs are waiting, which is all that may; try again later.",
                    limits.queue());
        }
    }

    /** The next job, which runs now; empty when none waits. One that was started too often fails instead. */
    synchronized Optional<Job> take() {
        try {
            while (true) {
                Optional<Job> next = one(writer, "WHERE state = 'queued' ORDER BY seq LIMIT 1");
                if (next.isEmpty()) {
                    return next;
                }
                String id = next.get().id();
                if (next.get().attempts() < limits.attempts()) {
                    update("UPDATE jobs SET state = 'running', started = ?, attempts = attempts + 1 WHERE id = ?",
                            System.currentTimeMillis(), id);
                    return one(writer, "WHERE id = ?", id);
                }
                update("UPDATE jobs SET state = 'failed', finished = ?, outcome = ? WHERE id = ?",
                        System.currentTimeMillis(), outcome(Problem.of(Problem.Kind.INTERNAL,
                                "The server ended %d times while it computed this job; it is not "
                                + "tried again.", limits.attempts())).toString(), id);
            }
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    /**
     * Ends a running job with its pictures: the files first, then their rows and the job's together. When it was cancelled
     * meanwhile it ends cancelled, without pictures.
     */
    void finish(Job job, List<Tasks.Made> made, ObjectNode outcome) {
        List<String> ids = new ArrayList<>();
        boolean visible = false;
        try {
            List<Long> sizes = new ArrayList<>();
            for (Tasks.Made one : made) {
                String id = UUID.randomUUID().toString();
                ids.add(id);
                sizes.add(write(one, id));
            }
            Disk.sync(pictures());
            visible = commit(job, made, outcome, ids, sizes);
        } catch (IOException | SQLException e) {
            throw failed(e);
        } finally {
            if (!visible) {
                ids.forEach(id -> Disk.delete(file(id)));
            }
        }
    }

    private long write(Tasks.Made one, String id) throws IOException {
        Path part = pictures().resolve(TEMPORARY + id);
        try (OutputStream out = Files.newOutputStream(part)) {
            PngWriter.write(out, one.picture(), Metadata.toChunks(one.record()));
        }
        Disk.sync(part);
        Files.move(part, file(id), StandardCopyOption.ATOMIC_MOVE);
        return Files.size(file(id));
    }

    private synchronized boolean commit(Job job, List<Tasks.Made> made, ObjectNode outcome, List<String> ids,
            List<Long> sizes)
            throws SQLException {
        long now = System.currentTimeMillis();
        writer.setAutoCommit(false);
        try {
            boolean done = update("UPDATE jobs SET state = 'done', finished = ?, outcome = ? WHERE id = ? AND state = "
                    + "'running' AND cancel = 0", now, outcome.toString(), job.id()) == 1;
            if (!done) {
                update("UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'running'", now,
                        job.id());
            }
            for (int i = 0; done && i < made.size(); i++) {
                Tasks.Made one = made.get(i);
                update("INSERT INTO images (id, job, width, height, seed, prompt, parameters, bytes, created) "
                        + "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", ids.get(i), job.id(), one.picture().width(),
                        one.picture().height(), one.seed(), one.prompt(), one.record().path("parameters").toString(),
                                sizes.get(i), now);
            }
            writer.commit();
            return done;
        } catch (SQLException e) {
            writer.rollback();
            throw e;
        } finally {
            writer.setAutoCommit(true);
        }
    }

    synchronized void fail(Job job, Problem problem) {
        write("UPDATE jobs SET state = 'failed', finished = ?, outcome = ? WHERE id = ? AND state = 'running'",
                System.currentTimeMillis(), outcome(problem).toString(), job.id());
    }

    /**
     * Ends a running job that was stopped: cancelled when that was asked for, else it waits again as if it had not begun.
     */
    synchronized void stopped(Job job) {
        write("UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'running' AND cancel = 1",
                System.currentTimeMillis(), job.id());
        write("UPDATE jobs SET state = 'queued', started = 0, attempts = attempts - 1 WHERE id = ? AND state = 'running'",
                job.id());
    }

    /** Cancels a waiting job, or notes that a running one shall be; false when it has ended. */
    synchronized boolean cancel(String id) {
        try {
            long now = System.currentTimeMillis();
            return update("UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'", now,
                    id) == 1
                    || update("UPDATE jobs SET cancel = 1 WHERE id = ? AND state = 'running'", id) == 1;
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    /** Deletes a picture; false when there is none of that name. */
    synchronized boolean deleteImage(String id) {
        boolean deleted = write("DELETE FROM images WHERE id = ?", id) == 1;
        if (deleted) {
            Disk.delete(file(id));
        }
        return deleted;
    }

    /** Marks a picture, or takes the mark away; false when there is none of that name. */
    synchronized boolean star(String id, boolean starred) {
        return write("UPDATE images SET starred = ? WHERE id = ?", starred ? 1 : 0, id) == 1;
    }

    /** Deletes the oldest jobs that have ended and have no starred picture, until all is within the limits. */
    synchronized void retain() {
        try {
            while (true) {
                String over = """
                        SELECT id FROM jobs WHERE state IN ('done', 'failed', 'cancelled')
                            AND NOT EXISTS (SELECT 1 FROM images WHERE job = jobs.id AND starred = 1)
                            AND (finished < ?
                                OR (SELECT count(*) FROM jobs WHERE state IN ('done', 'failed', 'cancelled')
                                    AND NOT EXISTS (SELECT 1 FROM images WHERE job = jobs.id AND starred = 1)) > ?
                                OR (SELECT coalesce(sum(bytes), 0) FROM jobs)
                                        + (SELECT coalesce(sum(bytes), 0) FROM images) > ?)
                            ORDER BY seq LIMIT 1""";
                List<String> next = strings(over, System.currentTimeMillis() - limits.keptTime().toMillis(),
                        limits.keptJobs(), limits.keptBytes());
                if (next.isEmpty()) {
                    return;
                }
                List<String> images = strings("SELECT id FROM images WHERE job = ?", next.get(0));
                update("DELETE FROM jobs WHERE id = ?", next.get(0)); // takes the rows of its pictures along
                images.forEach(id -> Disk.delete(file(id)));
                Disk.delete(inputs(next.get(0)));
            }
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    Optional<Job> get(String id) {
        return read(() -> one(reader, "WHERE id = ?", id));
    }

    Optional<Job> byKey(String key) {
        return read(() -> one(reader, "WHERE key = ?", key));
    }

    /** The newest first. @param state null for all @param before sequence; {@link Long#MAX_VALUE} for the newest */
    List<Job> list(State state, long before, int limit) {
        return read(() -> state == null ? jobs(reader, "WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit)
                : jobs(reader, "WHERE state = ? AND seq < ? ORDER BY seq DESC LIMIT ?", state.flag(), before, limit));
    }

    /** Place in the queue, 1 for the next. */
    int position(Job job) {
        return read(() -> number("SELECT count(*) FROM jobs WHERE state = 'queued' AND seq <= ?", job.sequence()));
    }

    int count(State state) {
        return read(() -> number("SELECT count(*) FROM jobs WHERE state = ?", state.flag()));
    }

    List<Image> images(String job) {
        return read(() -> images("WHERE job = ? ORDER BY images.seq", job));
    }

    Optional<Image> image(String id) {
        return read(() -> images("WHERE images.id = ?", id).stream().findFirst());
    }

    /** The newest first. @param before sequence; {@link Long#MAX_VALUE} for the newest */
    List<Image> images(boolean starred, long before, int limit) {
        return read(() -> images("WHERE starred >= ? AND images.seq < ? ORDER BY images.seq DESC LIMIT ?", starred ? 1 : 0,
                before, limit));
    }

    /** The file of a picture. */
    Path file(String image) {
        return pictures().resolve(image + ".png");
    }

    static ObjectNode outcome(Problem problem) {
        ObjectNode outcome = new ObjectMapper().createObjectNode();
        outcome.set("error", problem.json(null));
        return outcome;
    }

    private interface Query<T> {
        T run() throws SQLException;
    }

    private <T> T read(Query<T> query) {
        synchronized (reader) {
            try {
                return query.run();
            } catch (SQLException e) {
                throw failed(e);
            }
        }
    }

    private int write(String sql, Object... values) {
        try {
            return update(sql, values);
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    private static Problem failed(Exception e) {
        System.err.println("likeness: the queue failed: " + e);
        return Problem.of(Problem.Kind.RESOURCES, "The queue cannot be read or written; check the server's disk.");
    }

    private int update(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(writer, sql, values)) {
            return statement.executeUpdate();
        }
    }

    private static PreparedStatement prepare(Connection connection, String sql, Object... values) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement;
    }

    private int number(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(reader, sql, values); ResultSet rows = statement.executeQuery()) {
            return rows.getInt(1);
        }
    }

    private List<String> strings(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(writer, sql, values); ResultSet rows = statement.executeQuery()) {
            List<String> strings = new ArrayList<>();
            while (rows.next()) {
                strings.add(rows.getString(1));
            }
            return strings;
        }
    }

    private Optional<Job> one(Connection connection, String where, Object... values) throws SQLException {
        return jobs(connection, where, values).stream().findFirst();
    }

    private List<Job> jobs(Connection connection, String where, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(connection, "SELECT " + JOB_COLUMNS + " FROM jobs " + where, values);
                ResultSet row = statement.executeQuery()) {
            List<Job> jobs = new ArrayList<>();
            while (row.next()) {
                jobs.add(new Job(row.getLong(1), row.getString(2), State.valueOf(row.getString(3).toUpperCase(Locale.ROOT)),
                        tree(row.getString(4)),
                        tree(row.getString(5)), row.getLong(6), row.getLong(7), row.getLong(8), row.getInt(9)));
            }
            return jobs;
        }
    }

    private List<Image> images(String where, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(reader, "SELECT " + IMAGE_COLUMNS + IMAGES + where, values);
                ResultSet row = statement.executeQuery()) {
            List<Image> images = new ArrayList<>();
            while (row.next()) {
                images.add(new Image(row.getLong(1), row.getString(2), row.getString(3), row.getString(4), row.getInt(5),
                        row.getInt(6), row.getLong(7), row.getString(8), tree(row.getString(9)), row.getLong(10),
                                row.getLong(11),
                        row.getInt(12) == 1));
            }
            return images;
        }
    }

    private ObjectNode tree(String text) {
        try {
            return text == null ? null : (ObjectNode) json.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e); // we wrote it ourselves
        }
    }

    @Override
    public void close() {
        try {
            synchronized (reader) {
                reader.close();
            }
            synchronized (this) {
                writer.close();
                lockFile.close();
            }
        } catch (SQLException | IOException e) {
            System.err.println("likeness: the queue was not closed properly (" + e.getMessage()
                    + "); it is whole nevertheless");
        }
    }
}
