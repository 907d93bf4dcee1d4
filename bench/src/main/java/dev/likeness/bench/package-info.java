/** Measures speed and memory: whole jobs, against a Python implementation where there is one, and single kernels. */
package dev.likeness.bench;
