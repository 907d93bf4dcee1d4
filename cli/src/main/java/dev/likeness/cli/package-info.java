/** The command line: flags to tasks, pictures to files, results to JSON. */
package dev.likeness.cli;
