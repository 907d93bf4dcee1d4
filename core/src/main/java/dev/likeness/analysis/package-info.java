/** Measures of what a method did. */
package dev.likeness.analysis;
