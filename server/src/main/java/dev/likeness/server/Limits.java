package dev.likeness.server;

import java.time.Duration;

/**
 * Every bound of the server; docs/server.md tells them to users.
 *
 * @param bodyBytes of a request
 * @param bodyTime in which a body must have arrived
 * @param idleTime after which a connection is closed on which nothing comes or goes
 * @param jsonDepth objects and lists inside each other
 * @param inputPixels of one picture that is sent, held against its header before it is decoded
 * @param outputPixels of one canvas
 * @param steps of one picture
 * @param images of one job, those of all its prompts together
 * @param promptCharacters of any one text
 * @param queue jobs that may wait
 * @param watchers streams of events at once
 * @param waiters requests at once that wait for a picture or a mask
 * @param attempts starts of a job before it is given up: a job that brings the server down shall not do it for ever
 * @param keptJobs jobs that have ended, those with starred pictures not counted
 * @param keptTime after which they are deleted
 * @param keptBytes of pictures and inputs of jobs that have ended
 * @param grace in which a running job may end when the server stops; then it is queued again
 * @param cacheBytes of memory for references' tokens
 */
public record Limits(long bodyBytes, Duration bodyTime, Duration idleTime, int jsonDepth, long inputPixels,
        long outputPixels,
        int steps, int images, int promptCharacters, int queue, int watchers, int waiters, int attempts, int keptJobs,
        Duration keptTime, long keptBytes, Duration grace, long cacheBytes) {

    public static final Limits USUAL = new Limits(32L << 20, Duration.ofSeconds(60), Duration.ofSeconds(30), 32, 16_000_000,
            4_194_304, 200, 16, 4000, 64, 200, 64, 5, 1000, Duration.ofDays(30), 10L << 30, Duration.ofSeconds(30),
                    512L << 20);

    /** The same with other bounds of what may wait, of what is kept, and of the time to stop. */
    public Limits with(int newQueue, int newKeptJobs, Duration newKeptTime, long newKeptBytes, Duration newGrace) {
        return new Limits(bodyBytes, bodyTime, idleTime, jsonDepth, inputPixels, outputPixels, steps, images,
                promptCharacters,
                newQueue, watchers, waiters, attempts, newKeptJobs, newKeptTime, newKeptBytes, newGrace, cacheBytes);
    }
}
