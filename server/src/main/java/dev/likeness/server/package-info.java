/** The server: an HTTP API over a durable queue of jobs, and the pages of the studio. */
package dev.likeness.server;
